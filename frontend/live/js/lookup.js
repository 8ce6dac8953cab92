/** What the lines of a panel are at a place along x; pure. */

/** @typedef {{x: number[], y: (number|null)[]}} Line x ascending */

/**
 * The point nearest to a place, if the line has one about there: no farther than its neighbours are.
 * @param {number[]} xs ascending @param {number} at
 * @returns {number} its index; -1 for none
 */
export function nearest(xs, at) {
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < at) low = middle + 1;
    else high = middle;
  }
  const found = low > 0 && (low === xs.length || at - xs[low - 1] <= xs[low] - at) ? low - 1 : low;
  if (found >= xs.length) return -1;
  const before = found > 0 ? xs[found] - xs[found - 1] : 0;
  const after = found + 1 < xs.length ? xs[found + 1] - xs[found] : 0;
  return Math.abs(xs[found] - at) <= Math.max(before, after) ? found : -1;
}

/**
 * The place nearest to another at which any line has a point; undefined for none about there.
 * @param {Line[]} lines @param {number} at
 */
export function nearestPlace(lines, at) {
  let place;
  for (const { x } of lines) {
    const found = nearest(x, at);
    if (found < 0) continue;
    if (place === undefined || Math.abs(x[found] - at) < Math.abs(place - at)) place = x[found];
  }
  return place;
}

/** The lines' values at a place; of lines that have none there nothing. @param {Line[]} lines @param {number} at */
export function valuesAt(lines, at) {
  return lines
    .map(({ x, y }) => y[nearest(x, at)])
    .filter((value) => value != null && !Number.isNaN(value));
}

/**
 * The mean of the lines' last values within a range; undefined for none.
 * @param {Line[]} lines @param {number} from @param {number} to
 */
export function endValue(lines, from, to) {
  const ends = [];
  for (const { x, y } of lines) {
    for (let i = x.length - 1; i >= 0 && x[i] >= from; i -= 1) {
      if (x[i] > to || y[i] == null || Number.isNaN(y[i])) continue;
      ends.push(y[i]);
      break;
    }
  }
  return ends.length ? ends.reduce((sum, value) => sum + value, 0) / ends.length : undefined;
}
