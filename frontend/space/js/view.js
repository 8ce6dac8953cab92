/** The panels as one: the same view, the same samples marked, drawn only where something changed. */
import { h } from "../../live/js/dom.js";
import { Camera } from "./camera.js";
import { radiusFor } from "./canvas.js";
import { plain } from "./colouring.js";
import { axes, roundLength, scaleBar } from "./overlay.js";
import { Panel } from "./panel.js";

/** @typedef {import("./panel.js").Arm} Arm */
/** @typedef {import("./panel.js").How} How */
/** @typedef {import("./canvas.js").Look} Look */
/** @typedef {import("./colouring.js").Colouring} Colouring */
/** @typedef {import("./stage.js").Stage} Stage */
/**
 * @typedef {Object} Told
 * @property {(sample: number) => void} hover @property {(sample: number) => void} choose
 * @property {(samples: number[], how: How, began: number) => void} lasso
 * @property {() => void} escape @property {(sample: number) => Node} describe
 * @property {(arm: string) => void} shade
 */

const WIDE = 960; // pixels of width from which all panels stand in one row
const NARROW = 400; // a panel's width below which its head needs two lines
const GAP = 12;
const [TALLEST, LOWEST] = [560, 220];
const [REST, OVERLAY, PAINT, PLACE] = [0, 1, 2, 3]; // how much is to be done anew

export class View {
  #told;
  /** @type {Panel[]} */
  #panels = [];
  #camera = new Camera();
  /** @type {Stage|null} */
  #stage = null;
  #time = 0;
  #moves = false;
  /** @type {Map<string, Colouring>} */
  #colourings = new Map();
  /** @type {string[]} */
  #shaded = [];
  /** @type {Uint8Array|null} */
  #selected = null;
  #hovered = -1;
  #chosen = -1;
  /** @type {Look} */
  #look;
  #due = REST;
  /** @type {number|undefined} */
  #frame;
  /** @type {(() => void)[]} */
  #after = [];
  #grid = h("div", { class: "lb-sp-grid" });
  #resized = new ResizeObserver(() => this.#resize());

  /** @param {Look} look @param {Told} told */
  constructor(look, told) {
    this.#look = look;
    this.#told = told;
    this.element = this.#grid;
    this.#resized.observe(this.#grid);
  }

  /** @param {Look} look */
  dress(look) {
    this.#look = look;
    this.#want(PAINT);
  }

  /** What a drag does without shift. @param {boolean} moves it moves the view; else it selects */
  set moves(moves) {
    this.#moves = moves;
    this.#grid.dataset.drag = moves ? "move" : "select";
  }

  /**
   * Show these arms of a stage.
   * @param {Stage} stage @param {Arm[]} arms @param {string} count
   * @param {boolean} anew forget zoom and rotation
   */
  load(stage, arms, count, anew) {
    this.#stage = stage;
    while (this.#panels.length < arms.length) this.#panels.push(this.#panel(this.#panels.length));
    const removed = this.#panels.splice(arms.length);
    for (const { element } of removed) element.remove();
    for (const { element } of this.#panels) if (!element.parentNode) this.#grid.append(element); // the others keep the focus
    arms.forEach((arm, at) => {
      const panel = this.#panels[at];
      panel.name(arm, count);
      panel.note(stage.has(arm.name) ? "" : "No snapshot of this seed that the other arms have too");
      panel.reserve(stage.has(arm.name) ? stage.n : 0, stage.axes);
    });
    const there = arms.map((arm) => arm.name).filter((name) => stage.has(name));
    if (anew) this.#camera.fit(stage.box(there));
    this.#resize();
    this.#want(PLACE);
  }

  /** @param {number} time place among the epochs */
  set time(time) {
    this.#time = time;
    this.#want(PLACE);
  }

  /** @param {Map<string, Colouring>} colourings by arm */
  set colourings(colourings) {
    this.#colourings = colourings;
    this.#want(PAINT);
  }

  /** @param {string[]} arms whose panels are shaded where points are dense */
  set shaded(arms) {
    this.#shaded = arms;
    for (const panel of this.#panels) panel.shaded = arms.includes(panel.arm);
    this.#want(PAINT);
  }

  /** @param {Uint8Array|null} selected 1 for a selected sample */
  set selected(selected) {
    this.#selected = selected;
    this.#want(PAINT);
  }

  /** @param {number} sample -1 for none */
  set chosen(sample) {
    this.#chosen = sample;
    this.#want(OVERLAY);
  }

  /** The whole of what is shown, from the front. */
  reset() {
    this.#camera.reset();
    this.#want(PLACE);
  }

  /** Zoom to where the samples are at this epoch. */
  frame() {
    const stage = this.#stage;
    if (!stage) return;
    const arms = this.#panels.map((panel) => panel.arm).filter((arm) => stage.has(arm));
    this.#camera.frame(stage.box(arms, this.#time));
    this.#want(PLACE);
  }

  /** Show the whole where one of these samples is out of sight in some panel. @param {number[]} samples */
  reveal(samples) {
    const away = this.#panels.some(({ places: { x, y }, width, height }) =>
      samples.some((at) => x[at] < 0 || y[at] < 0 || x[at] > width || y[at] > height),
    );
    if (away) this.reset();
  }

  /** What a saved picture shows too. */
  get scene() {
    const [stage, camera, time] = [this.#stage, this.#camera, this.#time];
    return { stage, camera, time, selected: this.#selected, chosen: this.#chosen, width: this.#grid.clientWidth };
  }

  /** Call back once, behind the next painting. @param {() => void} painted */
  whenPainted(painted) {
    this.#after.push(painted);
    this.#want(OVERLAY);
  }

  /** Take no more frames. */
  destroy() {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#resized.disconnect();
  }

  /** @param {number} place */
  #panel(place) {
    /** @type {Panel} */
    const panel = new Panel(place, {
      hover: (from, sample) => this.#hover(from, sample),
      choose: this.#told.choose,
      lasso: this.#told.lasso,
      zoom: (factor, x, y) => this.#zoom(factor, x, y, panel),
      move: (dx, dy) => this.#move(dx, dy, panel),
      reset: () => this.reset(),
      escape: this.#told.escape,
      shade: this.#told.shade,
      moves: () => this.#moves,
    });
    return panel;
  }

  /** @param {Panel} from @param {number} sample */
  #hover(from, sample) {
    this.#want(OVERLAY);
    if (sample === this.#hovered && sample < 0) return;
    this.#hovered = sample;
    const content = sample < 0 ? null : this.#told.describe(sample);
    for (const panel of this.#panels) {
      panel.hovered = sample;
      panel.card(sample, panel === from ? content : null);
    }
    this.#told.hover(sample);
  }

  /** @param {number} factor @param {number} x @param {number} y @param {Panel} panel */
  #zoom(factor, x, y, { width, height }) {
    this.#camera.zoomAt(factor, x, y, width, height);
    this.#want(PLACE);
  }

  /** @param {number} dx @param {number} dy @param {Panel} panel */
  #move(dx, dy, { width, height }) {
    if (this.#stage?.axes === 3) this.#camera.rotate(dx, dy);
    else this.#camera.pan(dx, dy, width, height);
    this.#want(PLACE);
  }

  /** All panels have one size, so that all have one scale. */
  #resize() {
    const whole = this.#grid.clientWidth;
    if (!whole || !this.#panels.length) return; // behind another tab
    const columns = Math.min(this.#panels.length, whole >= WIDE ? 4 : 2);
    const width = Math.floor((whole - GAP * (columns - 1)) / columns) - 2;
    const height = Math.round(Math.min(TALLEST, Math.max(LOWEST, width)));
    this.#grid.style.setProperty("--columns", String(columns));
    this.#grid.toggleAttribute("data-narrow", width < NARROW);
    for (const panel of this.#panels) {
      [panel.width, panel.height] = [width, height];
      panel.field.style.height = `${height}px`;
      panel.points.resize(width, height);
    }
    this.#want(PLACE);
  }

  /** @param {number} due */
  #want(due) {
    this.#due = Math.max(this.#due, due);
    this.#frame ??= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = undefined;
    const [due, stage] = [this.#due, this.#stage];
    this.#due = REST;
    if (!stage || !this.#panels[0]?.width) return; // drawn when there is room
    for (const panel of this.#panels.filter(({ arm }) => stage.has(arm))) {
      if (due >= PLACE) this.#place(panel, stage);
      if (due >= PAINT) this.#paint(panel, stage);
      panel.show(this.#chosen, this.#look, (context) => {
        this.#scale(context, panel, stage);
      });
    }
    const after = this.#after.splice(0);
    if (after.length) setTimeout(() => after.forEach((each) => each())); // the frame is out by then
  }

  /** @param {Panel} panel @param {Stage} stage */
  #place(panel, stage) {
    stage.at(panel.arm, this.#time, panel.world);
    this.#camera.place(panel.world, panel.width, panel.height, panel.places);
    panel.moved();
  }

  /** @param {Panel} panel @param {Stage} stage */
  #paint(panel, stage) {
    const { width, height } = panel;
    const flat = stage.axes === 2;
    panel.points.draw(
      panel.places,
      this.#colourings.get(panel.arm) ?? plain(stage.n, this.#look.dark),
      this.#selected,
      this.#look,
      {
        flat,
        shaded: this.#shaded.includes(panel.arm),
        radius: radiusFor(stage.n, width),
        step: flat ? roundLength(this.#camera.scale(width, height)).pixels : 0,
        origin: this.#camera.origin(width, height),
      },
    );
  }

  /** @param {CanvasRenderingContext2D} context @param {Panel} panel @param {Stage} stage */
  #scale(context, { width, height }, stage) {
    if (stage.axes === 3) axes(context, this.#camera.tips(), height, this.#look);
    else scaleBar(context, roundLength(this.#camera.scale(width, height)), height, this.#look);
  }
}
