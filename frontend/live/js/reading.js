/** What the viewer reads off a chart: values of all arms, at the crosshair or the newest ones, and
 * the arms' names at the ends of their lines. */
import { h, setAttribute, setText } from "./dom.js";
import { number } from "./format.js";
import { LineLabels, planned } from "./labels.js";
import { endValue, nearestPlace, valuesAt } from "./lookup.js";
import { Values } from "./values.js";

/** @typedef {import("./figure.js").Arm} Arm */
/** @typedef {import("./lookup.js").Line} Line */
/** @typedef {{arms: Arm[], newest: Map<string, number>, axis: "step"|"epoch"|"time",
 *   smoothed: boolean, width: number, height: number, font: string}} Drawn arms: the visible ones;
 *   sizes of the chart */

export const MARGIN = { l: 46, r: 12, t: 6, b: 22 }; // of the axes within a chart
export const AXES = { step: "step", epoch: "epoch", time: "training time (s)" };
const MOST_SEEDS = 3; // of single seeds that are told one by one; of more the lowest and the highest

export class Reading {
  #chart;
  #label;
  #values = new Values();
  #labels = new LineLabels();
  #cross = h("div", { class: "lb-cross", hidden: true });
  /** @type {Map<string, Line[]>} by arm */
  #lines = new Map();
  /** @type {Drawn|undefined} */
  #drawn;
  /** @type {{names: Map<string, string>, room: number}|null} */
  #plan = null;
  #planned = "";
  /** @type {number|null} */
  #at = null;
  /** @type {string|undefined} */
  #marked;

  /** @param {any} chart the element that Plotly draws into @param {string} label of the metric @param {HTMLElement} note */
  constructor(chart, label, note) {
    this.#chart = chart;
    this.values = this.#values.element;
    this.axis = h("p", { class: "lb-axis" });
    this.#label = `${label}: values, read with the arrow keys`;
    this.plot = h("div", { class: "lb-plot" }, chart, this.#labels.element, this.#cross, note);
  }

  /** Room at the right of the axes, in pixels. */
  get room() {
    return this.#plan?.room ?? MARGIN.r;
  }

  /** Take what is about to be drawn. @param {Object[]} data traces @param {Drawn} drawn */
  take(data, drawn) {
    this.#drawn = drawn;
    this.#lines = new Map();
    for (const { meta, visible, x, y } of data) {
      if (!meta || !visible) continue;
      if (!this.#lines.has(meta)) this.#lines.set(meta, []);
      this.#lines.get(meta).push({ x, y });
    }
    const { arms, width, height, font } = drawn;
    const key = JSON.stringify([this.#lines.size > 0, arms.map(({ name }) => name), width, height, font]);
    if (key === this.#planned) return; // texts are measured once, not at every redraw
    this.#planned = key;
    const room = height - MARGIN.t - MARGIN.b;
    this.#plan = this.#lines.size ? planned(arms, width, room, font) : null;
  }

  /** Draw all anew: Plotly has drawn what was taken last. */
  redraw() {
    this.#showLabels();
    this.#show();
    const told = this.#lines.size > 0;
    const [from, to] = this.span;
    const slider = { role: "slider", tabindex: 0, "aria-label": this.#label };
    const values = { "aria-valuemin": from, "aria-valuemax": to, "aria-valuenow": this.#at ?? to };
    for (const [name, value] of Object.entries({ ...slider, ...values })) {
      setAttribute(this.plot, name, told ? value : null);
    }
  }

  /**
   * Tell the values at a place, or the newest ones again.
   * @param {number|null} at null for the newest @param {string} [marked] the arm that is pointed at
   */
  showAt(at, marked) {
    this.#at = at;
    this.#marked = marked;
    if (this.#chart._fullLayout) this.#show();
  }

  /** What of the horizontal axis is shown. @returns {[number, number]} */
  get span() {
    return this.#chart._fullLayout?.xaxis.range ?? [0, 1];
  }

  /**
   * The place at which the pointer is: along x as on the axis, along y in pixels from the top.
   * @param {number} clientX @param {number} clientY @returns {{x: number, y: number}|null}
   */
  pointed(clientX, clientY) {
    if (!this.#chart._fullLayout || !this.#lines.size) return null;
    const box = this.plot.getBoundingClientRect();
    const share = (clientX - box.left - MARGIN.l) / this.#inner.width;
    if (share < -0.01 || share > 1.01) return null;
    const [from, to] = this.span;
    return { x: from + share * (to - from), y: clientY - box.top - MARGIN.t };
  }

  /** The arm whose line is nearest to a point. @param {number} at @param {number} y in pixels from the top */
  armNear(at, y) {
    const place = this.#placeAt(at) ?? at;
    let [found, least] = [undefined, Infinity];
    for (const [arm, lines] of this.#lines) {
      for (const value of valuesAt(lines, place)) {
        const far = Math.abs(this.#pixel(value) - y);
        if (far < least) [found, least] = [arm, far];
      }
    }
    return found;
  }

  /** Size of the area within the axes, in pixels. */
  get #inner() {
    const { width, height } = this.#drawn;
    return {
      width: Math.max(1, width - MARGIN.l - this.room),
      height: height - MARGIN.t - MARGIN.b,
    };
  }

  /** Pixels of a value from the top of the axes. @param {number} value */
  #pixel(value) {
    const { type, range } = this.#chart._fullLayout.yaxis;
    const at = type === "log" ? Math.log10(Math.max(value, 1e-300)) : value;
    return (1 - (at - range[0]) / (range[1] - range[0])) * this.#inner.height;
  }

  /** The place nearest to another at which a line has a point. @param {number} at */
  #placeAt(at) {
    return nearestPlace([...this.#lines.values()].flat(), at);
  }

  #show() {
    const { arms, axis, newest, smoothed } = this.#drawn;
    const pointing = this.#at !== null && this.#lines.size > 0;
    const place = pointing ? this.#placeAt(this.#at) : undefined;
    const texts = pointing
      ? this.#textsAt(place)
      : new Map([...newest].map(([arm, value]) => [arm, number(value)]));
    this.#values.draw(this.#lines.size ? arms : [], texts, pointing ? this.#marked : undefined);
    const at = place === undefined ? AXES[axis] : placeText(axis, place);
    setText(this.axis, place !== undefined && smoothed ? `${at} · smoothed` : at);
    this.#cross.hidden = !pointing;
    if (!pointing) {
      setAttribute(this.plot, "aria-valuetext", null);
      return;
    }
    const [from, to] = this.span;
    const left = MARGIN.l + (((place ?? this.#at) - from) / (to - from)) * this.#inner.width;
    this.#cross.style.transform = `translateX(${Math.round(left)}px)`;
    this.#cross.style.height = `${this.#inner.height}px`;
    setAttribute(this.plot, "aria-valuenow", place ?? this.#at);
    const told = arms.map(({ name }) => `${name} ${texts.get(name) ?? "no value"}`).join(", ");
    setAttribute(this.plot, "aria-valuetext", `${this.axis.textContent}: ${told}`);
  }

  /** @param {number|undefined} place @returns {Map<string, string>} by arm */
  #textsAt(place) {
    const texts = new Map();
    if (place === undefined) return texts;
    for (const [arm, lines] of this.#lines) {
      const values = valuesAt(lines, place);
      const many = values.length > MOST_SEEDS;
      const told = many ? [Math.min(...values), Math.max(...values)] : values;
      if (told.length) texts.set(arm, told.map(number).join(many ? " … " : " "));
    }
    return texts;
  }

  #showLabels() {
    if (!this.#plan) {
      this.#labels.clear();
      return;
    }
    const { names } = this.#plan;
    const [from, to] = this.span;
    const ends = this.#drawn.arms.flatMap((arm) => {
      const value = endValue(this.#lines.get(arm.name) ?? [], from, to);
      return value === undefined ? [] : [{ arm, text: names.get(arm.name), at: this.#pixel(value) }];
    });
    const { width, height } = this.#inner;
    this.#labels.draw(ends, MARGIN.t, height, MARGIN.l + width + 2);
  }
}

/** A place along x, as "step 1,240". @param {Drawn["axis"]} axis @param {number} place */
export function placeText(axis, place) {
  if (axis === "step") return `step ${Math.round(place).toLocaleString("en")}`;
  return axis === "epoch" ? `epoch ${number(place)}` : `${number(place)} s of training`;
}
