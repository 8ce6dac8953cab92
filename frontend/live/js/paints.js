/** When points arrived and when they were on the screen, for tests and measurements. */

const KEPT = 5_000;

/** @typedef {{run: string, key: string, step: number, arrived: number, painted: number}} Paint */

export class Paints {
  /** @type {Omit<Paint, "painted">[]} */
  #open = [];
  /** @type {Paint[]} newest last; times in milliseconds since 1970 */
  points = [];
  /** @type {Record<string, {step: number, at: number}>} */
  lastPaint = {};

  /** @param {string} run @param {string} key @param {number[]} steps @param {number} arrived */
  arrived(run, key, steps, arrived) {
    for (const step of steps) this.#open.push({ run, key, step, arrived });
    if (this.#open.length > KEPT) this.#open.splice(0, this.#open.length - KEPT);
  }

  /**
   * Call when these panels' charts have changed: the next frame shows them.
   * @param {Set<string>} keys
   */
  drawn(keys) {
    const shown = this.#open.filter(({ key }) => keys.has(key));
    if (!shown.length) return;
    this.#open = this.#open.filter(({ key }) => !keys.has(key));
    requestAnimationFrame(() => {
      const channel = new MessageChannel(); // its message comes behind the frame
      channel.port1.onmessage = () => {
        const painted = performance.timeOrigin + performance.now();
        for (const point of shown) {
          this.points.push({ ...point, painted });
          this.lastPaint[point.key] = { step: point.step, at: painted };
        }
        if (this.points.length > KEPT) this.points.splice(0, this.points.length - KEPT);
      };
      channel.port2.postMessage(null);
    });
  }
}
