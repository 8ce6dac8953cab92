/** The row of values above a chart: a line's sample, the arm's name and its value. */
import { h, ink, setAttribute, setText, swatch } from "./dom.js";
import { shortened } from "./names.js";

/** @typedef {import("./figure.js").Arm} Arm */

const SIZES = [ // up to so many arms: how they are set, and the longest name
  { most: 3, size: "few", longest: 22 },
  { most: 8, size: "some", longest: 14 },
  { most: Infinity, size: "many", longest: 11 },
];

export class Values {
  element = h("div", { class: "lb-values" });
  #drawn = "";
  /** @type {Map<string, {chip: HTMLElement, value: HTMLElement}>} */
  #chips = new Map();

  /**
   * @param {Arm[]} arms those that are drawn @param {Map<string, string>} texts by arm
   * @param {string|undefined} marked the arm that is pointed at
   */
  draw(arms, texts, marked) {
    const key = arms.map(({ name, color, dash }) => name + color + dash).join("\n");
    if (key !== this.#drawn) this.#build(arms);
    this.#drawn = key;
    for (const [name, { chip, value }] of this.#chips) {
      setText(value, texts.get(name) ?? "–");
      setAttribute(chip, "data-marked", name === marked);
    }
  }

  /** @param {Arm[]} arms */
  #build(arms) {
    const { size, longest } = SIZES.find(({ most }) => arms.length <= most);
    const names = shortened(arms.map(({ name }) => name), longest);
    setAttribute(this.element, "data-size", size);
    this.#chips = new Map(
      arms.map(({ name, color, dash }) => {
        const value = h("b");
        const text = h("span", { style: ink(color) }, names.get(name));
        const chip = h("span", { class: "lb-value", title: name }, swatch(color, dash), text, value);
        return [name, { chip, value }];
      }),
    );
    this.element.replaceChildren(...[...this.#chips.values()].map(({ chip }) => chip));
  }
}
