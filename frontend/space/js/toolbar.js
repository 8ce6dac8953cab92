/** The viewer's choices: arms, seed, method, colour, what a drag does, and the epoch. */
import { h, setAttribute, setText, swatch } from "../../live/js/dom.js";
import { saveMenu } from "../../pictures/js/menu.js";
import { METHODS } from "./choices.js";
import { drawnSpace, pictureNames } from "./drawing.js";

/** @typedef {import("./choices.js").Choices} Choices */
/** @typedef {import("./panel.js").Arm} Arm */
/**
 * @typedef {Object} Shown
 * @property {Arm[]} arms all of the comparison @property {string[]} shown names
 * @property {string[]} absent names of those without a snapshot
 * @property {number[]} seeds @property {Choices} choices
 * @property {import("./source.js").Samples} samples @property {boolean} moves
 * @property {boolean} listens
 * @property {string|null} download address of the coordinates, once there are any
 */
/**
 * @typedef {Object} Told
 * @property {(change: Partial<Choices>) => void} change
 * @property {(moves: boolean) => void} drag @property {() => void} reset
 * @property {() => any} scene what a saved picture shows
 * @property {() => void} frame @property {(wanted: boolean) => void} listen
 */

const LEAST = 2; // panels, where there are as many
const MOST = 4; // panels at once
const COLOURS = {
  class: "class",
  fine: "fine label",
  correct: "correctness",
  distance: "distance to centroid",
  modality: "modality",
};

export class Toolbar {
  #told;
  #legend = h("div", { class: "lb-legend", role: "group", "aria-label": "Arms shown" });
  #limit = h("span", { class: "lb-sp-quiet" });
  #seed;
  #method;
  #colour;
  #dims;
  #drag;
  #sound;
  /** @type {{colour: Choices["colour"], density: string[]}} */
  #choices = { colour: "class", density: [] };
  #download = h("a", { class: "lb-sp-button", download: "" }, "Coordinates (CSV)");

  /** @param {Told} told */
  constructor(told) {
    this.#told = told;
    this.#seed = select("Seed", "seed", (value) => told.change({ seed: Number(value) }));
    this.#method = select("Method", "method", (value) => told.change({ method: value }));
    this.#colour = select("Colour by", "colour", (value) => told.change({ colour: value }));
    this.#dims = segments("Axes", "dims", { 2: "2-D", 3: "3-D" }, (value) =>
      told.change({ dims: value === "3" ? 3 : 2 }),
    );
    this.#drag = segments("Drag", "drag", { select: "selects", move: "moves" }, (value) =>
      told.drag(value === "move"),
    );
    this.#sound = segments("Sound", "sound", { on: "on hover", off: "off" }, (value) =>
      told.listen(value === "on"),
    );
    fill(this.#method.field, METHODS);
    this.element = h(
      "div",
      { class: "lb-sp-tools" },
      h("div", { class: "lb-sp-row" }, this.#legend, this.#limit),
      h(
        "div",
        { class: "lb-sp-row" },
        ...[this.#method, this.#dims, this.#colour, this.#seed, this.#drag, this.#sound].map(({ element }) => element),
        button("Whole view", "Show all points of all epochs from the front (0)", told.reset),
        button("Fit this epoch", "Zoom to where the points are at this epoch", told.frame),
        this.#download,
        ...saveMenu(
          () => pictureNames(this.#comparison, this.element ? told.scene().epoch : 0),
          async (size) => told.scene().stage && drawnSpace(size, { ...told.scene(), ...this.#drawn }),
          "lb-sp-button",
        ),
      ),
    );
  }

  get #comparison() {
    return this.element?.dataset.comparison ?? ""; // the menu asks while the toolbar is being made
  }

  get #drawn() {
    const { colour, density } = this.#choices;
    return { comparison: this.#comparison, colour, density };
  }

  /** @param {Shown} shown */
  draw({ arms, shown, absent, seeds, choices, samples, moves, listens, download }) {
    this.#choices = choices;
    this.#drawArms(arms, shown, absent);
    fill(this.#seed.field, Object.fromEntries(seeds.map((seed) => [seed, String(seed)])));
    this.#seed.field.value = String(choices.seed ?? seeds[0]);
    this.#seed.element.hidden = seeds.length < 2;
    this.#method.field.value = choices.method;
    const { fine, modality } = samples;
    const known = Object.entries(COLOURS).filter(([name]) => {
      return (name !== "fine" || fine) && (name !== "modality" || modality);
    });
    fill(this.#colour.field, Object.fromEntries(known));
    this.#colour.field.value = choices.colour;
    this.#dims.choose(String(choices.dims));
    this.#drag.label("move", choices.dims === 3 ? "turns" : "moves");
    this.#drag.choose(moves ? "move" : "select");
    this.#sound.element.hidden = !samples.sounds;
    this.#sound.choose(listens ? "on" : "off");
    setAttribute(this.#download, "href", download);
    setAttribute(this.#download, "aria-disabled", String(!download));
  }

  /** @param {Arm[]} arms @param {string[]} shown @param {string[]} absent */
  #drawArms(arms, shown, absent) {
    const focused = this.#legend.contains(document.activeElement) && document.activeElement;
    const testid = focused && focused.getAttribute("data-testid");
    const least = Math.min(LEAST, arms.length - absent.length);
    this.#legend.replaceChildren(
      ...arms.map(({ name, color, dash }) => {
        const on = shown.includes(name);
        const fixed = absent.includes(name) || (on ? shown.length <= least : shown.length >= MOST);
        const others = shown.filter((other) => other !== name);
        const next = arms.map((arm) => arm.name).filter((each) => others.includes(each) || (!on && each === name));
        const why = absent.includes(name) ? "has no snapshot of this seed yet" : on ? "is shown" : "is not shown";
        return h(
          "button",
          {
            type: "button",
            class: "lb-chip",
            title: `${name} ${why}`,
            "aria-pressed": String(on),
            "aria-disabled": String(fixed),
            "data-testid": `space-arm-${name}`,
            onclick: () => fixed || this.#told.change({ arms: next }),
          },
          swatch(color, dash),
          name,
        );
      }),
    );
    const many = arms.length - absent.length > MOST;
    setText(this.#limit, many ? `${shown.length} of ${arms.length} arms, ${MOST} at once at most` : "");
    if (testid) this.#legend.querySelector(`[data-testid="${CSS.escape(testid)}"]`)?.focus();
  }
}

/** The arms that are shown: those wanted, or the first. @param {Arm[]} there with snapshots
 * @param {string[]} wanted names @returns {Arm[]} */
export function shownArms(there, wanted) {
  const found = there.filter(({ name }) => wanted.includes(name));
  return (found.length >= Math.min(LEAST, there.length) ? found : there).slice(0, MOST);
}

/** @param {string} text @param {string} title @param {() => void} onclick */
function button(text, title, onclick) {
  return h("button", { type: "button", class: "lb-sp-button", title, onclick }, text);
}

/** @param {string} label @param {string} name @param {(value: any) => void} change */
export function select(label, name, change) {
  const field = /** @type {HTMLSelectElement} */ (
    h("select", { "aria-label": label, "data-testid": `space-${name}`, onchange: () => change(field.value) })
  );
  return { field, element: h("label", { class: "lb-choice" }, h("span", {}, label), field) };
}

/** @param {HTMLSelectElement} field @param {Record<string, string>} options */
export function fill(field, options) {
  const wanted = JSON.stringify(options);
  if (field.dataset.options === wanted) return;
  field.dataset.options = wanted;
  field.replaceChildren(...Object.entries(options).map(([value, text]) => h("option", { value }, text)));
}

/** @param {string} label @param {string} name @param {Record<string, string>} options
 * @param {(value: string) => void} change */
export function segments(label, name, options, change) {
  const buttons = Object.entries(options).map(([value, text]) =>
    h("button", { type: "button", "data-testid": `space-${name}-${value}`, onclick: () => change(value) }, text),
  );
  const group = h("span", { class: "lb-segments", role: "group", "aria-label": label }, ...buttons);
  const at = (/** @type {string} */ value) => buttons[Object.keys(options).indexOf(value)];
  return {
    element: h("span", { class: "lb-choice" }, h("span", {}, label), group),
    choose: (/** @type {string} */ chosen) =>
      Object.keys(options).forEach((value) => setAttribute(at(value), "aria-pressed", String(value === chosen))),
    label: (/** @type {string} */ value, /** @type {string} */ text) => setText(at(value), text),
  };
}
