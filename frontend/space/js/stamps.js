/** Signs of points, drawn once and then stamped into a picture's pixels many thousand times. */

/** @typedef {"disc"|"square"|"triangle"|"diamond"|"plus"|"cross"|"ring"} Shape */
/** @typedef {[number, number, number]} Rgb */
/**
 * @typedef {Object} Stamp colours are multiplied by their weight already
 * @property {number} size pixels a side
 * @property {Uint32Array} redBlue @property {Uint32Array} green
 * @property {Uint16Array} rest weight of what lies below, 0..256
 */

/** @type {Shape[]} */
export const SHAPES = ["disc", "square", "triangle", "diamond", "plus", "ring"];

const FINE = 4; // looks into each pixel so many times along each axis

/** How far a place lies outside a sign of radius 1; negative inside.
 * @type {Record<Shape, (x: number, y: number, r: number) => number>} */
const OUTSIDE = {
  disc: (x, y, r) => Math.hypot(x, y) - r,
  square: (x, y, r) => Math.max(Math.abs(x), Math.abs(y)) - 0.86 * r,
  diamond: (x, y, r) => (Math.abs(x) + Math.abs(y)) * Math.SQRT1_2 - 0.86 * r,
  triangle: (x, y, r) => Math.max(0.866 * Math.abs(x) - 0.5 * y - 0.6 * r, y - 0.75 * r),
  plus: (x, y, r) => bar(x, y, r),
  cross: (x, y, r) => bar((x + y) * Math.SQRT1_2, (x - y) * Math.SQRT1_2, 1.15 * r),
  ring: (x, y, r) => Math.abs(Math.hypot(x, y) - 0.75 * r) - 0.3 * r,
};

/** @param {number} x @param {number} y @param {number} r */
function bar(x, y, r) {
  const thick = 0.36 * r;
  const along = Math.max(Math.abs(x) - 1.1 * r, Math.abs(y) - thick);
  return Math.min(along, Math.max(Math.abs(y) - 1.1 * r, Math.abs(x) - thick));
}

/**
 * @param {Shape} shape
 * @param {number} radius device pixels
 * @param {Rgb} fill
 * @param {Rgb} rim a line around it, so that neighbours stay apart and pale fills are seen
 * @param {number} line the rim's width in device pixels
 * @param {number} opacity 0..1
 * @returns {Stamp}
 */
export function stamp(shape, radius, fill, rim, line, opacity) {
  const outside = OUTSIDE[shape];
  const reach = reachOf((x, y) => outside(x, y, radius) < 0, Math.ceil(radius * 1.3));
  const size = 2 * reach + 1;
  const made = {
    size,
    redBlue: new Uint32Array(size * size),
    green: new Uint32Array(size * size),
    rest: new Uint16Array(size * size),
  };
  for (let at = 0; at < size * size; at++) {
    let [covered, filled] = [0, 0];
    for (let sub = 0; sub < FINE * FINE; sub++) {
      const x = (at % size) - reach + fine(sub % FINE);
      const y = Math.floor(at / size) - reach + fine(Math.floor(sub / FINE));
      const away = outside(x, y, radius);
      if (away < 0) covered += 1;
      if (away < -line) filled += 1;
    }
    const weight = Math.round((256 * opacity * covered) / (FINE * FINE));
    const share = covered ? filled / covered : 0;
    const [red, green, blue] = fill.map((part, i) => Math.round(part * share + rim[i] * (1 - share)));
    made.redBlue[at] = ((blue << 16) | red) * weight;
    made.green[at] = (green << 8) * weight;
    made.rest[at] = 256 - weight;
  }
  return made;
}

/** A look into a pixel, from its middle. @param {number} sub 0..FINE - 1 */
function fine(sub) {
  return (sub + 0.5) / FINE - 0.5;
}

/** How many pixels a sign reaches from its middle one: every further one costs time at each point.
 * @param {(x: number, y: number) => boolean} covers @param {number} most */
function reachOf(covers, most) {
  for (let reach = most; reach > 0; reach--) {
    for (let along = FINE * -reach; along < FINE * (reach + 1); along++) {
      for (let sub = 0; sub < FINE; sub++) {
        const [a, b] = [fine(along), reach + fine(sub)];
        if (covers(a, b) || covers(a, -b) || covers(b, a) || covers(-b, a)) return reach;
      }
    }
  }
  return 0;
}

/**
 * Put a stamp's middle on a pixel; what lies beyond the edges is cut off.
 * @param {Uint32Array} pixels opaque, as an ImageData of little-endian machines holds them
 * @param {number} width @param {number} height
 * @param {Stamp} made @param {number} x @param {number} y
 */
export function press(pixels, width, height, made, x, y) {
  const { size, redBlue, green, rest } = made;
  const left = Math.round(x) - (size >> 1);
  const top = Math.round(y) - (size >> 1);
  const [firstX, endX] = [Math.max(0, -left), Math.min(size, width - left)];
  const endY = Math.min(size, height - top);
  for (let row = Math.max(0, -top); row < endY; row++) {
    let from = row * size + firstX;
    let to = (top + row) * width + left + firstX;
    for (let column = firstX; column < endX; column++, from++, to++) {
      const below = rest[from];
      if (below === 256) continue;
      const old = pixels[to];
      const rb = ((redBlue[from] + (old & 0xff00ff) * below) >>> 8) & 0xff00ff;
      const g = ((green[from] + (old & 0x00ff00) * below) >>> 8) & 0x00ff00;
      pixels[to] = 0xff000000 | rb | g;
    }
  }
}

/** @param {Rgb} rgb @returns {number} as a pixel */
export function pixel([red, green, blue]) {
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}
