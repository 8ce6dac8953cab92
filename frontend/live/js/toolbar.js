/** The viewer's choices: which arms, which axis, mean or seeds, how smooth. */
import { h, setAttribute, swatch } from "./dom.js";
import { shortened } from "./names.js";
import { SMOOTHINGS } from "./options.js";
import { isZoomed, WHOLE } from "./zoom.js";

/** @typedef {import("./options.js").Options} Options */

const LONGEST = 26; // characters of a name
const MANY_ARMS = 6; // from here on names are shorter, so that two rows hold them

export class Toolbar {
  #onChange;
  #legend = h("div", { class: "lb-legend", role: "group", "aria-label": "Arms" });
  #choices = h("div", { class: "lb-choices" });

  /** @param {(change: Partial<Options>, step?: boolean) => void} onChange step: whether Back undoes it */
  constructor(onChange) {
    this.#onChange = onChange;
    this.element = h("div", { class: "lb-toolbar" }, this.#legend, this.#choices);
  }

  /** @param {import("./figure.js").Arm[]} arms @param {Options} options */
  draw(arms, options) {
    const focused = this.element.contains(document.activeElement) && document.activeElement;
    const many = arms.length > MANY_ARMS;
    const names = shortened(arms.map(({ name }) => name), many ? LONGEST - 10 : LONGEST);
    setAttribute(this.#legend, "data-many", many);
    const scrolled = this.#legend.scrollTop;
    this.#legend.replaceChildren(
      ...arms.map((arm) => this.#armButton(arm, names.get(arm.name), options)),
    );
    this.#legend.scrollTop = scrolled;
    this.#choices.replaceChildren(
      this.#choice("x", "Along", options.x, { step: "step", epoch: "epoch", time: "time" }),
      this.#choice("seeds", "Seeds", options.seeds, { mean: "mean ± 95 %", each: "each" }),
      this.#smoothing(options.smooth),
      this.#zoomOut(options),
    );
    if (!focused) return;
    const name = CSS.escape(focused.getAttribute("data-testid") ?? ""); // keeps its place for the keyboard
    const same = this.element.querySelector(`[data-testid="${name}"]`) ?? this.#choices.querySelector("select");
    /** @type {HTMLElement} */ (same).focus();
  }

  /** @param {import("./figure.js").Arm} arm @param {string} text @param {Options} options */
  #armButton(arm, text, { hide }) {
    const shown = !hide.includes(arm.name);
    const next = shown ? [...hide, arm.name] : hide.filter((name) => name !== arm.name);
    return h(
      "button",
      {
        type: "button",
        class: "lb-chip",
        "aria-pressed": String(shown),
        "aria-label": arm.name,
        "data-testid": `arm-${arm.name}`,
        title: shown ? `Hide ${arm.name}` : `Show ${arm.name}`,
        onclick: () => this.#onChange({ hide: next }),
      },
      swatch(arm.color, arm.dash),
      text,
    );
  }

  /**
   * @param {"x"|"seeds"} name @param {string} label @param {string} chosen
   * @param {Record<string, string>} choices
   */
  #choice(name, label, chosen, choices) {
    const buttons = Object.entries(choices).map(([value, text]) =>
      h(
        "button",
        {
          type: "button",
          "aria-pressed": String(value === chosen),
          "data-testid": `${name}-${value}`,
          onclick: () => this.#onChange({ [name]: value }),
        },
        text,
      ),
    );
    const group = h("span", { class: "lb-segments", role: "group", "aria-label": label });
    group.append(...buttons);
    return h("span", { class: "lb-choice" }, h("span", {}, label), group);
  }

  /** @param {Options} options */
  #zoomOut({ zoom }) {
    if (!isZoomed(zoom)) return h("span", { hidden: true });
    const onclick = () => this.#onChange({ zoom: WHOLE }, true);
    const title = "Show the whole range in every panel";
    const attributes = { type: "button", class: "lb-small", "data-testid": "zoom-out", title, onclick };
    return h("button", attributes, "reset zoom");
  }

  /** @param {number} chosen */
  #smoothing(chosen) {
    const values = [...new Set([...SMOOTHINGS, chosen])].sort((a, b) => a - b);
    const select = h(
      "select",
      {
        "data-testid": "smooth",
        "aria-label": "Smoothing",
        onchange: () => this.#onChange({ smooth: Number(select.value) }),
      },
      ...values.map((value) => h("option", { value }, value ? value.toFixed(2) : "off")),
    );
    setAttribute(select, "value", chosen);
    select.value = String(chosen);
    const title =
      "Debiased exponential average of the curves that are logged at each step: the share of the " +
      "past that each point keeps. The raw curve stays behind it.";
    return h("label", { class: "lb-choice", title }, h("span", {}, "Smooth"), select);
  }
}
