/** Times that tests and benchmarks read from the browser. */

/** Note for whoever measures how long something took until it was on the screen.
 * @param {string} name @param {number} began */
export function measured(name, began) {
  performance.clearMeasures(name); // a page that stays open keeps the last one only
  performance.measure(name, { start: began, end: performance.now() });
}
