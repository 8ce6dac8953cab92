/** Axes of a panel: how much they cover, and the ticks of a logarithmic one. */
import { number } from "./format.js";

/** @typedef {ReturnType<import("./figure.js").extent>} Extent */

/** How much an axis covers, in its own unit. @param {NonNullable<Extent>} shown @param {boolean} logarithmic */
export function heightOf({ low, high, smallest }, logarithmic) {
  return logarithmic ? Math.log10(high / smallest) || 1 : high - low;
}

/**
 * Ticks of a logarithmic axis as plain numbers; fewer in a decade where there are many decades.
 * @param {Extent} shown
 */
export function logTicks(shown) {
  const decades = shown ? Math.log10(shown.high / Math.max(shown.smallest, 1e-12)) : 1;
  const digits = decades > 3 ? [1] : [1, 2, 5];
  const tickvals = [];
  for (let power = -9; power <= 9; power += 1) {
    for (const digit of digits) tickvals.push(Number(`${digit}e${power}`));
  }
  return { tickmode: "array", tickvals, ticktext: tickvals.map((value) => number(value)) };
}

/**
 * On a logarithmic axis an interval that reaches 0 ends just below the lowest point instead.
 * @param {Object[]} data traces @param {number} floor
 */
export function liftBands(data, floor) {
  for (const trace of data) {
    if (trace.fill) trace.y = trace.y.map((value) => (value == null ? null : Math.max(value, floor)));
  }
}
