/** What the points' colours are at the moment, and the legend that says so. */
import { h } from "../../live/js/dom.js";
import { encoded, possible } from "./encoding.js";
import { legend } from "./legend.js";

/** @typedef {import("./source.js").Samples} Samples */

export class Colours {
  #select;

  /** @param {(samples: number[]) => void} select the samples of a legend's entry */
  constructor(select) {
    this.#select = select;
    this.element = h("div");
  }

  /**
   * Draw the legend.
   * @param {import("./colouring.js").By} wanted @param {Samples} samples
   * @param {string[]} arms shown @param {Map<string, import("./source.js").ArmFacts>|null} facts
   * @param {boolean} dark
   * @returns {Map<string, import("./colouring.js").Colouring>} by arm
   */
  draw(wanted, samples, arms, facts, dark) {
    const by = possible(wanted, samples);
    const { colourings, span } = encoded(by, samples, arms, facts, dark);
    const select = (/** @type {number[]} */ labels, /** @type {number} */ group) => {
      this.#select([...labels.keys()].filter((sample) => labels[sample] === group));
    };
    const drawn = legend(by, samples, span, dark, select);
    if (!this.element.firstChild?.isEqualNode(drawn)) this.element.replaceChildren(drawn);
    return colourings;
  }
}
