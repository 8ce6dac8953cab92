/** Saves a chart as a file of its own: on the page's background, with title, axes and legend. */
import { h } from "./dom.js";

/** @typedef {import("./panel.js").Look} Look */
/** @typedef {{file: string, title: string, look: Look, x?: string, legend?: boolean}} Named
 *   x: the axis's title, where the chart shows it elsewhere; legend: as x; then names are escaped */

const FORMATS = [
  ["png", "PNG", "picture"],
  ["svg", "SVG", "drawing that stays sharp at any size"],
];
const SIZE = { width: 960, height: 540 };

/**
 * @param {any} plotly
 * @param {any} chart the element that Plotly has drawn into
 * @param {() => Named} named asked at the click, for theme and axis may have changed
 * @returns {HTMLElement[]} a button for each format
 */
export function saveButtons(plotly, chart, named) {
  return FORMATS.map(([format, label, meaning]) => {
    const title = `Save “${named().title}” as ${label}, a ${meaning}`;
    const save = async () => {
      if (!chart.data?.length || button.ariaBusy === "true") return;
      button.ariaBusy = "true"; // disabled, it would lose the keyboard's focus
      const chosen = named();
      const kind = { format, filename: chosen.file, scale: format === "png" ? 2 : 1 };
      try {
        await plotly.downloadImage(whole(chart, chosen), { ...SIZE, ...kind });
      } finally {
        button.ariaBusy = null;
      }
    };
    const button = h(
      "button",
      { type: "button", class: "lb-small", title, "aria-label": title, "data-save": format, onclick: save },
      label,
    );
    return button;
  });
}

/**
 * A copy of what a chart shows, zoom included, that can stand alone.
 * @param {any} chart @param {Named} named
 */
export function whole(chart, { title, x, legend, look }) {
  const shown = chart.layout;
  return {
    data: legend ? chart.data.map(entry) : chart.data,
    layout: {
      ...shown,
      width: undefined,
      height: undefined,
      title: { text: escaped(title), x: 0, xref: "paper", font: { size: 16, color: look.text } },
      margin: { l: 70, r: 24, t: 90, b: 60 },
      paper_bgcolor: look.background,
      plot_bgcolor: look.background,
      showlegend: legend || shown.showlegend,
      legend: { orientation: "h", y: 1, yanchor: "bottom", x: 0, xanchor: "left", ...shown.legend },
      ...(x ? { xaxis: { ...shown.xaxis, title: { text: x } } } : {}),
    },
  };
}

/** A trace as the legend lists it; what has no hover label is behind a line that has one. */
function entry(/** @type {any} */ trace) {
  return { ...trace, name: escaped(trace.name), showlegend: trace.hoverinfo !== "skip" };
}

/** Plotly reads some HTML in titles. @param {string} text */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
