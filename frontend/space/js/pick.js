/** Which points are meant: under the pointer, inside a lasso, or next in a direction. */

const CELL = 16; // pixels

/** Finds the nearest point fast: points by the cell of a grid that they fall into. */
export class Grid {
  #x;
  #y;
  #columns;
  #rows;
  #starts;
  #members;

  /** @param {Float32Array} x @param {Float32Array} y @param {number} width @param {number} height */
  constructor(x, y, width, height) {
    this.#x = x;
    this.#y = y;
    this.#columns = Math.max(1, Math.ceil(width / CELL));
    this.#rows = Math.max(1, Math.ceil(height / CELL));
    this.#starts = new Uint32Array(this.#columns * this.#rows + 1);
    const cells = new Int32Array(x.length);
    for (let i = 0; i < x.length; i++) {
      const [column, row] = [Math.floor(x[i] / CELL), Math.floor(y[i] / CELL)];
      const inside = x[i] >= 0 && y[i] >= 0 && x[i] < width && y[i] < height;
      cells[i] = inside ? row * this.#columns + column : -1;
      if (inside) this.#starts[cells[i] + 1] += 1;
    }
    for (let cell = 0; cell < this.#columns * this.#rows; cell++) {
      this.#starts[cell + 1] += this.#starts[cell];
    }
    const next = this.#starts.slice();
    this.#members = new Uint32Array(this.#starts.at(-1) ?? 0);
    for (let i = 0; i < x.length; i++) if (cells[i] >= 0) this.#members[next[cells[i]]++] = i;
  }

  /**
   * @param {number} px @param {number} py
   * @param {number} reach pixels
   * @returns {number} the nearest point within reach, -1 for none
   */
  nearest(px, py, reach) {
    let found = -1;
    let best = reach * reach;
    const low = (/** @type {number} */ at) => Math.max(0, Math.floor((at - reach) / CELL));
    const right = Math.min(this.#columns - 1, Math.floor((px + reach) / CELL));
    const bottom = Math.min(this.#rows - 1, Math.floor((py + reach) / CELL));
    for (let row = low(py); row <= bottom; row++) {
      for (let column = low(px); column <= right; column++) {
        const cell = row * this.#columns + column;
        for (let at = this.#starts[cell]; at < this.#starts[cell + 1]; at++) {
          const i = this.#members[at];
          const distance = (this.#x[i] - px) ** 2 + (this.#y[i] - py) ** 2;
          if (distance <= best) [best, found] = [distance, i];
        }
      }
    }
    return found;
  }
}

/**
 * The points inside a closed outline, by the even-odd rule.
 * @param {Float32Array} x @param {Float32Array} y
 * @param {[number, number][]} outline
 * @returns {number[]}
 */
export function inside(x, y, outline) {
  const [xs, ys] = [outline.map(([at]) => at), outline.map(([, at]) => at)];
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const found = [];
  for (let i = 0; i < x.length; i++) {
    const [px, py] = [x[i], y[i]];
    if (px < left || px > right || py < top || py > bottom) continue;
    let within = false;
    for (let a = 0, b = outline.length - 1; a < outline.length; b = a++) {
      const crosses = ys[a] > py !== ys[b] > py;
      if (crosses && px < ((xs[b] - xs[a]) * (py - ys[a])) / (ys[b] - ys[a]) + xs[a]) within = !within;
    }
    if (within) found.push(i);
  }
  return found;
}

/**
 * The next point from one towards an arrow key: near, and not far off the direction.
 * @param {Float32Array} x @param {Float32Array} y
 * @param {number} from @param {number} dx @param {number} dy -1, 0 or 1
 * @returns {number} itself if there is none
 */
export function next(x, y, from, dx, dy) {
  let found = from;
  let best = Infinity;
  for (let i = 0; i < x.length; i++) {
    const along = (x[i] - x[from]) * dx + (y[i] - y[from]) * dy;
    const across = Math.abs((x[i] - x[from]) * dy) + Math.abs((y[i] - y[from]) * dx);
    if (along <= 0.5 || across > along) continue;
    const cost = along + 2 * across;
    if (cost < best) [best, found] = [cost, i];
  }
  return found;
}

/** The point nearest to a place. @param {Float32Array} x @param {Float32Array} y
 * @param {number} px @param {number} py */
export function closest(x, y, px, py) {
  let [found, best] = [0, Infinity];
  for (let i = 0; i < x.length; i++) {
    const distance = (x[i] - px) ** 2 + (y[i] - py) ** 2;
    if (distance < best) [best, found] = [distance, i];
  }
  return found;
}
