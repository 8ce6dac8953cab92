/** Notices of runs, a line each that opens to its full text; of many the first ones, and a button. */
import { h, setAttribute, setText } from "./dom.js";
import { counted } from "./format.js";

/** @typedef {{attributes: Record<string, any>, head: string, texts: string[], cause: string}} Notice */

const FEW = 2;

export class Notices {
  #attributes;
  #noun;
  #drawn = "";
  #all = false;
  /** @type {HTMLDetailsElement[]} */
  #lines = [];
  #more = h("button", { type: "button", class: "lb-small lb-more-notices", onclick: () => this.#turn() });

  /** @param {Record<string, any>} attributes of the list @param {string} noun what a line is about */
  constructor(attributes, noun) {
    this.#attributes = attributes;
    this.#noun = noun;
    this.element = h("div", attributes);
  }

  /** @param {Notice[]} notices the most serious first */
  draw(notices) {
    const key = JSON.stringify(notices);
    if (key === this.#drawn) return;
    this.#drawn = key;
    const before = new Map(this.#lines.map((line) => [line.dataset.head, line]));
    const focused = /** @type {HTMLElement|null} */ (this.element.contains(document.activeElement) ? document.activeElement : null);
    this.#lines = notices.map(({ attributes, head, texts, cause }) =>
      h(
        "details",
        { ...attributes, class: `lb-notice ${attributes.class}`, "data-head": head, open: before.get(head)?.open },
        h(
          "summary",
          {},
          h("strong", {}, head),
          ...texts.filter(Boolean).map((text) => h("span", {}, text)),
          cause ? h("span", { class: "lb-cause" }, cause) : null,
        ),
      ),
    );
    this.element.replaceChildren(...this.#lines);
    if (this.#lines.length > FEW + 1) this.element.append(this.#more);
    this.#show();
    if (!focused) return; // else what had the focus was drawn anew
    const head = focused.closest("details")?.dataset.head;
    const line = this.#lines.find((each) => each.dataset.head === head);
    (line?.querySelector("summary") ?? this.#more).focus({ preventScroll: true });
  }

  #turn() {
    this.#all = !this.#all;
    this.#show();
  }

  #show() {
    const beyond = this.#lines.length > FEW + 1 ? this.#lines.slice(FEW) : [];
    for (const line of beyond) line.hidden = !this.#all;
    setAttribute(this.#more, "aria-expanded", String(this.#all));
    setText(this.#more, this.#all ? "Fewer" : `${counted(beyond.length, `more ${this.#noun}`)}`);
  }
}
