/** The selected samples: how many, of which classes, and what they look like. */
import { h, setText } from "../../live/js/dom.js";
import { className, picture, wordsOf } from "./picture.js";

/** @typedef {import("./source.js").Samples} Samples */
/** @typedef {import("./panel.js").How} How */

const PICTURES = 24;
const CLASSES = 8; // named one by one; of the others the number is told
const SIDE = 44;

export class Selection {
  #choose;
  #text = h("span", { "data-testid": "space-lasso-count", role: "status" });
  #strip = h("div", { class: "lb-sp-strip" });
  #clear;
  /** @type {Uint8Array|null} */
  #marks = null;
  /** @type {any[]} what was drawn last */
  #drawn = [];

  /** @param {(sample: number) => void} choose @param {() => void} clear */
  constructor(choose, clear) {
    this.#choose = choose;
    this.#clear = h(
      "button",
      { type: "button", class: "lb-sp-button", "data-testid": "space-clear", onclick: clear },
      "Clear selection",
    );
    const line = h("div", { class: "lb-sp-row lb-sp-chosen" }, this.#text, this.#clear);
    this.element = h("div", { class: "lb-sp-selection" }, line, this.#strip);
  }

  /** 1 for a selected sample; null when none is. */
  get marks() {
    return this.#marks;
  }

  /** @param {number} n @param {number[]} samples @param {How} how */
  take(n, samples, how) {
    const marks = how === "replace" ? new Uint8Array(n) : (this.#marks?.slice() ?? new Uint8Array(n));
    for (const sample of samples) marks[sample] = how === "remove" ? 0 : 1;
    this.#marks = marks.includes(1) ? marks : null;
  }

  /** Select none. */
  clear() {
    this.#marks = null;
  }

  /** @param {Samples} samples @param {boolean} dark @param {string} hint while none is selected */
  draw(samples, dark, hint) {
    const wanted = [samples, dark, hint, this.#marks];
    if (wanted.every((part, at) => part === this.#drawn[at])) return; // a focused picture stays
    this.#drawn = wanted;
    const chosen = samples.ids.map((_, sample) => sample).filter((sample) => this.#marks?.[sample]);
    setText(this.#text, chosen.length ? selectedText(samples, chosen) : hint);
    this.#clear.hidden = !chosen.length;
    this.#strip.replaceChildren(
      ...chosen.slice(0, PICTURES).map((sample) => {
        const title = `Look inside: ${wordsOf(samples, sample)}, sample ${samples.ids[sample]}`;
        const act = { type: "button", title, onclick: () => this.#choose(sample) };
        return h("button", act, picture(samples, sample, SIDE, dark));
      }),
    );
    const more = chosen.length - PICTURES;
    if (more > 0) this.#strip.append(h("span", { class: "lb-sp-quiet" }, `and ${more.toLocaleString("en")} more`));
  }
}

/** How many of how many, and of which classes. @param {Samples} samples @param {number[]} chosen */
export function selectedText(samples, chosen) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const sample of chosen) {
    const label = samples.labels[sample];
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  const ranked = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const named = ranked.slice(0, CLASSES).map(([label, count]) => {
    return `${className(samples, label)}: ${count.toLocaleString("en")}`;
  });
  const rest = ranked.length - CLASSES;
  if (rest > 0) named.push(`${rest} more class${rest === 1 ? "" : "es"}`);
  const [some, all] = [chosen.length, samples.n].map((count) => count.toLocaleString("en"));
  return `${some} of ${all} selected: ${named.join(", ")}`;
}
