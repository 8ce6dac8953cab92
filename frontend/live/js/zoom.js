/** What part of the axes is shown: one range along x for all panels, one along y for each; pure. */

/** @typedef {[number, number]} Range */
/** @typedef {{x: Range|null, y: Record<string, Range>}} Zoom x: in the unit of the axis; y: by metric
 *   key, as values also where the axis is logarithmic; null and absent: everything */

/** @type {Readonly<Zoom>} */
export const WHOLE = Object.freeze({ x: null, y: Object.freeze({}) });

const X = "x";
const ROOM = 0.12; // below and above the lines in a range of x, as a share of their height

/** Whether anything is left out. @param {Zoom} zoom */
export function isZoomed({ x, y }) {
  return x !== null || Object.keys(y).length > 0;
}

/**
 * The zoom that an address asks for, as `x:120~480` and `dynamics.loss:0.1~0.5`.
 * @param {string[]} texts what makes no sense is left out
 * @returns {Zoom}
 */
export function parseZoom(texts) {
  /** @type {Zoom} */
  const zoom = { x: null, y: {} };
  for (const text of texts) {
    const [, name, low, high] = /^([\w.]+):([^~]+)~([^~]+)$/.exec(text) ?? [];
    const range = [low, high].map((end) => (end?.trim() ? Number(end) : NaN));
    if (!range.every(Number.isFinite) || range[0] >= range[1]) continue;
    if (name === X) zoom.x = range;
    else zoom.y[name] = range;
  }
  return zoom;
}

/** The reverse, rounded to a thousandth of the range. @param {Zoom} zoom */
export function formatZoom({ x, y }) {
  return [...(x ? [[X, x]] : []), ...Object.entries(y)].map(([name, [low, high]]) => {
    const digits = Math.min(20, Math.max(0, Math.ceil(3 - Math.log10(high - low))));
    return `${name}:${Number(low.toFixed(digits))}~${Number(high.toFixed(digits))}`;
  });
}

/**
 * The zoom after the viewer has dragged in a panel, or has asked it for everything.
 * @param {Zoom} zoom @param {string} key of the panel's metric
 * @param {Record<string, any>} update what Plotly tells of the axes that have changed
 * @param {boolean} logarithmic whether the panel's y axis is
 * @returns {Zoom}
 */
export function zoomedBy(zoom, key, update, logarithmic) {
  const { [key]: own, ...others } = zoom.y;
  const y = rangeIn(update, "yaxis", own ?? null);
  const values = y && y !== own && logarithmic ? /** @type {Range} */ (y.map((end) => 10 ** end)) : y;
  return { x: rangeIn(update, "xaxis", zoom.x), y: values ? { ...others, [key]: values } : others };
}

/** @param {Record<string, any>} update @param {string} axis @param {Range|null} before */
function rangeIn(update, axis, before) {
  if (update[`${axis}.autorange`]) return null;
  const range = update[`${axis}.range`] ?? [update[`${axis}.range[0]`], update[`${axis}.range[1]`]];
  return range.every(Number.isFinite) ? [...range] : before;
}

/**
 * A panel's axes as Plotly takes them, or nothing for an axis that shows everything.
 * @param {Zoom} zoom @param {string} key @param {boolean} logarithmic
 * @param {{smallest: number, lines: [number, number]}|null} shown what the lines cover in the range
 * @returns {{x: Range|null, y: Range|null}}
 */
export function rangesOf({ x, y }, key, logarithmic, shown) {
  const own = y[key];
  if (own && !(logarithmic && own[1] <= 0)) {
    const floor = shown && Number.isFinite(shown.smallest) ? shown.smallest : own[1] / 1000;
    const low = logarithmic && own[0] <= 0 ? Math.min(floor, own[1] / 10) : own[0];
    return { x, y: logarithmic ? [Math.log10(low), Math.log10(own[1])] : own };
  }
  if (!x || !shown) return { x, y: null };
  if (logarithmic && !Number.isFinite(shown.smallest)) return { x, y: null };
  const [low, high] = logarithmic
    ? [Math.log10(shown.smallest), Math.log10(shown.lines[1])]
    : shown.lines;
  const margin = ROOM * (high - low) || 0.1 * Math.abs(high) || 1;
  return { x, y: [low - margin, high + margin] };
}
