/** The one view that all panels share: what stands where on a panel, in CSS pixels. */

/** @typedef {{centre: number[], half: number[]}} Box middle and half the extent of each axis */

const MARGIN = 0.9; // share of a panel that the points take up at zoom 1
const NEAREST = 0.2;
const FARTHEST = 400;
const DEPTH = 0.28; // how much nearer points are drawn apart in 3-D: a mild perspective
const ROUND = 1.35; // the corners of a box in 3-D are empty
const START = rotation(-0.5, 0.35);

export class Camera {
  #zoom = 1;
  #x = 0; // of the middle of a panel, in the coordinates' unit, away from the box's middle
  #y = 0;
  #turn = START;
  /** @type {Box} */
  #box = { centre: [0, 0, 0], half: [1, 1, 1] };

  /** Show this box whole, and forget zoom and rotation. @param {Box} box */
  fit(box) {
    this.#box = box;
    this.reset();
  }

  /** Back to the whole box. */
  reset() {
    this.#zoom = 1;
    this.#x = this.#y = 0;
    this.#turn = START;
  }

  /** Move and zoom so that a smaller box fills the panels; the rotation stays. @param {Box} box */
  frame(box) {
    const { centre, half } = this.#box;
    const share = (/** @type {number} */ axis) => box.half[axis] / (half[axis] || 1);
    const flat = centre.length === 2;
    this.#zoom = clamp(1 / Math.max(...half.map((_, axis) => share(axis)), 1e-6));
    this.#x = flat ? box.centre[0] - centre[0] : 0;
    this.#y = flat ? box.centre[1] - centre[1] : 0;
  }

  /** @param {number} width @param {number} height @returns {number} pixels a unit */
  scale(width, height) {
    const { half, centre } = this.#box;
    if (centre.length === 3) {
      return ((MARGIN * Math.min(width, height)) / 2 / (Math.hypot(...half) || 1)) * ROUND * this.#zoom;
    }
    const fits = Math.min(width / (half[0] || 1e-9), height / (half[1] || 1e-9));
    return ((MARGIN * fits) / 2) * this.#zoom;
  }

  /** Where on a panel the coordinates' zero stands, in 2-D. @param {number} width
   * @param {number} height @returns {[number, number]} */
  origin(width, height) {
    const scale = this.scale(width, height);
    const [cx, cy] = this.#box.centre;
    return [width / 2 - (this.#x + cx) * scale, height / 2 + (this.#y + cy) * scale];
  }

  /** Where each axis points in 3-D, as seen. @returns {[number, number][]} */
  tips() {
    const turn = this.#turn;
    return [0, 1, 2].map((axis) => [turn[axis], turn[axis + 3]]);
  }

  /**
   * Zoom about a place on a panel, which stays where it is.
   * @param {number} factor @param {number} px @param {number} py
   * @param {number} width @param {number} height
   */
  zoomAt(factor, px, py, width, height) {
    const before = this.scale(width, height);
    this.#zoom = clamp(this.#zoom * factor);
    const moved = 1 / before - 1 / this.scale(width, height);
    this.#x += (px - width / 2) * moved;
    this.#y -= (py - height / 2) * moved;
  }

  /** Drag the points along. @param {number} dx @param {number} dy
   * @param {number} width @param {number} height */
  pan(dx, dy, width, height) {
    const scale = this.scale(width, height);
    this.#x -= dx / scale;
    this.#y += dy / scale;
  }

  /** Turn a 3-D view as a ball under the pointer. @param {number} dx @param {number} dy */
  rotate(dx, dy) {
    this.#turn = product(rotation(dx * 0.01, dy * 0.01), this.#turn);
  }

  /**
   * Places of points on a panel.
   * @param {Float32Array} points [n, axes] @param {number} width @param {number} height
   * @param {{x: Float32Array, y: Float32Array, depth: Float32Array}} out depth: 1 nearest, -1
   *   farthest; left as it is in 2-D
   */
  place(points, width, height, out) {
    const { centre } = this.#box;
    const scale = this.scale(width, height);
    const left = width / 2 - this.#x * scale;
    const top = height / 2 + this.#y * scale;
    if (centre.length === 2) {
      const [cx, cy] = centre;
      for (let i = 0, at = 0; i < out.x.length; i++, at += 2) {
        out.x[i] = left + (points[at] - cx) * scale;
        out.y[i] = top - (points[at + 1] - cy) * scale;
      }
      return;
    }
    const [cx, cy, cz] = centre;
    const [a, b, c, d, e, f, g, h, k] = this.#turn;
    const extent = Math.hypot(...this.#box.half) || 1;
    for (let i = 0, at = 0; i < out.x.length; i++, at += 3) {
      const x = points[at] - cx;
      const y = points[at + 1] - cy;
      const z = points[at + 2] - cz;
      const near = (g * x + h * y + k * z) / extent;
      const grown = scale * (1 + DEPTH * near);
      out.x[i] = left + (a * x + b * y + c * z) * grown;
      out.y[i] = top - (d * x + e * y + f * z) * grown;
      out.depth[i] = near;
    }
  }
}

/**
 * The box around points, over all arms and epochs given.
 * @param {Float32Array[]} clouds @param {number} axes
 * @returns {Box}
 */
export function boxOf(clouds, axes) {
  const low = new Array(axes).fill(Infinity);
  const high = new Array(axes).fill(-Infinity);
  for (const cloud of clouds) {
    for (let at = 0; at < cloud.length; at++) {
      const axis = at % axes;
      if (cloud[at] < low[axis]) low[axis] = cloud[at];
      if (cloud[at] > high[axis]) high[axis] = cloud[at];
    }
  }
  const known = low.map((value) => Number.isFinite(value));
  return {
    centre: low.map((value, axis) => (known[axis] ? (value + high[axis]) / 2 : 0)),
    half: low.map((value, axis) => (known[axis] ? Math.max((high[axis] - value) / 2, 1e-9) : 1)),
  };
}

/** @param {number} zoom */
function clamp(zoom) {
  return Math.min(FARTHEST, Math.max(NEAREST, zoom));
}

/** About the vertical axis, then about the horizontal one. @param {number} yaw @param {number} pitch */
function rotation(yaw, pitch) {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  return [cy, 0, sy, sp * sy, cp, -sp * cy, -cp * sy, sp, cp * cy];
}

/** @param {number[]} a @param {number[]} b */
function product(a, b) {
  return a.map((_, at) => {
    const [row, column] = [3 * Math.floor(at / 3), at % 3];
    return a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6];
  });
}
