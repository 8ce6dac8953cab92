/** What the colours and signs mean; a class's entry selects its samples. */
import { h } from "../../live/js/dom.js";
import { number } from "../../live/js/format.js";
import { groupStyle, ramp, rgbOf, verdictStyles } from "./colouring.js";
import { labelling } from "./encoding.js";
import { stamp } from "./stamps.js";

/** @typedef {import("./source.js").Samples} Samples */
/** @typedef {import("./colouring.js").Style} Style */

const IN_ORDER = new Intl.Collator("en", { numeric: true });
const SIDE = 7; // radius of a sign in device pixels, drawn at half the size
const BOX = 23; // pixels of its picture, room for every shape

/**
 * @param {import("./colouring.js").By} by
 * @param {Samples} samples
 * @param {[number, number]} span of the distances
 * @param {boolean} dark
 * @param {(labels: number[], group: number) => void} select the samples with a label
 * @returns {HTMLElement}
 */
export function legend(by, samples, span, dark, select) {
  if (by === "distance") return scale(span);
  if (by === "correct") {
    const { right, wrong, unknown } = verdictStyles(dark);
    return list([
      entry(right, "right: the nearest other sample has the same class", dark),
      entry(wrong, "wrong: it has another class", dark),
      entry(unknown, "the only one of its class, or not known yet", dark),
    ]);
  }
  const [labels, name] = labelling(by, samples);
  const groups = [...new Set(labels)].sort((a, b) => a - b);
  // The labels of class folders are in the order of letters, in which 10 is before 2.
  if (by === "class") groups.sort((a, b) => IN_ORDER.compare(name(a), name(b)));
  return list(
    groups.map((group) => {
      const sign = entry(groupStyle(group, dark), name(group), dark);
      const title = `Select all of ${name(group)}`;
      return h("button", { type: "button", title, onclick: () => select(labels, group) }, ...sign.childNodes);
    }),
  );
}

/** @type {Map<string, string>} pictures of signs that were drawn before */
const signs = new Map();

/** A sign as a picture. @param {Style} style @param {boolean} dark */
export function sign({ fill, shape }, dark) {
  const key = `${shape} ${fill} ${dark}`;
  const src = signs.get(key) ?? drawn(fill, shape, dark);
  signs.set(key, src);
  return h("img", { class: "lb-sp-sign", src, alt: "" });
}

/** @param {string} fill @param {Style["shape"]} shape @param {boolean} dark @returns {string} the address of the picture itself */
function drawn(fill, shape, dark) {
  const colour = rgbOf(fill);
  const edge = /** @type {[number, number, number]} */ (colour.map((part) => Math.round(part * (dark ? 0.5 : 0.65))));
  const made = stamp(shape, SIDE, colour, edge, 1.4, 1);
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas"));
  canvas.width = canvas.height = BOX;
  const image = new ImageData(made.size, made.size);
  for (let at = 0; at < made.rest.length; at++) {
    const weight = 256 - made.rest[at];
    if (!weight) continue;
    const redBlue = Math.round(made.redBlue[at] / weight);
    const parts = [redBlue & 255, Math.round(made.green[at] / weight) >>> 8, redBlue >>> 16];
    image.data.set([...parts, Math.min(255, weight)], 4 * at);
  }
  const start = (BOX - made.size) / 2;
  canvas.getContext("2d")?.putImageData(image, start, start);
  return canvas.toDataURL();
}

/** @param {Style} style @param {string} text @param {boolean} dark */
function entry(style, text, dark) {
  return h("span", {}, sign(style, dark), text);
}

/** @param {HTMLElement[]} entries */
function list(entries) {
  return h("div", { class: "lb-sp-legend", role: "group", "aria-label": "Colours" }, ...entries);
}

/** @param {[number, number]} span */
function scale([low, high]) {
  const stops = Array.from({ length: 10 }, (_, at) => ramp(at / 9));
  return h(
    "div",
    { class: "lb-sp-legend" },
    h("span", {}, number(low)),
    h("i", { class: "lb-sp-ramp", style: `background: linear-gradient(90deg, ${stops.join(", ")})` }),
    h("span", {}, `${number(high)} and more`),
    h("span", {}, "distance to the own class's centroid in the embedding space; one scale for all panels"),
  );
}
