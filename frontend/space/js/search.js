/** Finds a class by its name, or a sample by its id. */
import { h, setAttribute } from "../../live/js/dom.js";
import { counted } from "../../live/js/format.js";
import { groupStyle } from "./colouring.js";
import { sign } from "./legend.js";
import { className, nameOf } from "./picture.js";

/** @typedef {import("./source.js").Samples} Samples */
/** @typedef {{kind: "class"|"sample", at: number, text: string, more: string}} Found at: a label, or
 *   the number of a sample */

const MOST = 8; // suggestions
const LIST = "lb-sp-found";

export class Search {
  #told;
  /** @type {Samples|null} */
  #samples = null;
  #dark = false;
  /** @type {Found[]} */
  #found = [];
  #active = -1;
  #field;
  #list = h("ul", { role: "listbox", id: LIST, "aria-label": "Classes and samples found", hidden: true });

  /** @param {(label: number) => void} chooseClass @param {(sample: number) => void} chooseSample */
  constructor(chooseClass, chooseSample) {
    this.#told = { class: chooseClass, sample: chooseSample };
    this.#field = /** @type {HTMLInputElement} */ (
      h("input", {
        type: "search",
        placeholder: "Class or sample id",
        autocomplete: "off",
        spellcheck: "false",
        role: "combobox",
        "aria-label": "Find a class or a sample",
        "aria-autocomplete": "list",
        "aria-controls": LIST,
        "aria-expanded": "false",
        "data-testid": "space-search",
        oninput: () => this.#look(),
        onfocus: () => this.#look(),
        onblur: () => this.#close(),
        onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
      })
    );
    this.element = h("div", { class: "lb-sp-search" }, this.#field, this.#list);
  }

  /** @param {Samples} samples @param {boolean} dark */
  load(samples, dark) {
    this.#samples = samples;
    this.#dark = dark;
  }

  #look() {
    const text = this.#field.value;
    this.#found = this.#samples ? suggestions(this.#samples, text, MOST) : [];
    this.#active = this.#found.length ? 0 : -1;
    this.#draw(text.trim() !== "");
  }

  /** @param {boolean} open */
  #draw(open) {
    const none = h("li", { class: "lb-sp-quiet", role: "option", "aria-disabled": "true" }, "No class and no sample of this name");
    this.#list.replaceChildren(...(this.#found.length ? this.#found.map((one, at) => this.#option(one, at)) : [none]));
    this.#list.hidden = !open;
    setAttribute(this.#field, "aria-expanded", String(open));
    setAttribute(this.#field, "aria-activedescendant", open && this.#active >= 0 ? `${LIST}-${this.#active}` : null);
  }

  /** @param {Found} one @param {number} at */
  #option(one, at) {
    const samples = /** @type {Samples} */ (this.#samples);
    const label = one.kind === "class" ? one.at : samples.labels[one.at];
    return h(
      "li",
      {
        role: "option",
        id: `${LIST}-${at}`,
        "aria-selected": String(at === this.#active),
        onmousedown: (/** @type {MouseEvent} */ event) => event.preventDefault(), // the field keeps the focus
        onclick: () => this.#pick(one),
      },
      sign(groupStyle(label, this.#dark), this.#dark),
      h("span", {}, one.text),
      h("small", {}, one.more),
    );
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.#found.length) {
      this.#active = (this.#active + step + this.#found.length) % this.#found.length;
      this.#draw(true);
    } else if (event.key === "Enter" && this.#found[this.#active]) this.#pick(this.#found[this.#active]);
    else if (event.key === "Escape" && !this.#list.hidden) this.#close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Found} one */
  #pick(one) {
    this.#field.value = one.text;
    this.#close();
    if (one.kind === "class") this.#told.class(one.at);
    else this.#told.sample(one.at);
  }

  #close() {
    this.#found = [];
    this.#active = -1;
    this.#draw(false);
  }
}

/**
 * Classes whose name has the text, those that begin with it first; then samples whose id begins with it.
 * @param {Samples} samples @param {string} text @param {number} most
 * @returns {Found[]}
 */
export function suggestions(samples, text, most) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  /** @type {Map<number, number>} */
  const sizes = new Map();
  for (const label of samples.labels) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  const place = (/** @type {number} */ label) => className(samples, label).toLowerCase().indexOf(wanted);
  const length = (/** @type {number} */ label) => className(samples, label).length;
  const classes = [...sizes.keys()]
    .filter((label) => place(label) >= 0)
    .sort((a, b) => Math.min(1, place(a)) - Math.min(1, place(b)) || length(a) - length(b) || a - b)
    .map((label) => {
      const more = counted(sizes.get(label) ?? 0, "sample");
      return { kind: /** @type {const} */ ("class"), at: label, text: className(samples, label), more };
    });
  const id = wanted.replace(/^(sample|id|#)\s*/, "");
  const items = /^\d+$/.test(id) ? samples.ids.map((_, sample) => sample) : [];
  const found = items
    .filter((sample) => String(samples.ids[sample]).startsWith(id))
    .sort((a, b) => samples.ids[a] - samples.ids[b] || a - b)
    .map((sample) => {
      const kind = samples.modality && samples.modalities?.[samples.modality[sample]];
      const more = [nameOf(samples, sample), kind].filter(Boolean).join(", ");
      return { kind: /** @type {const} */ ("sample"), at: sample, text: `sample ${samples.ids[sample]}`, more };
    });
  const room = Math.max(most - found.length, Math.ceil(most / 2));
  const kept = classes.slice(0, room);
  return [...kept, ...found.slice(0, most - kept.length)];
}
