/** One chart of a page: heading, caption, help mark, the button that saves it, and a Plotly figure. */
import { ownAddress } from "./address.js";
import { h, setAttribute, setText } from "./dom.js";
import { themed } from "./dress.js";
import { loadPlotly, lookOf } from "./look.js";
import { saveButtons } from "./save.js";

/** @typedef {{plotly: string, figure: string, height: number, name: string, file: string,
 *   caption: string, method: string, comparison: string, dark: Record<string, string>}} Data */

const CONFIG = { displayModeBar: false, responsive: false, doubleClick: "reset" };

/** @type {WeakMap<Element, Chart>} */
const mounted = new WeakMap();

/** @param {Element} parent @param {Data} data */
export async function mount(parent, data) {
  const plotly = await loadPlotly(data.plotly);
  let chart = mounted.get(parent);
  if (!chart) mounted.set(parent, (chart = new Chart(plotly, parent)));
  chart.update(data);
}

/** @param {Element} parent */
export function unmount(parent) {
  mounted.get(parent)?.destroy();
  mounted.delete(parent);
}

class Chart {
  #plotly;
  #parent;
  /** @type {Data|undefined} */
  #data;
  #width = 0;
  #drawing = Promise.resolve();
  #heading = h("h2");
  #caption = h("p", { class: "lb-meaning" });
  #help = h("a", { class: "lb-small", target: "_blank" }, "?");
  #tools = h("span", { class: "lb-tools" }, this.#help);
  #chart = h("div", { class: "lb-chart", role: "img" });
  #frame = h(
    "section",
    { class: "lb-figure" },
    h("header", {}, this.#heading, this.#tools),
    this.#caption,
    this.#chart,
  );
  #resized = new ResizeObserver(([{ contentRect }]) => this.#resize(Math.floor(contentRect.width)));

  /** @param {any} plotly @param {Element} parent */
  constructor(plotly, parent) {
    this.#plotly = plotly;
    this.#parent = parent;
    parent.append(this.#frame);
    this.#resized.observe(this.#chart);
  }

  /** Take over what a rerun of the page says. @param {Data} data */
  update(data) {
    const renamed = data.name !== this.#data?.name;
    this.#data = data;
    const { name, caption, method, height } = data;
    setText(this.#heading, name);
    setText(this.#caption, caption);
    setAttribute(this.#frame, "aria-label", name);
    setAttribute(this.#chart, "aria-label", `${name}. ${caption}`);
    setAttribute(this.#chart, "style", `height: ${height}px`);
    setAttribute(this.#help, "href", `${ownAddress("/method")}#${method}`);
    setAttribute(this.#help, "aria-label", `${name}: how it is measured`);
    setAttribute(this.#help, "title", "How it is measured");
    this.#help.hidden = !method;
    if (renamed) this.#tools.replaceChildren(...this.#saving(), this.#help);
    this.#draw();
  }

  /** Free what Plotly holds. */
  destroy() {
    this.#resized.disconnect();
    this.#plotly.purge(this.#chart);
    this.#frame.remove();
  }

  #saving() {
    return saveButtons(this.#plotly, this.#chart, () => {
      const { file, name: title, comparison, dark: swaps } = this.#data;
      return { file, title, comparison, swaps, look: lookOf(this.#parent) };
    });
  }

  /** @param {number} width */
  #resize(width) {
    if (!width || width === this.#width) return; // 0: behind another tab
    this.#width = width;
    this.#draw();
  }

  #draw() {
    if (!this.#width) return;
    this.#drawing = this.#drawing.then(async () => {
      const { figure, height, dark } = this.#data;
      const { data, layout } = themed(figure, lookOf(this.#parent), dark);
      const size = { width: this.#width, height };
      await this.#plotly.react(this.#chart, data, { ...layout, ...size }, CONFIG);
      setAttribute(this.#chart, "data-drawn", "");
    });
  }
}
