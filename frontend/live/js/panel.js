/** One metric's panel: heading, meaning, newest values, and one Plotly chart that lives on. */
import { ownAddress } from "./address.js";
import { h, setAttribute, setText } from "./dom.js";
import { extent, newest, traces } from "./figure.js";
import { number } from "./format.js";
import { saveButtons } from "./save.js";
import {
  highest,
  means,
  trivialLabels,
  trivialLines,
  trivialTraces,
  underLoss,
} from "./trivial.js";

/** @typedef {{key: string, label: string, unit: string, meaning: string, per_step: boolean,
 *   better: "higher"|"lower"|null, log: boolean}} Metric */
/** @typedef {{background: string, text: string, muted: string, grid: string, font: string}} Look */
/** @typedef {{arms: import("./figure.js").Arm[], runs: import("./figure.js").Run[],
 *   options: import("./options.js").Options, look: Look,
 *   data: import("./main.js").Data,
 *   clock: import("./store.js").Table|undefined, trivial: import("./store.js").Table|undefined,
 *   pull: import("./store.js").Table|undefined}} View */

const AXES = { step: "step", epoch: "epoch", time: "training time (s)" };
const LOSS = "dynamics.loss";
const CONFIG = { displayModeBar: false, responsive: false, doubleClick: "reset" };

export class Panel {
  #plotly;
  #metric;
  #chart;
  #note;
  #values;
  #axis = h("p", { class: "lb-axis" });
  #under = h("p", { class: "lb-under", hidden: true, "data-testid": "under-loss" });
  #log;
  #zoomOut;
  /** @type {View|undefined} */
  #view;
  #drawn = false;
  #drawing = Promise.resolve();

  /**
   * @param {any} plotly
   * @param {Metric} metric
   * @param {() => void} onLog the viewer asks for the other scale
   */
  constructor(plotly, metric, onLog) {
    this.#plotly = plotly;
    this.#metric = metric;
    const { key, label, unit, meaning, better } = metric;
    this.#chart = h("div", { class: "lb-chart", "data-testid": `chart-${key}` });
    this.#note = h("p", { class: "lb-note" }, "No values yet");
    this.#values = h("div", { class: "lb-values" });
    this.#log = h(
      "button",
      { type: "button", class: "lb-small", title: "Logarithmic scale", onclick: onLog },
      "log",
    );
    this.#zoomOut = h(
      "button",
      { type: "button", class: "lb-small", hidden: true, onclick: () => this.#resetZoom() },
      "reset zoom",
    );
    const ways = { higher: "↑ higher is better", lower: "↓ lower is better" };
    this.element = h(
      "section",
      { class: "lb-panel", "data-testid": `panel-${key}`, "aria-label": label },
      h(
        "header",
        {},
        h("h4", { title: meaning }, label, unit ? h("small", {}, ` (${unit})`) : null),
        better ? h("span", { class: "lb-better" }, ways[better]) : null,
        h("span", { class: "lb-tools" }, this.#zoomOut, metric.log ? this.#log : null, this.#help()),
      ),
      h("p", { class: "lb-meaning", title: meaning }, meaning),
      this.#values,
      h("div", { class: "lb-plot" }, this.#chart, this.#note),
      h("footer", {}, this.#axis, h("span", { class: "lb-tools" }, ...this.#saving())),
      key === LOSS ? this.#under : null,
    );
    this.width = 0;
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
    setAttribute(this.#log, "aria-pressed", String(logarithmic));
    setText(this.#axis, AXES[options.x]);
    this.#showValues(table, view);
    const perStep = this.#metric.per_step;
    const data = empty ? [] : traces(table, view.clock, arms, runs, options, perStep);
    const shown = extent(data);
    if (logarithmic && shown) liftBands(data, shown.smallest / 2);
    const lines = this.key === LOSS ? this.#trivial(view) : [];
    if (shown) {
      data.push(...trivialTraces(lines, shown.x, view.look.muted));
      shown.high = highest(shown.high, lines);
    }
    const layout = this.#layout(view, logarithmic, shown);
    const near = lines.filter(({ value }) => logarithmic || value <= (shown?.high ?? 0));
    const visible = arms.filter((arm) => !options.hide.includes(arm.name)).length;
    layout.annotations = shown ? trivialLabels(near, view.look.muted, logarithmic, visible) : [];
    this.#drawing = this.#drawing.then(async () => {
      await this.#plotly.react(this.#chart, data, layout, CONFIG);
      if (!this.#drawn) {
        this.#drawn = true;
        this.#chart.on("plotly_relayout", () => this.#showZoom());
      }
    });
    return this.#drawing;
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

  /** @param {import("./store.js").Table|undefined} table @param {View} view */
  #showValues(table, { arms, runs, options }) {
    const values = table ? newest(table, arms, runs) : new Map();
    const shown = arms.filter((arm) => values.has(arm.name) && !options.hide.includes(arm.name));
    while (this.#values.children.length > shown.length) this.#values.lastElementChild.remove();
    while (this.#values.children.length < shown.length) this.#values.append(h("span"));
    shown.forEach((arm, index) => {
      const item = this.#values.children[index];
      setText(item, number(values.get(arm.name)));
      setAttribute(item, "style", `color: color-mix(in srgb, ${arm.color} 80%, var(--st-text-color))`);
      setAttribute(item, "title", `${arm.name}: newest value, mean over its seeds`);
    });
  }

  #showZoom() {
    const { xaxis, yaxis } = this.#chart._fullLayout;
    this.#zoomOut.hidden = xaxis.autorange !== false && yaxis.autorange !== false;
  }

  async #resetZoom() {
    const free = { "xaxis.autorange": true, "yaxis.autorange": true };
    await this.#plotly.relayout(this.#chart, free);
  }

  /** @param {View} view @param {boolean} logarithmic @param {ReturnType<extent>} shown */
  #layout({ look, options }, logarithmic, shown) {
    const clip = shown && !logarithmic ? { clipmin: shown.low, clipmax: shown.high } : {};
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
      height: 216,
      margin: { l: 46, r: 12, t: 6, b: 22, autoexpand: false },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: look.font, size: 12, color: look.text },
      showlegend: false,
      hovermode: "x unified",
      hoverlabel: { bgcolor: look.background, bordercolor: look.grid, font: { size: 12 } },
      dragmode: "zoom",
      xaxis: {
        ...axis,
        autorangeoptions: shown ? { minallowed: 0, maxallowed: shown.x || 1 } : {},
        hoverformat: options.x === "step" ? ",d" : ".4~g",
        unifiedhovertitle: { text: `${options.x} %{x}` },
        uirevision: options.x,
      },
      yaxis: {
        ...axis,
        ...(logarithmic ? { type: "log", ...logTicks(shown) } : { type: "linear", nticks: 6 }),
        autorangeoptions: clip,
        uirevision: String(logarithmic),
      },
    };
  }
}

/**
 * Ticks of a logarithmic axis as plain numbers; fewer in a decade where there are many decades.
 * @param {ReturnType<extent>} shown
 */
function logTicks(shown) {
  const decades = shown ? Math.log10(shown.high / Math.max(shown.smallest, 1e-12)) : 1;
  const digits = decades > 3 ? [1] : [1, 2, 5];
  const tickvals = [];
  for (let power = -9; power <= 9; power += 1) {
    for (const digit of digits) tickvals.push(Number(`${digit}e${power}`));
  }
  return { tickmode: "array", tickvals, ticktext: tickvals.map((value) => number(value)) };
}

/**
 * On a logarithmic axis an interval that reaches 0 ends just below the lowest point instead.
 * @param {Object[]} data traces @param {number} floor
 */
function liftBands(data, floor) {
  for (const trace of data) {
    if (trace.fill) trace.y = trace.y.map((value) => (value == null ? null : Math.max(value, floor)));
  }
}
