/** The panels as a picture for paper: every arm's points in the same view, with a legend. */
import { number } from "../../live/js/format.js";
import { round2, svgText, textLines, xmlText } from "../../pictures/js/letters.js";
import { lineMark, moved, PAPER, sheet } from "../../pictures/js/sheet.js";
import { PX_MM, PX_PT } from "../../pictures/js/sizes.js";
import { drawingOrder } from "./canvas.js";
import { METHODS } from "./choices.js";
import { groupStyle, mixed, ramp, rgbOf, verdictStyles } from "./colouring.js";
import { densityOf, shade } from "./density.js";
import { encoded, labelling, possible } from "./encoding.js";
import { markPath, STROKED } from "./marks.js";
import { roundLength } from "./overlay.js";
import { pixel } from "./stamps.js";
import { shareText } from "./words.js";

/** @typedef {import("../../pictures/js/sheet.js").Entry} Entry */
/** @typedef {import("../../pictures/js/sheet.js").Ink} Ink */
/** @typedef {import("../../pictures/js/sizes.js").Size} Size */
/** @typedef {import("./colouring.js").Colouring} Colouring */
/** @typedef {import("./colouring.js").Style} Style */
/** @typedef {import("./source.js").Samples} Samples */
/** @typedef {{fill: string, shape: import("./colouring.js").Shape, x: number, y: number, r: number}} Mark */
/**
 * @typedef {Object} Shown
 * @property {string} comparison
 * @property {import("./stage.js").Stage} stage
 * @property {import("./camera.js").Camera} camera
 * @property {number} time place among the epochs @property {number} epoch
 * @property {Uint8Array|null} selected @property {number} chosen sample, -1 for none
 * @property {number} width px of all panels on the screen
 * @property {Samples} samples
 * @property {{name: string, color: string, light: string, dash: string}[]} arms
 * @property {import("./colouring.js").By} colour
 * @property {string[]} density arms whose panels are shaded
 * @property {Map<string, import("./source.js").ArmFacts>|null} facts
 * @property {Ink & {dark: boolean}} look of the page
 */

const VECTORS = 24_000; // more points are one image a panel: programs would choke on them
const IMAGE_DPI = 300;
const SHADING = 3; // pixels a px of the shading
const LISTED = 60; // groups in the legend
const LEVELS = 5; // of a scale of distances
const COLUMNS = { column: 2, page: 4, slide: 4, screen: 4 };
const TALL = 1.3; // how much higher than wide a slide's panels may be
const GAP = 0.8; // between panels, in heights of letters
const RADII = [0.06, 0.33]; // smallest and largest radius of a point, in heights of letters
const IN_ORDER = new Intl.Collator("en", { numeric: true });

/** @param {string} comparison @param {number} epoch */
export function pictureNames(comparison, epoch) {
  return { title: "Embedding space", comparison, file: `embedding-space-epoch-${epoch}` };
}

/** @param {Size} size @param {Shown} shown */
export function drawnSpace(size, shown) {
  const { comparison, stage, samples, arms, epoch, look } = shown;
  const onScreen = size.name === "screen";
  const [ink, dark] = onScreen ? [look, look.dark] : [PAPER, false];
  const by = possible(shown.colour, samples);
  const names = arms.map(({ name }) => name);
  const { colourings, span } = encoded(by, samples, names, shown.facts, dark);
  const width = onScreen ? shown.width : size.width * PX_MM;
  const em = size.letters * PX_PT;
  const columns = Math.min(arms.length, COLUMNS[/** @type {keyof typeof COLUMNS} */ (size.name)]);
  const rows = Math.ceil(arms.length / columns);
  const { method, seed } = stage.projection;
  const paper = { columns, rows, em, ink, dark, dpi: onScreen ? size.dpi : IMAGE_DPI };
  const body = async (/** @type {number} */ wide, /** @type {number} */ high) => {
    const side = (wide - em - GAP * em * (columns - 1)) / columns;
    const heads = arms.map(({ name }) => textLines(name, em, side - 2.6 * em, { most: 2 }));
    const head = (Math.max(...heads.map(({ length }) => length)) * 1.25 + 0.35) * em;
    const room = high ? (high - 0.5 * em) / rows - head - 0.4 * em : Infinity;
    const panel = { width: side, height: Math.max(4 * em, Math.min(high ? TALL * side : side, room)) };
    const drawn = arms.map((arm, at) => {
      const x = 0.5 * em + (at % columns) * (side + GAP * em);
      const y = Math.floor(at / columns) * (head + panel.height + 0.6 * em);
      const color = onScreen ? arm.color : arm.light;
      const sign = lineMark(color, arm.dash, 0, 0.7 * em, em);
      const named = svgText(heads[at], 2.6 * em, em, { size: em, fill: ink.text });
      const colouring = /** @type {Colouring} */ (colourings.get(arm.name));
      return moved(sign + named + moved(panelOf(arm.name, shown, colouring, panel, paper), 0, head), x, y);
    });
    return { svg: drawn.join(""), height: rows * (head + panel.height + 0.6 * em) + 0.2 * em };
  };
  const of = [comparison, METHODS[method], `seed ${seed}`, shareText(samples)];
  if (by !== "class") of.push(`colour: ${WORDS[by]}`);
  return sheet({
    ...{ size, width, ink, body },
    title: `Embedding space, epoch ${epoch}`,
    under: of.filter(Boolean).join(" · "),
    entries: entriesOf(by, samples, span, dark),
  });
}

const WORDS = {
  fine: "fine label",
  correct: "class of the nearest other sample",
  distance: "distance to the own class's centroid",
  modality: "modality",
};

/** @param {import("./colouring.js").By} by @param {Samples} samples @param {[number, number]} span
 * @param {boolean} dark @returns {Entry[]} */
function entriesOf(by, samples, [low, high], dark) {
  if (by === "distance") {
    return Array.from({ length: LEVELS }, (_, at) => {
      const share = at / (LEVELS - 1);
      const more = at === LEVELS - 1 ? " and more" : "";
      return entry({ fill: ramp(share), shape: "disc" }, number(low + share * (high - low)) + more);
    });
  }
  if (by === "correct") {
    const { right, wrong, unknown } = verdictStyles(dark);
    return [entry(right, "the same class"), entry(wrong, "another class"), entry(unknown, "not known")];
  }
  const [labels, name] = labelling(by, samples);
  const groups = [...new Set(labels)].sort((a, b) => a - b);
  if (by === "class") groups.sort((a, b) => IN_ORDER.compare(name(a), name(b)));
  const listed = groups.slice(0, groups.length > LISTED ? LISTED - 1 : LISTED);
  const entries = listed.map((group) => entry(groupStyle(group, dark), name(group)));
  const over = groups.length - listed.length;
  if (over) entries.push({ name: `and ${over} more`, kind: "sign", color: "", sign: () => "" });
  return entries;
}

/** @param {Style} style @param {string} name @returns {Entry} */
function entry({ fill, shape }, name) {
  const sign = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ em) =>
    markSvg({ fill, shape, x, y, r: RADII[1] * em });
  return { name, kind: "sign", color: fill, sign };
}

/**
 * One arm's panel with its frame.
 * @param {string} arm @param {Shown} shown @param {Colouring} colouring
 * @param {{width: number, height: number}} panel
 * @param {{rows: number, em: number, ink: Ink, dark: boolean, dpi: number}} paper
 */
function panelOf(arm, { stage, camera, time, selected, chosen, arms, density }, colouring, { width, height }, { em, ink, dpi }) {
  const flat = stage.axes === 2;
  const world = new Float32Array(stage.n * stage.axes);
  const places = { x: new Float32Array(stage.n), y: new Float32Array(stage.n), depth: new Float32Array(stage.n) };
  stage.at(arm, time, world);
  camera.place(world, width, height, places);
  const radius = Math.min(RADII[1] * em, Math.max(RADII[0] * em, 0.3 * Math.sqrt((width * height) / stage.n)));
  const ground = rgbOf(ink.background);
  /** @type {Mark[]} */
  const marks = [];
  for (const i of drawingOrder(places, colouring, selected, flat)) {
    const [x, y] = [places.x[i], places.y[i]];
    if (x < -radius || y < -radius || x > width + radius || y > height + radius) continue;
    const { fill, shape } = colouring.styles[colouring.index[i]];
    const near = flat ? 1 : Math.min(1, Math.max(0, (places.depth[i] + 0.9) / 1.8));
    const faint = selected && !selected[i] ? 0.8 : 0.55 * (1 - near);
    const color = faint ? `rgb(${mixed(rgbOf(fill), ground, faint).join()})` : fill;
    marks.push({ fill: color, shape, x, y, r: radius * (flat ? 1 : 0.75 + 0.45 * near) });
  }
  const whole = stage.n * arms.length <= VECTORS;
  const points = whole ? marks.map(markSvg).join("") : imageOf(marks, width, height, dpi);
  const rim = `stroke="${ink.background}" stroke-width="${round2(0.14 * radius)}"`;
  const rings = chosen < 0 ? "" : ringsOf(places.x[chosen], places.y[chosen], em, ink);
  const shading = density.includes(arm) ? shadingOf(places, width, height, ink) : "";
  const [w, hgt] = [round2(width), round2(height)];
  const frame = `<rect width="${w}" height="${hgt}" fill="none" stroke="${ink.grid}" stroke-width="${round2(0.08 * em)}"/>`;
  const scale = flat ? scaleBar(roundLength(camera.scale(width, height)), width, height, em, ink) : tips(camera, height, em, ink);
  // A nested drawing cuts off what lies beyond its edges.
  const inside = `<svg width="${w}" height="${hgt}" viewBox="0 0 ${w} ${hgt}" overflow="hidden">`;
  return `${inside}<title>${xmlText(arm)}</title>${shading}<g ${rim}>${points}</g>${rings}${scale}</svg>${frame}`;
}

/** @param {Mark} mark */
function markSvg({ fill, shape, x, y, r }) {
  if (shape === "disc") return `<circle cx="${round2(x)}" cy="${round2(y)}" r="${round2(r)}" fill="${fill}"/>`;
  const line = STROKED[shape];
  const look = line ? `fill="none" stroke="${fill}" stroke-width="${round2(line * r)}"` : `fill="${fill}"`;
  return `<path d="${markPath(shape, r, x, y)}" ${look}/>`;
}

/** Where points are dense, as an image below them. @param {{x: Float32Array, y: Float32Array}} places
 * @param {number} width @param {number} height @param {Ink} ink */
function shadingOf({ x, y }, width, height, ink) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.ceil(SHADING * width), Math.ceil(SHADING * height)];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  pixels.fill(pixel(rgbOf(ink.background)));
  shade(pixels, canvas.width, canvas.height, SHADING, densityOf(x, y, width, height), ink);
  context.putImageData(image, 0, 0);
  return imageSvg(canvas, SHADING);
}

/** @param {HTMLCanvasElement} canvas @param {number} scale its pixels a px */
function imageSvg(canvas, scale) {
  const size = `width="${round2(canvas.width / scale)}" height="${round2(canvas.height / scale)}"`;
  return `<image ${size} xlink:href="${canvas.toDataURL("image/png")}"/>`;
}

/** The same points as an image. @param {Mark[]} marks @param {number} width @param {number} height @param {number} dpi */
function imageOf(marks, width, height, dpi) {
  const scale = dpi / 96;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.ceil(width * scale), Math.ceil(height * scale)];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(scale, scale);
  for (const { fill, shape, x, y, r } of marks) {
    const line = STROKED[shape];
    const path = new Path2D(markPath(shape, r, x, y));
    context.lineWidth = (line ?? 0.14) * r;
    context.strokeStyle = context.fillStyle = fill;
    if (line) context.stroke(path);
    else context.fill(path);
  }
  return imageSvg(canvas, scale);
}

/** @param {number} x @param {number} y @param {number} em @param {Ink} ink */
function ringsOf(x, y, em, ink) {
  const ring = (/** @type {string} */ stroke, /** @type {number} */ width) =>
    `<circle cx="${round2(x)}" cy="${round2(y)}" r="${round2(0.75 * em)}" fill="none" stroke="${stroke}" stroke-width="${round2(width * em)}"/>`;
  return ring(ink.background, 0.35) + ring(ink.text, 0.15);
}

/** A bar that says how long a round length is. @param {{value: number, pixels: number}} length
 * @param {number} width @param {number} height @param {number} em @param {Ink} ink */
function scaleBar({ value, pixels }, width, height, em, ink) {
  const parts = pixels > 0.4 * width ? 2 : 1; // a bar of half the length where the panel is small
  const long = pixels / parts;
  const [left, bottom, tick] = [0.6 * em, height - 0.6 * em, 0.3 * em];
  const path = `M${round2(left)} ${round2(bottom - tick)}v${round2(tick)}h${round2(long)}v${round2(-tick)}`;
  const bar = `<path d="${path}" fill="none" stroke="${ink.muted}" stroke-width="${round2(0.1 * em)}"/>`;
  return bar + halo([String(Number((value / parts).toPrecision(3)))], left + long / 2, bottom - 0.35 * em, em, ink);
}

/** The three axes, as they stand now. @param {import("./camera.js").Camera} camera
 * @param {number} height @param {number} em @param {Ink} ink */
function tips(camera, height, em, ink) {
  const [left, top] = [2.4 * em, height - 2.4 * em];
  return camera
    .tips()
    .map(([x, y], at) => {
      const path = `M${round2(left)} ${round2(top)}l${round2(1.5 * em * x)} ${round2(-1.5 * em * y)}`;
      const line = `<path d="${path}" fill="none" stroke="${ink.muted}" stroke-width="${round2(0.1 * em)}"/>`;
      return line + halo(["xyz"[at]], left + 2.1 * em * x, top - 2.1 * em * y + 0.3 * em, em, ink);
    })
    .join("");
}

/** A small text that stays legible above points. @param {string[]} lines @param {number} x
 * @param {number} y @param {number} em @param {Ink} ink */
function halo(lines, x, y, em, ink) {
  const how = { size: 0.8 * em, anchor: "middle" };
  const behind = `stroke="${ink.background}" stroke-width="${round2(0.25 * em)}" stroke-linejoin="round"`;
  return `<g ${behind}>${svgText(lines, x, y, { ...how, fill: ink.background })}</g>${svgText(lines, x, y, { ...how, fill: ink.muted })}`;
}
