/** Numbers and spans of time as people read them. */

/** @param {number|null|undefined} value */
export function number(value) {
  if (value == null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(1);
  return String(Number(value.toPrecision(size < 1 ? 3 : 4)));
}

/** @param {number|null|undefined} seconds */
export function duration(seconds) {
  if (seconds == null || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.round(hours / 24)} days`;
}

/** @param {number} share 0..1; shows 100 % only when all is done */
export function percent(share) {
  return `${Math.floor(share * 100 + 1e-9)} %`;
}

/** @param {number} count @param {string} noun */
export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** How much of how much, as "45 of 170 MB" or "2,310 of 6,000 images".
 * @param {number} done @param {number|null} total @param {string} unit */
export function amount(done, total, unit) {
  const [scale, name] = unit === "bytes" ? [1e6, "MB"] : [1, unit];
  const shown = [done, total]
    .filter((value) => value != null)
    .map((value) => Math.round(value / scale).toLocaleString("en"));
  return `${shown.join(" of ")} ${name}`;
}
