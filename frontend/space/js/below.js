/** What stands below the panels and needs answers of its own: hardest tuples, and classes that moved.
 * Nothing is asked for before it is in sight. */
import { h } from "../../live/js/dom.js";
import { HardestStrip } from "./hardest.js";
import { MovedClasses } from "./moved.js";

/** @typedef {import("./choices.js").Choices} Choices */
/** @typedef {import("./panel.js").Arm} Arm */
/** @typedef {import("./source.js").Samples} Samples */
/**
 * @typedef {Object} Seen
 * @property {Samples} samples @property {Arm[]} arms shown @property {string[]} there with snapshots
 * @property {boolean} dark @property {number} seed @property {number} epoch
 * @property {Choices} choices
 */

const NEAR = "200px"; // below the window, where asking begins

/** One answer at a time; one that comes too late counts no more. @template T */
class Answer {
  #asked = "";
  /** @type {T|null} */
  found = null;
  trouble = "";

  /** @param {string} what @param {() => Promise<T>} ask @param {() => void} changed */
  look(what, ask, changed) {
    if (what === this.#asked) return;
    this.#asked = what;
    this.trouble = ""; // what was found before stays until there is something new
    ask()
      .then(
        (found) => {
          if (what === this.#asked) this.found = found;
        },
        (error) => {
          if (what !== this.#asked) return;
          this.found = null;
          this.trouble = error.message;
          this.#asked = ""; // the next look asks again
        },
      )
      .then(changed);
  }

  /** Forget it: it is of other samples. */
  clear() {
    this.#asked = this.trouble = "";
    this.found = null;
  }
}

export class Below {
  #source;
  #strip;
  #moved;
  /** @type {Answer<import("./source.js").Hardest>} */
  #hardest = new Answer();
  /** @type {Answer<import("./source.js").Moved>} */
  #agreement = new Answer();
  /** @type {Seen|null} */
  #seen = null;
  /** @type {Set<Element>} */
  #inSight = new Set();
  #observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) this.#inSight.add(target);
        else this.#inSight.delete(target);
      }
      this.#look();
    },
    { rootMargin: NEAR },
  );

  /**
   * @param {import("./source.js").Source} source
   * @param {{change: (change: Partial<Choices>) => void, tuple: (samples: number[]) => void,
   *   sample: (sample: number) => void, class: (label: number) => void}} told
   */
  constructor(source, told) {
    this.#source = source;
    this.#strip = new HardestStrip({
      kind: (kind) => told.change({ tuples: kind }),
      tuple: told.tuple,
      sample: told.sample,
    });
    this.#moved = new MovedClasses({
      pair: (a, b) => told.change({ pair: [a, b] }),
      class: told.class,
    });
    this.element = h("div", { class: "lb-sp-below" }, this.#strip.element, this.#moved.element);
    this.#observer.observe(this.#strip.element);
    this.#observer.observe(this.#moved.element);
  }

  /** @param {Seen} seen */
  draw(seen) {
    this.#seen = seen;
    this.#look();
  }

  /** Forget what was found: it is of other snapshots. */
  clear() {
    this.#hardest.clear();
    this.#agreement.clear();
    this.#seen = null;
  }

  /** Look no more. */
  destroy() {
    this.#observer.disconnect();
  }

  #look() {
    const seen = this.#seen;
    if (!seen) return;
    const { seed, epoch, there, choices } = seen;
    const at = JSON.stringify([seed, epoch, there.length]);
    if (this.#inSight.has(this.#strip.element)) {
      this.#hardest.look(at, () => this.#source.hardest(seed, epoch, there.length), () => this.#paint());
    }
    const pair = pairOf(there, choices.pair);
    if (pair && this.#inSight.has(this.#moved.element)) {
      const ask = () => this.#source.moved(seed, epoch, ...pair);
      this.#agreement.look(JSON.stringify([at, ...pair]), ask, () => this.#paint());
    }
    this.#paint();
  }

  #paint() {
    if (!this.#seen) return;
    const { samples, arms, there, dark, choices } = this.#seen;
    this.#strip.draw({ samples, arms, dark, kind: choices.tuples, ...parts(this.#hardest) });
    const pair = pairOf(there, choices.pair);
    this.#moved.draw({ samples, dark, arms: there, pair, ...parts(this.#agreement) });
  }
}

/** @template T @param {Answer<T>} answer */
function parts({ found, trouble }) {
  return { found, trouble };
}

/** The two arms that are compared: those wanted, or the first two; null where there are not two.
 * @param {string[]} there @param {string[]} wanted @returns {[string, string]|null} */
export function pairOf(there, wanted) {
  if (there.length < 2) return null;
  const [a, b] = wanted;
  return there.includes(a) && there.includes(b) ? [a, b] : [there[0], there[1]];
}
