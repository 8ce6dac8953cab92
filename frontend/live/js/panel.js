/** One metric's panel: heading, meaning, values, and one Plotly chart that lives on. */
import { ownAddress } from "./address.js";
import { h, setAttribute, setText } from "./dom.js";
import { extent, newest, traces } from "./figure.js";
import { AXES, MARGIN, Reading } from "./reading.js";
import { saveButtons } from "./save.js";
import { heightOf, liftBands, logTicks } from "./scale.js";
import {
  highest,
  means,
  trivialLabels,
  trivialLines,
  trivialTraces,
  underLoss,
} from "./trivial.js";
import { rangesOf, zoomedBy } from "./zoom.js";

/** @typedef {{key: string, label: string, unit: string, meaning: string, per_step: boolean,
 *   better: "higher"|"lower"|null, log: boolean}} Metric */
/** @typedef {{background: string, text: string, muted: string, grid: string, font: string}} Look */
/** @typedef {{arms: import("./figure.js").Arm[], runs: import("./figure.js").Run[],
 *   options: import("./options.js").Options, look: Look,
 *   data: import("./main.js").Data,
 *   clock: import("./store.js").Table|undefined, trivial: import("./store.js").Table|undefined,
 *   pull: import("./store.js").Table|undefined}} View */

const LOSS = "dynamics.loss";
const CONFIG = { displayModeBar: false, responsive: false, doubleClick: "autosize", showTips: false };
const HEIGHTS = { usual: 216, wide: 420 }; // of a chart
// Without prefixes such as "B" for 10^9.
const LINEAR = { type: "linear", nticks: 6, exponentformat: "power", minexponent: 4 };
const WAYS = { higher: "↑ higher is better", lower: "↓ lower is better" };

/** @typedef {{log: () => void, wide: () => void, pin: () => void,
 *   zoom: (zoom: import("./zoom.js").Zoom) => void}} Asked what the viewer asks of a panel */

export class Panel {
  #plotly;
  #metric;
  #asked;
  #chart;
  #note;
  #reading;
  #under = h("p", { class: "lb-under", hidden: true, "data-testid": "under-loss" });
  #log;
  #wide;
  #pin;
  #zoomOut;
  /** @type {View|undefined} */
  #view;
  #drawn = false;
  #drawing = Promise.resolve();

  /**
   * @param {any} plotly
   * @param {Metric} metric
   * @param {Asked} asked
   */
  constructor(plotly, metric, asked) {
    this.#plotly = plotly;
    this.#metric = metric;
    this.#asked = asked;
    const { key, label, unit, meaning, better } = metric;
    this.#chart = h("div", { class: "lb-chart", "data-testid": `chart-${key}` });
    this.#note = h("p", { class: "lb-note" }, "No values yet");
    const button = (/** @type {string} */ text, /** @type {Record<string, any>} */ attributes) =>
      h("button", { type: "button", class: "lb-small", ...attributes }, text);
    this.#log = button("log", { title: "Logarithmic scale", onclick: asked.log });
    this.#pin = button("pin", { "data-testid": `pin-${key}`, onclick: asked.pin });
    this.#zoomOut = button("reset zoom", { hidden: true, onclick: () => this.#resetZoom() });
    const title = { type: "button", class: "lb-title", "data-testid": `wide-${key}`, onclick: asked.wide };
    this.#wide = h("button", title, label, unit ? h("small", {}, ` (${unit})`) : null);
    this.#reading = new Reading(this.#chart, label, this.#note);
    this.element = h(
      "section",
      { class: "lb-panel", "data-testid": `panel-${key}`, "aria-label": label },
      h(
        "header",
        {},
        h("h3", {}, this.#wide),
        h(
          "span",
          { class: "lb-tools" },
          this.#zoomOut,
          metric.log ? this.#log : null,
          this.#pin,
          this.#help(),
        ),
      ),
      h(
        "p",
        { class: "lb-meaning", title: meaning },
        better ? h("span", { class: "lb-better" }, `${WAYS[better]} · `) : null,
        meaning,
      ),
      this.#reading.values,
      this.#reading.plot,
      h("footer", {}, this.#reading.axis, h("span", { class: "lb-tools" }, ...this.#saving())),
      key === LOSS ? this.#under : null,
    );
    this.width = 0;
  }

  /** What the viewer reads off the chart. */
  get reading() {
    return this.#reading;
  }

  get key() {
    return this.#metric.key;
  }

  /**
   * Draw what the table holds; zoom and the rest of the chart's state stay.
   * @param {import("./store.js").Table|undefined} table
   * @param {View} view
   * @param {string} emptyNote what to say while there are no points
   * @returns {Promise<void>} when Plotly has changed the document
   */
  draw(table, view, emptyNote) {
    this.#view = view;
    const { options, arms, runs } = view;
    const empty = !table || table.last < 0;
    setText(this.#note, emptyNote);
    this.#note.hidden = !empty;
    setAttribute(this.#note.parentElement, "data-empty", empty);
    setAttribute(this.element, "data-last-step", empty ? null : table.last);
    const logarithmic = options.log.includes(this.key);
    this.#showState(view, logarithmic);
    const perStep = this.#metric.per_step;
    const data = empty ? [] : traces(table, view.clock, arms, runs, options, perStep);
    const shown = extent(data, options.zoom.x);
    if (logarithmic && shown) liftBands(data, shown.smallest / 2);
    const lines = this.key === LOSS ? this.#trivial(view) : [];
    if (shown) {
      const width = Math.max(shown.x, options.zoom.x?.[1] ?? 0);
      data.push(...trivialTraces(lines, width, view.look.muted));
      shown.high = highest(shown.high, lines);
    }
    const drawn = arms.filter((arm) => !options.hide.includes(arm.name));
    this.#reading.take(data, {
      arms: drawn,
      newest: table ? newest(table, arms, runs) : new Map(),
      axis: options.x,
      smoothed: perStep && options.smooth > 0,
      width: this.width,
      height: this.#height,
      font: view.look.font,
    });
    const layout = this.#layout(view, logarithmic, shown);
    const near = lines.filter(({ value }) => logarithmic || value <= (shown?.high ?? 0));
    layout.annotations = shown
      ? trivialLabels(near, view.look.muted, logarithmic, drawn.length, heightOf(shown, logarithmic))
      : [];
    this.#drawing = this.#drawing.then(async () => {
      await this.#plotly.react(this.#chart, data, layout, CONFIG);
      if (!this.#drawn) {
        this.#drawn = true;
        this.#chart.on("plotly_relayout", (/** @type {any} */ update) => this.#zoomed(update));
      }
      this.#reading.redraw();
    });
    return this.#drawing;
  }

  /** What Plotly tells of axes that the viewer has changed. @param {Record<string, any>} update */
  #zoomed(update) {
    const { options } = this.#view;
    this.#asked.zoom(zoomedBy(options.zoom, this.key, update, options.log.includes(this.key)));
  }

  #resetZoom() {
    this.#wide.focus({ preventScroll: true }); // the button that was pressed goes away
    this.#zoomed({ "xaxis.autorange": true, "yaxis.autorange": true });
  }

  /** @param {View} view @param {boolean} logarithmic */
  #showState({ options }, logarithmic) {
    const [wide, pinned] = [options.wide.includes(this.key), options.pin.includes(this.key)];
    setAttribute(this.#log, "aria-pressed", String(logarithmic));
    setAttribute(this.#wide, "aria-expanded", String(wide));
    setAttribute(this.#wide, "title", wide ? "Back to its usual size" : "As wide as the page");
    this.widen(wide);
    setAttribute(this.#pin, "aria-pressed", String(pinned));
    const pin = pinned ? `Unpin ${this.#metric.label}` : `Pin ${this.#metric.label} to the front`;
    setAttribute(this.#pin, "aria-label", pin);
    setAttribute(this.#pin, "title", pin);
    this.#zoomOut.hidden = !options.zoom.y[this.key];
  }

  /** @param {boolean} wide */
  widen(wide) {
    setAttribute(this.element, "data-wide", wide);
  }

  get #height() {
    return this.#view?.options.wide.includes(this.key) ? HEIGHTS.wide : HEIGHTS.usual;
  }

  /** Say what the trivial losses are and what pulls; return the lines of the visible arms.
   * @param {View} view */
  #trivial({ arms, runs, options, trivial, pull }) {
    const visible = arms.filter((arm) => !options.hide.includes(arm.name));
    const values = means(trivial, visible, runs);
    const text = underLoss(values, means(pull, visible, runs), visible);
    setText(this.#under, text);
    setAttribute(this.#under, "title", text);
    this.#under.hidden = !text;
    return trivialLines(values, visible);
  }

  /** The mark that opens the metric's definition. */
  #help() {
    const { key, label } = this.#metric;
    return h(
      "a",
      {
        class: "lb-small lb-help",
        href: `${ownAddress("/method")}?metric=${encodeURIComponent(key)}`,
        target: "_blank",
        title: "How it is defined",
        "aria-label": `${label}: how it is defined`,
      },
      "?",
    );
  }

  /** Free what Plotly holds. */
  destroy() {
    this.#plotly.purge(this.#chart);
  }

  #saving() {
    const { label, unit } = this.#metric;
    return saveButtons(this.#plotly, this.#chart, () => {
      const { options, arms, look, data } = this.#view ?? {};
      return {
        ...{ file: label, title: label, look, comparison: data?.name },
        swaps: Object.fromEntries(data?.arms.map(({ light, dark }) => [light, dark]) ?? []),
        x: options && AXES[options.x],
        y: unit ? `${label} (${unit})` : label,
        arms: arms?.filter((arm) => !options.hide.includes(arm.name)),
      };
    });
  }

  /** @param {View} view @param {boolean} logarithmic @param {ReturnType<extent>} shown */
  #layout({ look, options }, logarithmic, shown) {
    const clip = shown && !logarithmic ? { clipmin: shown.low, clipmax: shown.high } : {};
    const { x, y } = rangesOf(options.zoom, this.key, logarithmic, shown);
    const along = (/** @type {[number, number]|null} */ range) =>
      range ? { range, autorange: false } : { autorange: true };
    const axis = {
      gridcolor: look.grid,
      zeroline: false,
      linecolor: look.grid,
      tickfont: { size: 11, color: look.muted },
      ticklabeloverflow: "allow", // else every label is measured at every redraw
    };
    return {
      uirevision: "kept",
      datarevision: performance.now(),
      width: this.width || undefined,
      height: this.#height,
      margin: { ...MARGIN, r: this.#reading.room, autoexpand: false },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: look.font, size: 12, color: look.text },
      showlegend: false,
      hovermode: false, // the values above the chart say more, in all panels, and cost less
      dragmode: "zoom",
      xaxis: {
        ...axis,
        ...along(x),
        autorangeoptions: shown ? { minallowed: 0, maxallowed: shown.x || 1 } : {},
        uirevision: `${options.x} ${x}`,
      },
      yaxis: {
        ...axis,
        ...(logarithmic ? { type: "log", ...logTicks(shown) } : LINEAR),
        ...along(y),
        autorangeoptions: clip,
        uirevision: `${logarithmic} ${y}`,
      },
    };
  }
}
