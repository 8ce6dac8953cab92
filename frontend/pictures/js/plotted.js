/** A Plotly chart as a picture: what it shows now, zoom included, drawn anew at a size on paper. */
import { plotlyText } from "../../live/js/dress.js";
import { LETTERS, textLines } from "./letters.js";
import { PAPER, sheet } from "./sheet.js";
import { PX_MM, PX_PT } from "./sizes.js";

/** @typedef {import("./sheet.js").Entry} Entry */
/** @typedef {import("./sheet.js").Ink} Ink */
/** @typedef {import("./sizes.js").Size} Size */
/**
 * @typedef {Object} Named what a chart shows elsewhere on its page
 * @property {string} title @property {string} comparison
 * @property {Ink & {dark: boolean}} look the page's
 * @property {Record<string, string>} swaps light colours of arms and their dark ones
 * @property {string} [x] title of the axis @property {string} [y]
 * @property {{name: string, color: string, dash: string}[]} [arms] for the legend
 */

const SCREEN_LETTERS = 12; // px; sizes in figures go by them
const SHAPE = { column: 0.66, page: 0.5, screen: 0.5 }; // height of a chart by its width
const NAMES_MOST = 0.4; // of the width, for names beside the vertical axis
const SHALLOW = 320; // px; a chart that is higher on the screen has rows, each of which needs room

/**
 * @param {any} plotly
 * @param {any} chart the element that Plotly has drawn into
 * @param {Named} named
 * @param {Size} size
 * @returns {Promise<import("./menu.js").Picture|null>}
 */
export async function plotted(plotly, chart, named, size) {
  if (!chart.data?.length) return null;
  const onScreen = size.name === "screen";
  const shown = chart._fullLayout;
  const width = onScreen ? shown.width : size.width * PX_MM;
  const ink = onScreen ? named.look : PAPER;
  const swaps = onScreen ? new Map() : paperSwaps(named);
  const em = size.letters * PX_PT;
  const traces = chart.data.map((/** @type {any} */ trace) => repainted(trace, swaps));
  const data = traces.map((/** @type {any} */ trace) => scaled(trace, em));
  const layout = repainted(chart.layout, swaps);
  const slider = layout.sliders?.[0];
  const step = slider?.steps?.[slider.active ?? 0];
  const at = step ? `${slider.currentvalue?.prefix ?? ""}${step.label}` : "";
  const body = async (/** @type {number} */ wide, /** @type {number} */ high) => {
    const height = high || naturalHeight(shown.height - (slider ? 70 : 0), wide, size, em);
    const figure = { data, layout: onPaper(layout, shown, named, ink, { width: wide, height, em }) };
    const asked = { format: "svg", width: wide, height, imageDataOnly: true };
    const svg = await plotly.toImage({ ...figure, config: { staticPlot: true } }, asked);
    return { svg: svg.slice(svg.indexOf("<svg")), height };
  };
  return sheet({
    ...{ size, width, ink, body },
    title: named.title,
    under: [named.comparison, at].filter(Boolean).join(" · "),
    entries: named.arms ? named.arms.map((arm) => armEntry(arm, swaps)) : entriesOf(traces, layout),
  });
}

/** @param {number} shown px on the screen @param {number} width @param {Size} size @param {number} em */
function naturalHeight(shown, width, size, em) {
  if (size.name === "screen") return shown;
  const shape = SHAPE[/** @type {keyof typeof SHAPE} */ (size.name)] * width;
  return shown > SHALLOW ? Math.max(shape, (shown * em) / SCREEN_LETTERS) : shape;
}

/**
 * @param {any} layout @param {any} shown the same as Plotly has completed it @param {Named} named
 * @param {Ink} ink @param {{width: number, height: number, em: number}} size
 */
function onPaper(layout, shown, named, ink, { width, height, em }) {
  const result = {
    ...layout,
    ...{ width, height, autosize: false, showlegend: false, sliders: [], updatemenus: [], title: undefined },
    margin: { l: 0.7 * em, r: 1.3 * em, t: 0.5 * em, b: 0.5 * em, pad: 0, autoexpand: true },
    paper_bgcolor: ink.background,
    plot_bgcolor: ink.background,
    font: { ...layout.font, family: LETTERS, size: em, color: ink.text },
    annotations: (layout.annotations ?? []).map((/** @type {any} */ note) => {
      const font = { ...note.font, family: LETTERS, size: ((note.font?.size ?? 11) / SCREEN_LETTERS) * em };
      return { ...note, font };
    }),
  };
  for (const name of new Set(["xaxis", "yaxis", ...Object.keys(layout)])) {
    if (!/^[xy]axis\d*$/.test(name)) continue;
    const axis = layout[name] ?? {};
    const along = name.startsWith("x");
    const text = axis.title?.text || (name.length === 5 && (along ? named.x && plotlyText(named.x) : named.y && plotlyText(named.y)));
    const rows = layout.meta?.[name]; // whole names, which are shortened on the screen
    const names = rows && namesBeside(rows, width, height, em);
    const room = along ? 0.8 * width : 0.9 * height * domain(shown[name]);
    result[name] = {
      ...axis,
      automargin: true,
      linecolor: axis.linecolor && ink.grid,
      gridcolor: ink.grid,
      tickfont: { ...axis.tickfont, family: LETTERS, size: names?.size ?? 0.92 * em, color: ink.muted },
      title: text
        ? { text: textLines(text, em, room).join("<br>"), standoff: 0.5 * em, font: { size: em, family: LETTERS } }
        : undefined,
      ...(shown[name]?.range ? { range: [...shown[name].range], autorange: false } : {}),
      ...(names ? { ticktext: names.texts } : {}),
    };
  }
  return result;
}

/** @param {any} axis */
function domain(axis) {
  return axis?.domain ? axis.domain[1] - axis.domain[0] : 1;
}

/** Names of rows beside the vertical axis, in lines as far as a row has room for them.
 * @param {string[]} texts @param {number} width @param {number} height @param {number} em */
function namesBeside(texts, width, height, em) {
  const row = (height - 4 * em) / texts.length;
  const size = Math.min(0.92 * em, Math.max(0.4 * em, 0.85 * row));
  const most = Math.max(1, Math.floor(row / (1.3 * size)));
  const lines = texts.map((text) => textLines(String(text), size, NAMES_MOST * width, { most }).join("<br>"));
  return { texts: lines, size };
}

/** Lines and points as large beside the letters as on the screen, a little lighter in print.
 * @param {any} trace @param {number} em */
function scaled(trace, em) {
  const factor = em / SCREEN_LETTERS;
  const times = (/** @type {any} */ size) =>
    Array.isArray(size) ? size.map((each) => each * factor) : size === undefined ? undefined : size * factor;
  const result = { ...trace };
  if (trace.line) {
    const { width = 2, dash } = trace.line;
    const lengths = /^[\d.]/.test(dash ?? "") ? dash.replace(/[\d.]+/g, (/** @type {string} */ each) => times(Number(each))) : dash;
    result.line = { ...trace.line, width: 0.8 * times(width), dash: lengths };
  }
  if (trace.marker) {
    const { marker } = trace;
    const { line, size } = marker;
    result.marker = { ...marker, ...(size === undefined ? {} : { size: times(size) }) };
    if (marker.pattern) result.marker.pattern = { ...marker.pattern, size: 0.3 * em };
    if (line?.width !== undefined) result.marker.line = { ...line, width: times(line.width) };
  }
  if (trace.textfont) result.textfont = { ...trace.textfont, size: times(trace.textfont.size ?? SCREEN_LETTERS), family: LETTERS };
  return result;
}

/** What the legend lists, from Plotly's traces. @param {any[]} data @param {any} layout @returns {Entry[]} */
function entriesOf(data, layout) {
  if (layout.showlegend === false) return [];
  const listed = data.filter(({ visible, showlegend, name }) => {
    return name && showlegend !== false && visible !== false && visible !== "legendonly";
  });
  return listed.map((trace) => {
    const { type, mode, line, marker, name } = trace;
    const color = first(marker?.color) ?? line?.color ?? "#808080";
    if (type === "bar") return { name: unescaped(name), kind: "bar", color, pattern: first(marker?.pattern?.shape) ?? "" };
    const drawn = (mode ?? "lines").includes("lines") && line?.width !== 0;
    if (drawn) return { name: unescaped(name), kind: "line", color: line?.color ?? color, dash: line?.dash };
    return { name: unescaped(name), kind: "dot", color, symbol: String(first(marker?.symbol) ?? "circle") };
  });
}

/** @param {any} value */
function first(value) {
  return Array.isArray(value) ? value[0] : value;
}

/** @param {{name: string, color: string, dash: string}} arm @param {Map<string, string>} swaps @returns {Entry} */
function armEntry({ name, color, dash }, swaps) {
  return { name, kind: "line", color: repainted(color, swaps), dash };
}

/** The dark theme's colours and those of paper in their place. @param {Named} named */
function paperSwaps({ look, swaps }) {
  const pairs = [
    ...["text", "muted", "grid", "background"].map((part) => [look[part], PAPER[part]]),
    ...(look.dark ? Object.entries(swaps).map(([light, dark]) => [dark, light]) : []),
  ];
  return new Map(pairs.flatMap(([from, to]) => (from ? [[rgbKey(from), to]] : [])));
}

/** @param {string} color #rrggbb[aa] or rgb[a](...) @returns {string} */
function rgbKey(color) {
  if (color.startsWith("#")) return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)).join();
  return (color.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number).join();
}

/** The same with other colours wherever one is named, opacity kept. Numbers are not copied.
 * @param {any} value @param {Map<string, string>} swaps @returns {any} */
export function repainted(value, swaps) {
  if (typeof value === "string") {
    if (!/^(#[0-9a-f]{6}([0-9a-f]{2})?|rgba?\([^)]*\))$/i.test(value)) return value;
    const found = swaps.get(rgbKey(value));
    if (!found) return value;
    if (value.startsWith("#")) return found + value.slice(7);
    const alpha = value.match(/[\d.]+/g)[3];
    const parts = rgbKey(found);
    return alpha === undefined ? `rgb(${parts})` : `rgba(${parts},${alpha})`;
  }
  if (Array.isArray(value)) {
    return typeof value[0] === "number" ? value : value.map((each) => repainted(each, swaps));
  }
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, repainted(each, swaps)]));
}

/** @param {string} text as Plotly reads it */
function unescaped(text) {
  return text
    .replaceAll("<br>", " ")
    .replaceAll("&#123;", "{")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
