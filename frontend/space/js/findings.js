/** What the arms make of the samples at the epoch shown, and what is near the chosen one. */
import { NEIGHBOURS } from "./inside.js";

/** @typedef {import("./source.js").ArmFacts} ArmFacts */
/** @typedef {import("./source.js").Near["neighbours"]} Neighbours */

export class Findings {
  #source;
  #changed;
  #turn = 0;
  #asked = "";
  /** @type {Map<string, ArmFacts>|null} of the last epoch that was looked up */
  facts = null;
  /** @type {Map<string, Neighbours>|null} */
  near = null;
  trouble = "";

  /** @param {import("./source.js").Source} source @param {() => void} changed */
  constructor(source, changed) {
    this.#source = source;
    this.#changed = changed;
  }

  /** Forget all: they are of other snapshots. */
  clear() {
    this.#turn += 1;
    this.#asked = this.trouble = "";
    this.facts = this.near = null;
  }

  /**
   * Fetch what belongs to an epoch and a sample; an answer that comes too late counts no more.
   * @param {number} seed @param {number} epoch @param {number} arms how many have that epoch
   * @param {number|null} sample null: none is chosen
   */
  async look(seed, epoch, arms, sample) {
    const asked = JSON.stringify([seed, epoch, arms, sample]);
    if (asked === this.#asked && !this.trouble) return;
    this.#asked = asked;
    const turn = ++this.#turn;
    this.near = null;
    this.trouble = "";
    const taken = async (/** @type {Promise<void>} */ answer) => {
      const said = await answer.then(() => "", (error) => error.message);
      if (turn !== this.#turn) return;
      this.trouble ||= said;
      this.#changed();
    };
    const facts = this.#source.facts(seed, epoch, arms).then((found) => {
      if (turn === this.#turn) this.facts = found;
    });
    const answers = [taken(facts)];
    if (sample !== null) {
      const near = this.#source.neighbours(seed, epoch, sample, NEIGHBOURS).then((found) => {
        if (turn === this.#turn) this.near = found;
      });
      answers.push(taken(near));
    }
    await Promise.all(answers);
  }
}
