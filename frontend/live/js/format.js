/** Numbers and spans of time as people read them. */

/** @type {Record<string, string>} */
const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/** @param {number|null|undefined} value */
export function number(value) {
  if (value == null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  const sign = value < 0 ? "−" : "";
  if (size < 1e-3 || size >= 1e5) return sign + powerOfTen(size);
  if (size >= 1000 || Number.isInteger(size)) return sign + size.toFixed(0);
  return sign + size.toPrecision(size < 1 ? 3 : 4); // zeros at the end say how exact it is
}

/** The same without zeros at the end, for numbers within a sentence. @param {number|null|undefined} value */
export function shortNumber(value) {
  const text = number(value);
  return /^[^×]*\./.test(text) && !text.includes("×") ? text.replace(/\.?0+$/, "") : text;
}

/** @param {number} size above 0 */
function powerOfTen(size) {
  const [mantissa, power] = size.toExponential(1).split("e");
  const raised = [...power].map((sign) => RAISED[sign] ?? "").join("");
  return `${mantissa} × 10${raised}`;
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

/** A place in a line, as 38 is "38th". @param {number} place counted from 1 */
export function ordinal(place) {
  const teen = Math.floor(place / 10) % 10 === 1;
  const ending = teen ? "th" : (["th", "st", "nd", "rd"][place % 10] ?? "th");
  return `${place.toLocaleString("en")}${ending}`;
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
