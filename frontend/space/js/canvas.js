/** Draws one panel's points: fast enough for ten thousand of them in each of four panels. */
import { mixed, rgbOf } from "./colouring.js";
import { densityOf, shade } from "./density.js";
import { pixel, press, stamp } from "./stamps.js";

/** @typedef {import("./colouring.js").Colouring} Colouring */
/** @typedef {{x: Float32Array, y: Float32Array, depth: Float32Array}} Places */
/** @typedef {{dark: boolean, background: string, text: string, muted: string, grid: string}} Look */

const DEPTHS = 6; // steps of fading and growing in 3-D
const PLAIN = 0;
const FAINT = 1; // not chosen, while others are
const CHOSEN = 2;
const STATES = 3;

export class Points {
  #canvas;
  #context;
  #width = 0;
  #height = 0;
  #ratio = 1;
  /** @type {ImageData|null} */
  #image = null;
  /** @type {Map<number, import("./stamps.js").Stamp>} */
  #stamps = new Map();
  #stamped = "";

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  }

  /** @param {number} width @param {number} height CSS pixels */
  resize(width, height) {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    if (width === this.#width && height === this.#height && ratio === this.#ratio) return;
    [this.#width, this.#height, this.#ratio] = [width, height, ratio];
    this.#canvas.width = Math.max(1, Math.round(width * ratio));
    this.#canvas.height = Math.max(1, Math.round(height * ratio));
    this.#image = null;
    this.#stamped = "";
  }

  /**
   * @param {Places} places CSS pixels
   * @param {Colouring} colouring
   * @param {Uint8Array|null} chosen 1 for points that stand out; null: none does
   * @param {Look} look
   * @param {{flat: boolean, radius: number, step: number, origin: [number, number],
   *   shaded?: boolean}} how the grid's step is in pixels; 0 for no grid
   */
  draw(places, colouring, chosen, look, { flat, radius, step, origin, shaded = false }) {
    const { width, height } = this.#canvas;
    this.#image ??= this.#context.createImageData(width, height);
    const pixels = new Uint32Array(this.#image.data.buffer);
    const ground = rgbOf(look.background);
    pixels.fill(pixel(ground));
    if (shaded) {
      const density = densityOf(places.x, places.y, this.#width, this.#height);
      shade(pixels, width, height, this.#ratio, density, look);
    }
    if (step) this.#lines(pixels, look, step, origin);
    this.#forget(colouring, look, radius);
    const ratio = this.#ratio;
    const order = drawingOrder(places, colouring, chosen, flat);
    for (let at = 0; at < order.length; at++) {
      const i = order[at];
      const state = chosen ? (chosen[i] ? CHOSEN : FAINT) : PLAIN;
      const level = flat ? DEPTHS - 1 : levelOf(places.depth[i]);
      const key = (colouring.index[i] * STATES + state) * DEPTHS + level;
      let made = this.#stamps.get(key);
      if (!made) this.#stamps.set(key, (made = this.#stamp(colouring, key, look, radius, flat)));
      press(pixels, width, height, made, places.x[i] * ratio, places.y[i] * ratio);
    }
  }

  /** Put the drawn points on the screen, with what is marked above them.
   * @param {(context: CanvasRenderingContext2D) => void} overlay draws in CSS pixels */
  show(overlay) {
    if (!this.#image) return;
    this.#context.setTransform(1, 0, 0, 1, 0, 0);
    this.#context.putImageData(this.#image, 0, 0);
    this.#context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    overlay(this.#context);
  }

  /** Stamps are good for one colouring, look and size. */
  #forget(/** @type {Colouring} */ { styles }, /** @type {Look} */ look, /** @type {number} */ radius) {
    const known = `${look.background} ${look.text} ${radius} ${styles.map((s) => s.fill + s.shape)}`;
    if (known !== this.#stamped) this.#stamps.clear();
    this.#stamped = known;
  }

  /** @param {Colouring} colouring @param {number} key @param {Look} look @param {number} radius
   * @param {boolean} flat */
  #stamp({ styles }, key, look, radius, flat) {
    const level = key % DEPTHS;
    const state = Math.floor(key / DEPTHS) % STATES;
    const { fill, shape } = styles[Math.floor(key / DEPTHS / STATES)];
    const [ground, text] = [rgbOf(look.background), rgbOf(look.text)];
    const share = level / (DEPTHS - 1);
    const far = flat ? 0 : 0.55 * (1 - share);
    const grown = radius * this.#ratio * (flat ? 1 : 0.75 + 0.45 * share);
    const colour = mixed(rgbOf(fill), ground, far);
    if (state === FAINT) {
      const pale = mixed(colour, ground, look.dark ? 0.78 : 0.8);
      return stamp(shape, grown * 0.9, pale, pale, 0, 1);
    }
    const edge = mixed(colour, look.dark ? ground : text, 0.16 + 0.08 * Math.min(4, radius));
    const line = 0.2 * grown;
    if (state === CHOSEN) {
      const ring = mixed(colour, mixed(text, ground, far), Math.min(1, radius / 4));
      return stamp(shape, grown * (radius > 2.5 ? 1.3 : 1.15), colour, ring, line, 1);
    }
    return stamp(shape, grown, colour, edge, shape === "disc" ? line : line * 0.6, 0.92);
  }

  /** @param {Uint32Array} pixels @param {Look} look @param {number} step
   * @param {[number, number]} origin */
  #lines(pixels, look, step, [left, top]) {
    const { width, height } = this.#canvas;
    const faint = pixel(mixed(rgbOf(look.grid), rgbOf(look.background), 0.35));
    const ratio = this.#ratio;
    for (let x = ((left % step) + step) % step; x * ratio < width; x += step) {
      const column = Math.floor(x * ratio);
      for (let at = column; at < pixels.length; at += width) pixels[at] = faint;
    }
    for (let y = ((top % step) + step) % step; y * ratio < height; y += step) {
      const row = Math.floor(y * ratio);
      pixels.fill(faint, row * width, (row + 1) * width);
    }
  }
}

/** @param {number} depth -1..1 */
function levelOf(depth) {
  return Math.min(DEPTHS - 1, Math.max(0, Math.floor(((depth + 0.9) / 1.8) * DEPTHS)));
}

/**
 * Points from the back to the front: chosen ones over the others, then what the colouring puts
 * above, then the nearer.
 * @param {Places} places @param {Colouring} colouring @param {Uint8Array|null} chosen
 * @param {boolean} flat
 */
export function drawingOrder({ x, depth }, { above }, chosen, flat) {
  const fine = flat ? 1 : 64;
  const ranks = new Uint16Array(x.length);
  const starts = new Uint32Array(4 * fine + 1);
  for (let i = 0; i < x.length; i++) {
    const near = flat ? 0 : Math.min(fine - 1, Math.max(0, Math.floor(((depth[i] + 1) / 2) * fine)));
    ranks[i] = ((chosen?.[i] ? 2 : 0) + (flat && above?.[i] ? 1 : 0)) * fine + near;
    starts[ranks[i] + 1] += 1;
  }
  for (let rank = 0; rank < 4 * fine; rank++) starts[rank + 1] += starts[rank];
  const order = new Uint32Array(x.length);
  for (let i = 0; i < x.length; i++) order[starts[ranks[i]]++] = i;
  return order;
}

/** A point's radius in CSS pixels: the more points, the smaller. @param {number} n
 * @param {number} width of a panel */
export function radiusFor(n, width) {
  const wanted = 1.05 * Math.sqrt((width * width) / Math.max(1, n) / 12);
  return Math.min(4.5, Math.max(1.9, wanted));
}
