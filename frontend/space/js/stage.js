/** A projection's coordinates, and where each arm's samples stand between two epochs. */
import { boxOf } from "./camera.js";

/** @typedef {import("./source.js").Projection} Projection */

export class Stage {
  #coordinates;
  #size;

  /** @param {Projection} projection @param {Float32Array} coordinates [arm, epoch, sample, axis] */
  constructor(projection, coordinates) {
    this.projection = projection;
    this.axes = projection.dims;
    this.n = projection.n;
    this.epochs = projection.epochs;
    this.#coordinates = coordinates;
    this.#size = this.n * this.axes;
    const due = projection.arms.length * this.epochs.length * this.#size;
    if (coordinates.length !== due) {
      throw new Error(`${coordinates.length} coordinates came where ${due} were due`);
    }
  }

  /** @param {string} arm */
  has(arm) {
    return this.projection.arms.includes(arm);
  }

  /**
   * An arm's coordinates between two epochs.
   * @param {string} arm @param {number} time place in `epochs`, with a fraction on the way between
   * @param {Float32Array} out [sample, axis]
   */
  at(arm, time, out) {
    const from = Math.min(this.epochs.length - 1, Math.floor(time));
    const share = time - from;
    const before = this.#cloud(arm, from);
    if (share === 0) {
      out.set(before);
      return;
    }
    const after = this.#cloud(arm, from + 1);
    for (let at = 0; at < out.length; at++) out[at] = before[at] + (after[at] - before[at]) * share;
  }

  /** The box around these arms' samples, at one place in `epochs` or at all of them.
   * @param {string[]} arms @param {number} [time] */
  box(arms, time) {
    const places = time === undefined ? [...this.epochs.keys()] : [Math.round(time)];
    const clouds = arms.flatMap((arm) => places.map((place) => this.#cloud(arm, place)));
    return boxOf(clouds, this.axes);
  }

  /** @param {string} arm @param {number} place */
  #cloud(arm, place) {
    const start = (this.projection.arms.indexOf(arm) * this.epochs.length + place) * this.#size;
    return this.#coordinates.subarray(start, start + this.#size);
  }
}
