/** One arm's panel: its points, and what pointer and keys do there. */
import { h, setAttribute, setText, swatch } from "../../live/js/dom.js";
import { Points } from "./canvas.js";
import { lasso, ring } from "./overlay.js";
import { closest, Grid, inside, next } from "./pick.js";

/** @typedef {{name: string, color: string, dash: string}} Arm */
/** @typedef {"replace"|"add"|"remove"} How */
/**
 * @typedef {Object} Host what a panel tells; samples by their number, -1 for none
 * @property {(panel: Panel, sample: number) => void} hover
 * @property {(sample: number) => void} choose
 * @property {(samples: number[], how: How, began: number) => void} lasso began: when the button was released
 * @property {(factor: number, x: number, y: number) => void} zoom
 * @property {(dx: number, dy: number) => void} move
 * @property {() => void} reset
 * @property {() => void} escape
 * @property {(arm: string) => void} shade shade where points are dense, or no more
 * @property {() => boolean} moves whether a drag moves the view, or draws a lasso
 */

const REACH = 10; // pixels from the pointer to a point that is meant
const CLICK = 4; // a drag of fewer pixels is a click
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Panel {
  #host;
  #canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { tabindex: "0", role: "application" }));
  #title = h("h2");
  #count = h("small");
  #density = h(
    "button",
    {
      type: "button",
      class: "lb-sp-density",
      title: "Shade where this panel's points are dense",
      onclick: () => this.#host.shade(this.arm),
    },
    "Density",
  );
  #note = h("p", { class: "lb-sp-note", hidden: true });
  #card = h("div", { class: "lb-sp-card", hidden: true });
  /** @type {[number, number][]|null} */
  #outline = null;
  /** @type {{x: number, y: number, moving: boolean, far: boolean}|null} */
  #drag = null;
  /** @type {Grid|null} */
  #grid = null;

  /** @param {number} place @param {Host} host */
  constructor(place, host) {
    this.#host = host;
    this.arm = "";
    this.width = 0;
    this.height = 0;
    this.hovered = -1; // under the pointer here or in another panel
    this.world = new Float32Array(0);
    this.places = { x: new Float32Array(0), y: new Float32Array(0), depth: new Float32Array(0) };
    this.points = new Points(this.#canvas);
    this.field = h("div", { class: "lb-sp-field" }, this.#canvas, this.#note, this.#card);
    this.element = h(
      "section",
      { class: "lb-sp-panel", "data-testid": `space-panel-${place}` },
      h("header", {}, this.#title, h("span", {}, this.#count, this.#density)),
      this.field,
    );
    this.#listen();
  }

  /** Whose panel it is. @param {Arm} arm @param {string} count what is shown of how much */
  name(arm, count) {
    this.arm = arm.name;
    this.#title.replaceChildren(swatch(arm.color, arm.dash), h("span", { title: arm.name }, arm.name));
    setText(this.#count, count);
    setAttribute(this.element, "aria-label", arm.name);
    setAttribute(this.#density, "aria-label", `Density shading of ${arm.name}`);
    this.element.style.setProperty("--arm", arm.color);
    const keys = "Arrow keys go from sample to sample, Enter looks inside, Escape clears.";
    setAttribute(this.#canvas, "aria-label", `${arm.name}, ${count}. ${keys}`);
  }

  /** @param {boolean} on whether it is shaded */
  set shaded(on) {
    setAttribute(this.#density, "aria-pressed", String(on));
  }

  /** A text in place of points; none for an empty one. @param {string} text */
  note(text) {
    setText(this.#note, text);
    this.#note.hidden = !text;
    this.#canvas.hidden = Boolean(text);
  }

  /** Make room for so many points. @param {number} n @param {number} axes */
  reserve(n, axes) {
    if (this.world.length !== n * axes) this.world = new Float32Array(n * axes);
    if (this.places.x.length === n) return;
    this.places = { x: new Float32Array(n), y: new Float32Array(n), depth: new Float32Array(n) };
  }

  /** The points stand elsewhere now. */
  moved() {
    this.#grid = null;
  }

  /** Put the points on the screen, with rings. @param {number} chosen sample, -1 for none
   * @param {import("./overlay.js").Look} look @param {(context: any) => void} below */
  show(chosen, look, below) {
    const { hovered } = this;
    const { x, y } = this.places;
    this.points.show((context) => {
      below(context);
      if (chosen >= 0) ring(context, x[chosen], y[chosen], 9, look, true);
      if (hovered >= 0 && hovered !== chosen) ring(context, x[hovered], y[hovered], 7.5, look, false);
      if (this.#outline) lasso(context, this.#outline, look);
    });
    setAttribute(this.#canvas, "data-hovered", hovered >= 0 ? hovered : null);
  }

  /** The card beside a sample. @param {number} sample @param {Node|null} content */
  card(sample, content) {
    this.#card.hidden = !content;
    if (!content) return;
    this.#card.replaceChildren(content);
    const [x, y] = [this.places.x[sample], this.places.y[sample]];
    const [wide, high] = [this.#card.offsetWidth, this.#card.offsetHeight];
    const left = x + 16 + wide <= this.width ? x + 16 : Math.max(4, x - 16 - wide);
    const top = Math.min(Math.max(4, y - high / 2), Math.max(4, this.height - high - 4));
    this.#card.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }

  #listen() {
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#pointed(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", () => this.#dropped());
    canvas.addEventListener("pointerleave", () => this.#drag || this.#host.hover(this, -1));
    canvas.addEventListener("dblclick", () => this.#host.reset());
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#host.hover(this, -1));
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button > 1) return;
    this.#canvas.setPointerCapture(event.pointerId);
    const moving = this.#host.moves() !== event.shiftKey || event.button === 1;
    this.#drag = { x: event.offsetX, y: event.offsetY, moving, far: false };
    if (!moving) this.#outline = [[event.offsetX, event.offsetY]];
  }

  /** @param {PointerEvent} event */
  #pointed({ offsetX, offsetY }) {
    const drag = this.#drag;
    if (!drag) {
      this.#host.hover(this, this.#at(offsetX, offsetY, REACH));
      return;
    }
    const [dx, dy] = [offsetX - drag.x, offsetY - drag.y];
    if (!drag.far && Math.hypot(dx, dy) < CLICK) return;
    if (!drag.far) this.#host.hover(this, -1);
    drag.far = true;
    if (drag.moving) this.#host.move(dx, dy);
    else this.#outline?.push([offsetX, offsetY]);
    if (!drag.moving) this.#host.hover(this, -1); // draws what lies above the points once more
    [drag.x, drag.y] = [offsetX, offsetY];
  }

  /** @param {PointerEvent} event */
  #up({ offsetX, offsetY, ctrlKey, metaKey, altKey, timeStamp }) {
    const [drag, outline] = [this.#drag, this.#outline];
    this.#dropped();
    if (!drag) return;
    if (!drag.far) {
      const sample = this.#at(offsetX, offsetY, REACH);
      if (sample >= 0) this.#host.choose(sample);
    } else if (outline) {
      const how = altKey ? "remove" : ctrlKey || metaKey ? "add" : "replace";
      this.#host.lasso(inside(this.places.x, this.places.y, outline), how, timeStamp);
    }
  }

  #dropped() {
    this.#drag = this.#outline = null;
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.#host.zoom(Math.exp(-event.deltaY * lines * 0.0016), event.offsetX, event.offsetY);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { x, y } = this.places;
    const { hovered } = this;
    const step = STEPS[/** @type {keyof typeof STEPS} */ (event.key)];
    if (step && x.length) {
      const from = hovered < 0 ? -1 : next(x, y, hovered, step[0], step[1]);
      this.#host.hover(this, from < 0 ? closest(x, y, this.width / 2, this.height / 2) : from);
    } else if (event.key === "Enter" && hovered >= 0) this.#host.choose(hovered);
    else if (event.key === "Escape") {
      this.#host.hover(this, -1);
      this.#host.escape();
    }
    else if (event.key === "+" || event.key === "=") this.#host.zoom(1.25, this.width / 2, this.height / 2);
    else if (event.key === "-") this.#host.zoom(0.8, this.width / 2, this.height / 2);
    else if (event.key === "0") this.#host.reset();
    else return;
    event.preventDefault();
  }

  /** @param {number} px @param {number} py @param {number} reach */
  #at(px, py, reach) {
    const { x, y } = this.places;
    this.#grid ??= new Grid(x, y, this.width, this.height);
    return this.#grid.nearest(px, py, reach);
  }
}
