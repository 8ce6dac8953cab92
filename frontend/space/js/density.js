/** Shading that says where a panel's points are dense, drawn below them. */
import { mixed, rgbOf } from "./colouring.js";
import { pixel } from "./stamps.js";

/** @typedef {{background: string, text: string}} Look */
/** @typedef {{values: Float32Array, columns: number, rows: number, most: number}} Density of cells */

const CELL = 6; // CSS pixels
const REACH = 2; // cells to each side over which a point is spread, three times in a row
const EDGES = [0.06, 0.16, 0.32, 0.52, 0.76]; // shares of the densest place, where a darker shade begins
const STRENGTH = 0.075; // of the text's colour in each shade: grey, so that no hue is taken away

/**
 * How dense points are: their number in each cell, spread over the cells around.
 * @param {Float32Array} x @param {Float32Array} y CSS pixels
 * @param {number} width @param {number} height
 * @returns {Density}
 */
export function densityOf(x, y, width, height) {
  const [columns, rows] = [Math.max(1, Math.ceil(width / CELL)), Math.max(1, Math.ceil(height / CELL))];
  let values = new Float32Array(columns * rows);
  for (let i = 0; i < x.length; i++) {
    if (!(x[i] >= 0 && y[i] >= 0 && x[i] < width && y[i] < height)) continue;
    values[Math.floor(y[i] / CELL) * columns + Math.floor(x[i] / CELL)] += 1;
  }
  for (let pass = 0; pass < 3; pass++) {
    values = spread(spread(values, columns, rows, 1, columns), rows, columns, columns, 1);
  }
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return { values, columns, rows, most };
}

/** Means over neighbours along one axis.
 * @param {Float32Array} values @param {number} along cells on that axis @param {number} lines
 * @param {number} step to the next cell @param {number} stride to the next line */
function spread(values, along, lines, step, stride) {
  const out = new Float32Array(values.length);
  for (let line = 0; line < lines; line++) {
    let sum = 0;
    for (let at = -REACH; at < along; at++) {
      if (at + REACH < along) sum += values[line * stride + (at + REACH) * step];
      if (at - REACH - 1 >= 0) sum -= values[line * stride + (at - REACH - 1) * step];
      if (at >= 0) out[line * stride + at * step] = sum / (2 * REACH + 1);
    }
  }
  return out;
}

/**
 * Fill a picture with the shades, over its background.
 * @param {Uint32Array} pixels @param {number} width @param {number} height of the picture
 * @param {number} ratio its pixels a CSS pixel
 * @param {Density} density @param {Look} look
 */
export function shade(pixels, width, height, ratio, { values, columns, rows, most }, look) {
  if (!most) return;
  const [ground, ink] = [rgbOf(look.background), rgbOf(look.text)];
  const shades = EDGES.map((_, at) => pixel(mixed(ground, ink, STRENGTH * (at + 1))));
  const size = CELL * ratio;
  for (let py = 0; py < height; py++) {
    const y = Math.min(rows - 1, Math.max(0, py / size - 0.5));
    const [top, down] = [Math.floor(y), y - Math.floor(y)];
    const [above, below] = [top * columns, Math.min(rows - 1, top + 1) * columns];
    for (let px = 0; px < width; px++) {
      const x = Math.min(columns - 1, Math.max(0, px / size - 0.5));
      const left = Math.floor(x);
      const right = Math.min(columns - 1, left + 1);
      const across = x - left;
      const upper = values[above + left] + (values[above + right] - values[above + left]) * across;
      const lower = values[below + left] + (values[below + right] - values[below + left]) * across;
      const share = (upper + (lower - upper) * down) / most;
      if (share < EDGES[0]) continue;
      let level = 0;
      while (level + 1 < EDGES.length && share >= EDGES[level + 1]) level += 1;
      pixels[py * width + px] = shades[level];
    }
  }
}
