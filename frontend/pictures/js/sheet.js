/** The page that a saved picture is: title, name of the comparison, legend, and the drawing. */
import { LETTERS, legalXml, round2, svgText, textLines, textWidth, xmlText } from "./letters.js";
import { PX_MM, PX_PT } from "./sizes.js";

/** @typedef {import("./sizes.js").Size} Size */
/** @typedef {{background: string, text: string, muted: string, grid: string}} Ink */
/**
 * @typedef {Object} Entry a line of the legend
 * @property {string} name
 * @property {string} color
 * @property {"line"|"dot"|"bar"|"sign"} kind
 * @property {string} [dash] of a line, as Plotly names it
 * @property {string} [symbol] of a dot, as Plotly names it
 * @property {string} [pattern] of a bar, as Plotly names it
 * @property {(x: number, y: number, em: number) => string} [sign] draws a sign around a place
 */
/**
 * @typedef {Object} Page
 * @property {Size} size
 * @property {number} width px; that of the size, or the screen's
 * @property {Ink} ink
 * @property {string} title
 * @property {string} under in small letters: the comparison's name, and what else it is of
 * @property {Entry[]} entries @property {number} [listed] height of its letters, by the others'
 * @property {(width: number, height: number, em: number) => Promise<{svg: string, height: number}>}
 *   body draws in this width; height 0: as high as it needs
 */

/** @type {Record<string, number[]>} in widths of the line */
const DASHES = { dash: [3, 2], dot: [1, 1.4], dashdot: [3, 1.5, 1, 1.5], longdash: [5, 2] };
const LINE = 0.135; // of the letters' height: how wide lines are
const LEGEND_MOST = 0.4; // of a slide's height
const SMALLEST = 0.5; // of a slide's letters

/** The paper that pictures for print are on, whatever the theme of the page. @type {Ink} */
export const PAPER = { background: "#ffffff", text: "#1c242d", muted: "#53606c", grid: "#e3e8ed" };

/**
 * @param {Page} page
 * @returns {Promise<{svg: string, width: number, height: number}>} mm
 */
export async function sheet({ size, width, ink, title, under, entries, listed = 1, body }) {
  const em = size.letters * PX_PT;
  const [pad, high] = [0.6 * em, size.height * PX_MM];
  const inner = width - 2 * pad;
  const lines = textLines(title, 1.15 * em, inner, { bold: true, most: 3 });
  const below = textLines(under, 0.85 * em, inner, { most: 2 });
  let y = pad + 1.15 * em * 0.85;
  let head = svgText(lines, pad, y, { size: 1.15 * em, fill: ink.text, bold: true, leading: 1.2 });
  y += (lines.length - 1) * 1.2 * 1.15 * em + 1.3 * 0.85 * em;
  head += svgText(below, pad, y, { size: 0.85 * em, fill: ink.muted });
  y += (below.length - 1) * 1.25 * 0.85 * em + 0.55 * em;
  let small = listed * em;
  let legend = legendOf(entries, inner, small, ink);
  while (high && legend.height > LEGEND_MOST * high && small > SMALLEST * em) {
    small *= 0.9;
    legend = legendOf(entries, inner, small, ink);
  }
  head += moved(legend.svg, pad, y);
  y += legend.height + (legend.height ? 0.35 * em : 0);
  const drawn = await body(width - pad, high ? high - y - 0.4 * em : 0, em);
  const height = high || y + drawn.height + 0.4 * em;
  const [w, hgt] = [round2(width), round2(height)];
  const mm = { width: width / PX_MM, height: height / PX_MM };
  const opening =
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
    `width="${round2(mm.width)}mm" height="${round2(mm.height)}mm" viewBox="0 0 ${w} ${hgt}" ` +
    `font-family="${LETTERS}">`;
  const ground = `<rect width="${w}" height="${hgt}" fill="${ink.background}"/>`;
  const named = `<title>${xmlText(`${title} · ${under}`)}</title>`;
  return { svg: legalXml(`${opening}${named}${ground}${head}${moved(drawn.svg, 0.5 * pad, y)}</svg>\n`), ...mm };
}

/** @param {string} svg @param {number} x @param {number} y */
export function moved(svg, x, y) {
  return svg && `<g transform="translate(${round2(x)} ${round2(y)})">${svg}</g>`;
}

/**
 * All entries, in columns or, where that takes fewer rows, one behind the other.
 * @param {Entry[]} entries @param {number} width @param {number} em @param {Ink} ink
 */
function legendOf(entries, width, em, ink) {
  if (!entries.length) return { svg: "", height: 0 };
  const small = entries.every(({ kind }) => kind !== "line");
  const [mark, gap, leading] = [(small ? 1.4 : 2.6) * em, 1.2 * em, 1.3 * em];
  const texts = entries.map(({ name }) => textLines(name, em, width - mark));
  const wide = texts.map((lines) => mark + Math.max(0, ...lines.map((line) => textWidth(line, em))));
  const column = Math.max(...wide);
  const columns = Math.max(1, Math.floor((width + gap) / (column + gap)));
  const flow = flowRows(wide, width, gap);
  const grid = entries.map((_, at) => ({ row: Math.floor(at / columns), x: (at % columns) * (column + gap) }));
  const places = flow.at(-1).row < grid.at(-1).row ? flow : grid;
  const heights = new Array(places.at(-1).row + 1).fill(1);
  places.forEach(({ row }, at) => (heights[row] = Math.max(heights[row], texts[at].length)));
  const tops = heights.map((_, row) => heights.slice(0, row).reduce((sum, each) => sum + each, 0) * leading);
  const svg = entries.map((entry, at) => {
    const { row, x } = places[at];
    const drawn = markOf(entry, small ? x - 0.6 * em : x, tops[row] + 0.65 * em, em, ink);
    return drawn + svgText(texts[at], x + mark, tops[row] + em, { size: em, fill: ink.text, leading: 1.3 });
  });
  return { svg: svg.join(""), height: heights.reduce((sum, each) => sum + each, 0) * leading + 0.25 * em };
}

/** @param {number[]} wide @param {number} width @param {number} gap */
function flowRows(wide, width, gap) {
  let [row, x] = [0, 0];
  return wide.map((each) => {
    if (x && x + each > width) [row, x] = [row + 1, 0];
    const place = { row, x };
    x += each + gap;
    return place;
  });
}

/** @param {Entry} entry @param {number} x left @param {number} y middle @param {number} em @param {Ink} ink */
function markOf({ kind, color, dash, symbol, pattern, sign }, x, y, em, ink) {
  if (sign) return sign(x + 1.1 * em, y, em);
  if (kind === "bar") return barMark(color, pattern ?? "", x + 0.6 * em, y, em, ink);
  if (kind === "dot") return dotMark(symbol ?? "circle", color, x + 1.1 * em, y, 0.36 * em);
  return lineMark(color, dash, x, y, em);
}

/** A sample of a line. @param {string} color @param {string|undefined} dash @param {number} x left
 * @param {number} y middle @param {number} em */
export function lineMark(color, dash, x, y, em) {
  const width = LINE * em;
  const lengths = DASHES[dash]?.map((part) => part * width) ?? pixelsOf(dash).map((part) => (part * em) / 12);
  const dashes = lengths.map(round2).join(" ");
  const style = `stroke="${color}" stroke-width="${round2(width)}"${dashes && ` stroke-dasharray="${dashes}"`}`;
  return `<path d="M${round2(x)} ${round2(y)}h${round2(2.2 * em)}" fill="none" ${style}/>`;
}

/** @param {string|undefined} dash lengths in pixels, where it is no name @returns {number[]} */
function pixelsOf(dash) {
  return /^[\d.]/.test(dash ?? "") ? dash.match(/[\d.]+/g).map(Number) : [];
}

/** @param {string} symbol @param {string} color @param {number} x @param {number} y @param {number} r */
function dotMark(symbol, color, x, y, r) {
  const open = symbol.endsWith("-open");
  const look = open ? `fill="none" stroke="${color}" stroke-width="${round2(r / 3)}"` : `fill="${color}"`;
  const at = (/** @type {number[][]} */ points) =>
    `<path d="M${points.map(([dx, dy]) => `${round2(x + dx * r)} ${round2(y + dy * r)}`).join("L")}Z" ${look}/>`;
  const name = symbol.replace(/(-thin)?(-open)?(-dot)?$/, "");
  if (name === "square") return at([[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]]);
  if (name === "diamond") return at([[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]]);
  if (name === "triangle-up") return at([[0, -1.1], [1.1, 0.8], [-1.1, 0.8]]);
  if (name === "triangle-down") return at([[0, 1.1], [1.1, -0.8], [-1.1, -0.8]]);
  if (name === "x" || name === "cross") {
    const arm = `M${round2(x - r)} ${round2(y - r)}l${round2(2 * r)} ${round2(2 * r)}m0 ${round2(-2 * r)}l${round2(-2 * r)} ${round2(2 * r)}`;
    const turn = name === "cross" ? ` transform="rotate(45 ${round2(x)} ${round2(y)})"` : "";
    return `<path d="${arm}" fill="none" stroke="${color}" stroke-width="${round2(0.6 * r)}"${turn}/>`;
  }
  return `<circle cx="${round2(x)}" cy="${round2(y)}" r="${round2(r)}" ${look}/>`;
}

/** @param {string} color @param {string} pattern @param {number} x @param {number} y @param {number} em @param {Ink} ink */
function barMark(color, pattern, x, y, em, ink) {
  const [w, high] = [1.1 * em, 0.8 * em];
  const [left, top] = [round2(x), round2(y - high / 2)];
  const box = `<rect x="${left}" y="${top}" width="${round2(w)}" height="${round2(high)}" fill="${color}"/>`;
  const step = high / 2;
  const paths = [];
  for (let at = 0; at * step < w; at += 1) {
    const from = at * step;
    const across = Math.min(high, w - from);
    if ("/x".includes(pattern) && pattern) paths.push(`M${round2(x + from)} ${round2(y + high / 2)}l${round2(across)} ${round2(-across)}`);
    if ("\\x".includes(pattern) && pattern) paths.push(`M${round2(x + from)} ${round2(y - high / 2)}l${round2(across)} ${round2(across)}`);
    if ("|+".includes(pattern) && pattern) paths.push(`M${round2(x + from + step / 2)} ${top}v${round2(high)}`);
  }
  if ("-+".includes(pattern) && pattern) paths.push(`M${left} ${round2(y)}h${round2(w)}`);
  if (pattern === ".") paths.push(`M${left} ${round2(y)}h${round2(w)}`);
  const dots = pattern === "." ? ` stroke-dasharray="${round2(0.1 * em)} ${round2(0.15 * em)}"` : "";
  const style = `fill="none" stroke="${ink.background}" stroke-width="${round2(0.1 * em)}"${dots}`;
  return box + (paths.length ? `<path d="${paths.join("")}" ${style}/>` : "");
}
