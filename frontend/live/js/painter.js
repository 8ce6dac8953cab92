/** Redraws panels at most so often, in animation frames, and only those that are seen. */

const PAUSE_MS = 25; // at least between two redraws
const SHARE = 0.5; // and at least this part of the last one's time: a third is the page's

export class Painter {
  #draw;
  /** @type {Set<string>} */
  #dirty = new Set();
  #due = false;
  #busy = false;
  #ready = 0;
  #gone = false;

  /** @param {(keys: Set<string>) => Promise<Set<string>>} draw gives back what it left undrawn */
  constructor(draw) {
    this.#draw = draw;
  }

  /** @param {Iterable<string>} keys panels that have something new */
  mark(keys) {
    for (const key of keys) this.#dirty.add(key);
    this.#schedule();
  }

  destroy() {
    this.#gone = true;
  }

  #schedule() {
    if (this.#due || this.#busy || !this.#dirty.size) return;
    this.#due = true;
    const wait = this.#ready - performance.now();
    if (wait > 0) setTimeout(() => requestAnimationFrame(() => this.#paint()), wait);
    else requestAnimationFrame(() => this.#paint());
  }

  async #paint() {
    this.#due = false;
    if (this.#gone) return;
    this.#busy = true;
    const keys = this.#dirty;
    this.#dirty = new Set();
    const begun = performance.now();
    const left = await this.#draw(keys).catch((error) => {
      console.error("lossboard: could not draw:", error);
      return new Set();
    });
    const now = performance.now();
    this.#ready = now + Math.max(PAUSE_MS, SHARE * (now - begun));
    this.#busy = false;
    const due = this.#dirty.size > 0; // marked meanwhile, perhaps because it has come into sight
    for (const key of left) this.#dirty.add(key);
    if (due) this.#schedule(); // else what is unseen waits until it is seen
  }
}
