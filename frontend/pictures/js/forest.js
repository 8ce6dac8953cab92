/** The verdict's forest plot as a picture: each claim with its word, and a line for each metric. */
import { h } from "../../live/js/dom.js";
import { lookOf } from "../../live/js/look.js";
import { round2, svgText, textLines, textWidth } from "./letters.js";
import { saveMenu } from "./menu.js";
import { lineMark, moved, PAPER, sheet } from "./sheet.js";
import { PX_MM, PX_PT } from "./sizes.js";

/** @typedef {import("./sheet.js").Ink} Ink */
/** @typedef {[number, number]|null} Ends */
/**
 * @typedef {Object} Row a metric of a claim
 * @property {string} label @property {string} word
 * @property {string} mean the difference as text @property {string} small what stands below it
 * @property {number|null} difference @property {number[]} differences of each seed
 * @property {Ends} bounds @property {Ends} wide @property {Ends} narrow
 * @property {boolean} few too few seeds for a mean @property {number} span @property {string} end
 * @property {"greater"|"less"} expected
 */
/** @typedef {{id: number, text: string, word: string, said: string, rows: Row[]}} Claim */
/** @typedef {{name: string, light: string, dark: string, dash: string}} Arm */
/**
 * @typedef {Object} Forest
 * @property {string} comparison @property {string} noun @property {string} over
 * @property {Arm} a @property {Arm} b @property {Claim[]} claims
 */

const WORD_COLOURS = {
  light: { good: "#00705a", bad: "#b84a00", same: "#0b5c9e", open: "#5b6570" },
  dark: { good: "#35c39b", bad: "#f59355", same: "#6cb8f2", open: "#a3adb8" },
};
/** @type {Record<string, "good"|"bad"|"same"|"open">} */
const TONES = { supported: "good", leaning_for: "good", contradicted: "bad", leaning_against: "bad", level: "same" };
const DECIDED = ["supported", "contradicted", "level"];
const LEVELS = [0.28, 0.5, 0.72]; // heights of the small dots by turns
const TRACK = 1.8; // height of a line in heights of letters
const REACH = 0.48; // from zero to the end of a scale, of its width
const NARROW = 500; // px; a claim's text stands above its lines
const TINIEST = 0.35; // of a slide's letters

/** @type {WeakMap<Element, {data: Forest}>} */
const forests = new WeakMap();

/** Put the button that saves the plot. @param {Element} parent @param {Forest} data */
export function mount(parent, data) {
  const found = forests.get(parent);
  if (found) {
    found.data = data;
    return;
  }
  const kept = { data };
  forests.set(parent, kept);
  const subject = () => ({ title: "Verdict", comparison: kept.data.comparison, file: "verdict" });
  const draw = (/** @type {any} */ size) => forestPicture(size, kept.data, lookOf(parent), parent.clientWidth);
  const tools = h("span", { class: "lb-tools" }, ...saveMenu(subject, draw));
  parent.append(h("div", { class: "lb-figure" }, h("header", {}, tools)));
}

/** @param {Element} parent */
export function unmount(parent) {
  forests.delete(parent);
  parent.replaceChildren();
}

/**
 * @param {import("./sizes.js").Size} size @param {Forest} forest
 * @param {Ink & {dark: boolean}} look of the page @param {number} wide px of the page
 */
export function forestPicture(size, forest, look, wide) {
  const onScreen = size.name === "screen";
  const [ink, dark] = onScreen ? [look, look.dark] : [PAPER, false];
  const tones = WORD_COLOURS[dark ? "dark" : "light"];
  const width = onScreen ? wide : size.width * PX_MM;
  const { a, b, comparison, over, noun, claims } = forest;
  const paint = { ink, tones, dark };
  return sheet({
    ...{ size, width, ink, entries: marks(noun, paint), listed: size.height ? 0.6 : 0.9 },
    title: `Verdict: ${a.name} minus ${b.name}`,
    under: [comparison, over, "every line has its own scale"].filter(Boolean).join(" · "),
    body: async (inner, high, em) => {
      let letters = em;
      let drawn = plot(claims, forest, inner, letters, paint);
      while (high && drawn.height > high && letters > TINIEST * em) {
        letters *= 0.94;
        drawn = plot(claims, forest, inner, letters, paint);
      }
      return drawn;
    },
  });
}

/** @typedef {{names: number, track: number, ends: number, figures: number}} Columns in px */
/** @typedef {{ink: Ink, tones: Record<string, string>, dark: boolean}} Paint */

/** @param {Claim[]} claims @param {Forest} forest @param {number} width @param {number} em @param {Paint} paint */
function plot(claims, { a, b }, width, em, paint) {
  const { ink } = paint;
  const narrow = width < NARROW;
  const left = 0.3 * em;
  const texts = narrow ? 0 : 0.34 * width;
  const lines = width - texts - 2 * left;
  const rows = claims.flatMap((claim) => claim.rows);
  const widest = (/** @type {string[]} */ all, /** @type {number} */ letters) =>
    Math.max(0, ...all.map((text) => textWidth(text, letters)));
  const names = Math.min(0.28 * lines, 13 * em);
  const shown = widest(rows.flatMap(({ mean, small }) => [mean, small]), 0.85 * em);
  const figures = Math.min(0.3 * lines, shown);
  const ends = 0.6 * em + widest(rows.map(({ end }) => `+${end}`), 0.72 * em);
  const columns = { names, track: lines - names - figures - 0.8 * em, ends, figures };
  const parts = [];
  let y = 0.2 * em;
  const start = narrow ? left : left + texts + names + 0.4 * em;
  const across = narrow ? lines : columns.track;
  const sides = [`←\u00a0greater in ${b.name}`, `greater in ${a.name}\u00a0→`];
  const half = across / 2 - 0.4 * em;
  const said = sides.map((side) => textLines(side, 0.8 * em, half, { most: 3 }));
  const small = { size: 0.8 * em, fill: ink.muted };
  parts.push(svgText(said[0], start, y + 0.8 * em, small));
  parts.push(svgText(said[1], start + across, y + 0.8 * em, { ...small, anchor: "end" }));
  y += Math.max(...said.map(({ length }) => length)) * em + 0.4 * em;
  for (const claim of claims) {
    const drawn = claimOf(claim, { texts: narrow ? lines : texts - em, narrow, columns }, em, paint);
    const rule = `<path d="M${round2(left)} ${round2(y)}H${round2(width - left)}" stroke="${ink.grid}" stroke-width="${round2(0.08 * em)}"/>`;
    parts.push(rule + moved(drawn.svg, left, y + 0.4 * em));
    y += drawn.height + 0.8 * em;
  }
  return { svg: parts.join(""), height: y };
}

/** @param {Claim} claim @param {{texts: number, narrow: boolean, columns: Columns}} room
 * @param {number} em @param {Paint} paint */
function claimOf({ id, text, word, said, rows }, { texts, narrow, columns }, em, paint) {
  const { ink, tones } = paint;
  const tone = tones[TONES[word] ?? "open"];
  const fill = DECIDED.includes(word) ? tone : "none";
  const dashes = TONES[word] ? "" : ` stroke-dasharray="${round2(0.2 * em)}"`;
  const disc = `<circle cx="${round2(0.42 * em)}" cy="${round2(0.62 * em)}" r="${round2(0.36 * em)}" fill="${fill}" stroke="${tone}" stroke-width="${round2(0.12 * em)}"${dashes}/>`;
  const named = svgText([said], 1.15 * em, 0.98 * em, { size: em, fill: tone, bold: true });
  const lines = textLines(`${id}. ${text}`, em, texts);
  const head = disc + named + svgText(lines, 0, 2.3 * em, { size: em, fill: ink.text });
  const headHeight = (2.5 + (lines.length - 1) * 1.25) * em;
  const drawn = [];
  let y = narrow ? headHeight + 0.2 * em : 0;
  const x = narrow ? 0 : texts + em;
  for (const row of rows) {
    const made = rowOf(row, columns, em, paint);
    drawn.push(moved(made.svg, x, y));
    y += made.height + 0.15 * em;
  }
  return { svg: head + drawn.join(""), height: Math.max(headHeight, y) };
}

/** @param {Row} row @param {Columns} columns @param {number} em @param {Paint} paint */
function rowOf(row, columns, em, paint) {
  const { names, track, figures } = columns;
  const { ink } = paint;
  const label = textLines(row.label, 0.85 * em, names);
  const small = textLines(row.small, 0.8 * em, figures);
  const right = (row.mean ? 1 : 0) + small.length;
  const height = Math.max(TRACK * em, label.length * 1.06 * em, right * 1.04 * em);
  const from = (/** @type {number} */ lines, /** @type {number} */ step) => height / 2 - ((lines - 1) * step) / 2 + 0.3 * em;
  const x = names + 0.4 * em;
  const at = x + track + 0.4 * em;
  const y = from(right, 1.04 * em);
  const parts = [svgText(label, 0, from(label.length, 1.06 * em), { size: 0.85 * em, fill: ink.text })];
  if (row.mean) parts.push(svgText([row.mean], at, y, { size: 0.9 * em, fill: ink.text, bold: true }));
  parts.push(svgText(small, at, y + (row.mean ? 1.04 * em : 0), { size: 0.8 * em, fill: ink.muted, leading: 1.3 }));
  if (row.difference !== null) parts.push(moved(trackOf(row, columns, em, paint), x, (height - TRACK * em) / 2));
  return { svg: parts.join(""), height };
}

/** The picture of one difference. @param {Row} row @param {Columns} columns @param {number} em @param {Paint} paint */
function trackOf(row, { track: width, ends }, em, paint) {
  const { ink, tones } = paint;
  const high = TRACK * em;
  const scale = width - 2 * ends;
  const at = (/** @type {number} */ value) => ends + scale * (0.5 + REACH * Math.min(1, Math.max(-1, value / row.span)));
  const tone = tones[TONES[row.word] ?? "open"];
  const parts = [];
  const box = (/** @type {Ends} */ range, /** @type {number} */ share, /** @type {string} */ look) => {
    if (!range) return;
    const [from, to] = range.map(at);
    const size = `width="${round2(Math.max(0.1 * em, to - from))}" height="${round2(share * high)}"`;
    parts.push(`<rect x="${round2(from)}" y="${round2(((1 - share) / 2) * high)}" ${size} ${look}/>`);
  };
  const side = row.expected === "greater" ? at(0) : ends;
  parts.push(`<rect x="${round2(side)}" y="0" width="${round2(scale / 2)}" height="${round2(high)}" ${claimedLook(paint)}/>`);
  box(row.bounds, 1, boundsLook(paint, em));
  parts.push(`<path d="M${round2(at(0))} ${round2(-0.1 * em)}v${round2(high + 0.2 * em)}" stroke="${ink.muted}" stroke-width="${round2(0.1 * em)}"/>`);
  box(row.wide, 0.42, `fill="${tone}" fill-opacity="0.4"`);
  box(row.narrow, 0.09, `fill="${tone}"`);
  row.differences.forEach((value, place) => parts.push(seedDot(at(value), LEVELS[place % 3] * high, em, ink)));
  if (!row.few || !row.differences.length) parts.push(meanDot(at(/** @type {number} */ (row.difference)), high / 2, em, tone, ink));
  const how = { size: 0.72 * em, fill: ink.muted };
  parts.push(svgText([`−${row.end}`], ends - 0.35 * em, high / 2 + 0.25 * em, { ...how, anchor: "end" }));
  parts.push(svgText([`+${row.end}`], width - ends + 0.35 * em, high / 2 + 0.25 * em, how));
  return parts.join("");
}

/** @param {number} x @param {number} y @param {number} em @param {Ink} ink */
function seedDot(x, y, em, ink) {
  const look = `fill="${ink.background}" fill-opacity="0.55" stroke="${ink.text}" stroke-width="${round2(0.07 * em)}"`;
  return `<circle cx="${round2(x)}" cy="${round2(y)}" r="${round2(0.2 * em)}" ${look}/>`;
}

/** @param {number} x @param {number} y @param {number} em @param {string} tone @param {Ink} ink */
function meanDot(x, y, em, tone, ink) {
  const look = `fill="${tone}" stroke="${ink.background}" stroke-width="${round2(0.1 * em)}"`;
  return `<circle cx="${round2(x)}" cy="${round2(y)}" r="${round2(0.36 * em)}" ${look}/>`;
}

/** @param {Paint} paint */
function claimedLook({ ink }) {
  return `fill="${ink.text}" fill-opacity="0.07"`;
}

/** @param {Paint} paint @param {number} em */
function boundsLook({ tones }, em) {
  const line = `stroke="${tones.same}" stroke-width="${round2(0.07 * em)}" stroke-dasharray="${round2(0.25 * em)} ${round2(0.18 * em)}"`;
  return `fill="${tones.same}" fill-opacity="0.16" ${line}`;
}

/** What each mark means. @param {string} noun @param {Paint} paint @returns {import("./sheet.js").Entry[]} */
function marks(noun, paint) {
  const { ink, tones } = paint;
  const bar = (/** @type {number} */ share, /** @type {(em: number) => string} */ look) =>
    (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ em) => {
      const size = `width="${round2(1.6 * em)}" height="${round2(share * em)}"`;
      return `<rect x="${round2(x - 0.8 * em)}" y="${round2(y - (share * em) / 2)}" ${size} ${look(em)}/>`;
    };
  /** @type {[string, (x: number, y: number, em: number) => string][]} */
  const signs = [
    [`one ${noun}'s difference`, (x, y, em) => seedDot(x, y, em, ink)],
    ["their mean", (x, y, em) => meanDot(x, y, em, tones.good, ink)],
    ["simultaneous interval, which decides", bar(0.7, () => `fill="${tones.good}" fill-opacity="0.4"`)],
    ["95 % interval", bar(0.16, () => `fill="${tones.good}"`)],
    ["practical bounds: within them, level", bar(0.9, (em) => boundsLook(paint, em))],
    ["the claimed side", bar(0.9, () => claimedLook(paint))],
  ];
  return signs.map(([name, sign]) => ({ name, kind: "line", color: "", sign }));
}
