/** Which classes two arms place differently: neighbours kept by class, and linear CKA. */
import { h, setText } from "../../live/js/dom.js";
import { groupStyle } from "./colouring.js";
import { sign } from "./legend.js";
import { className } from "./picture.js";
import { fill, select } from "./toolbar.js";

/** @typedef {import("./source.js").Samples} Samples */
/** @typedef {import("./source.js").Moved} Moved */
/**
 * @typedef {Object} Seen
 * @property {Samples} samples @property {boolean} dark
 * @property {string[]} arms those with snapshots @property {[string, string]|null} pair
 * @property {Moved|null} found @property {string} trouble
 */

const FIRST = 12; // classes shown until all are asked for

export class MovedClasses {
  #told;
  #all = false;
  #a;
  #b;
  #pair;
  #text = h("p", { class: "lb-sp-quiet", "data-testid": "space-moved-text" });
  #cka = h("p", { "data-testid": "space-cka" });
  #meaning = h("p", { class: "lb-sp-quiet" });
  #rows = h("div", { class: "lb-sp-bars", role: "list", "data-testid": "space-moved-classes" });
  #more = h("button", { type: "button", class: "lb-sp-button", onclick: () => this.#showAll() });
  /** @type {Seen|null} */
  #seen = null;

  /** @param {{pair: (a: string, b: string) => void, class: (label: number) => void}} told */
  constructor(told) {
    this.#told = told;
    this.#a = select("Arm", "moved-a", (value) => told.pair(value, this.#b.field.value));
    this.#b = select("with", "moved-b", (value) => told.pair(this.#a.field.value, value));
    this.#pair = h("div", { class: "lb-sp-row" }, this.#a.element, this.#b.element);
    this.element = h(
      "section",
      { class: "lb-sp-inside", "aria-label": "Which classes moved", "data-testid": "space-moved" },
      h("header", {}, h("h2", {}, "Which classes moved"), this.#pair),
      this.#text,
      this.#rows,
      this.#more,
      this.#cka,
      this.#meaning,
    );
  }

  /** @param {Seen} seen */
  draw(seen) {
    this.#seen = seen;
    const { arms, pair, trouble } = seen;
    const found = seen.found?.a === pair?.[0] && seen.found?.b === pair?.[1] ? seen.found : null; // of this pair
    this.#pair.hidden = !pair;
    if (pair) {
      const options = Object.fromEntries(arms.map((arm) => [arm, arm]));
      [this.#a, this.#b].forEach(({ field }, at) => {
        fill(field, options);
        field.value = pair[at];
      });
    }
    for (const part of [this.#rows, this.#more, this.#cka, this.#meaning]) part.hidden = !found;
    if (!found) {
      const alone = "Two arms are compared, and only one has a snapshot of this seed.";
      setText(this.#text, pair ? trouble || "Comparing …" : alone);
      return;
    }
    setText(
      this.#text,
      `Share of each sample's ${found.k} nearest neighbours at epoch ${found.epoch} that both arms have; the class that moved most first. ` +
        `All samples: ${share(found.kept)}; two random spaces would keep ${share(found.chance)}.`,
    );
    this.#drawRows(seen, found);
    this.#drawCka(found);
  }

  /** @param {Seen} seen @param {Moved} found */
  #drawRows({ samples, dark }, found) {
    const shown = this.#all ? found.classes : found.classes.slice(0, FIRST);
    const focused = this.#rows.contains(document.activeElement) && document.activeElement?.getAttribute("data-label");
    this.#rows.replaceChildren(
      ...shown.map(({ label, n, kept }) => {
        const name = className(samples, label);
        const said = `${name}: ${share(kept)} of the neighbours kept, ${n} samples. Select the class`;
        const row = { type: "button", title: said, "aria-label": said, "data-label": label };
        const button = h(
          "button",
          { ...row, onclick: () => this.#told.class(label) },
          h("span", {}, sign(groupStyle(label, dark), dark), name),
          h("i", {}, h("i", { style: `width: ${100 * kept}%` })),
          h("b", {}, share(kept)),
          h("small", {}, `${n.toLocaleString("en")} samples`),
        );
        return h("div", { role: "listitem" }, button);
      }),
    );
    const rest = found.classes.length - FIRST;
    this.#more.hidden = this.#all || rest <= 0;
    setText(this.#more, `Show all ${found.classes.length} classes`);
    if (focused) /** @type {HTMLElement|null} */ (this.#rows.querySelector(`[data-label="${focused}"]`))?.focus();
  }

  /** @param {Moved} found */
  #drawCka({ cka, cka_biased: biased, among }) {
    const [own, plain] = [cka, biased].map((value) => (value == null ? "not defined" : value.toFixed(3)));
    this.#cka.replaceChildren(
      "Linear CKA ",
      h("strong", {}, own),
      h("span", { class: "lb-sp-quiet" }, ` debiased, over ${among.toLocaleString("en")} samples; ${plain} by the formula of Kornblith et al. 2019`),
    );
    setText(
      this.#meaning,
      "1: both spaces are the same up to a rotation, a shift and one scale. 0: nothing in common. It follows the directions of most variance, " +
        "so two spaces can be alike by it and still have other neighbours. With few samples for the dimensions the formula's own value is too high; the debiased one may fall a little below 0.",
    );
  }

  #showAll() {
    this.#all = true;
    if (this.#seen) this.draw(this.#seen);
    /** @type {HTMLElement|null} */ (this.#rows.querySelector(`:nth-child(${FIRST + 1}) button`))?.focus();
  }
}

/** @param {number} value 0..1 */
function share(value) {
  return `${(100 * value).toFixed(0)} %`;
}
