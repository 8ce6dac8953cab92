/** Linked brushing: the same samples are selected in all panels, by a lasso, a legend, a search or a tuple. */
import { setText } from "../../live/js/dom.js";
import { measured } from "./measure.js";
import { Selection, selectedText } from "./selection.js";

/** @typedef {import("./panel.js").How} How */
/** @typedef {import("./source.js").Samples} Samples */

export class Brushing {
  #view;
  #said;
  /** @type {Samples|null} */
  #samples = null;
  #selection;
  /** @type {[boolean, string]} whether the theme is dark, and what is said while nothing is selected */
  #drawn = [false, ""];

  /**
   * @param {import("./view.js").View} view @param {HTMLElement} said what is spoken to the viewer
   * @param {(sample: number) => void} choose a sample among the selected ones
   */
  constructor(view, said, choose) {
    this.#view = view;
    this.#said = said;
    this.#selection = new Selection(choose, () => this.clear());
    this.element = this.#selection.element;
  }

  /** Take these samples; where they are others than before, none is selected. @param {Samples} samples
   * @returns {boolean} whether they are others */
  load(samples) {
    const others = this.#samples !== null && String(this.#samples.ids) !== String(samples.ids);
    if (others) this.#selection.clear(); // the same numbers are other items now
    this.#samples = samples;
    return others;
  }

  /** Mark the selected samples in the panels again, which are new. */
  mark() {
    this.#view.selected = this.#selection.marks;
  }

  /** @param {number[]} samples @param {How} how @param {number} [began] when a lasso was closed */
  select(samples, how, began) {
    this.#selection.take(this.#known.n, samples, how);
    this.mark();
    this.draw(...this.#drawn);
    if (began !== undefined) this.#view.whenPainted(() => measured("lossboard:lasso", began));
  }

  /** Select none. */
  clear() {
    this.select([], "replace");
  }

  /** Select these alone, show all of them, and say so. @param {number[]} samples */
  show(samples) {
    this.select(samples, "replace");
    this.#view.reveal(samples);
    setText(this.#said, selectedText(this.#known, samples));
  }

  /** The same for a class. @param {number} label */
  showClass(label) {
    const { labels } = this.#known;
    this.show([...labels.keys()].filter((sample) => labels[sample] === label));
  }

  /** @param {boolean} dark @param {string} hint while none is selected */
  draw(dark, hint) {
    this.#drawn = [dark, hint];
    this.#selection.draw(this.#known, dark, hint);
  }

  get #known() {
    return /** @type {Samples} */ (this.#samples);
  }
}
