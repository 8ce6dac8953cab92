/** Samples as people see them: pictures, cut out of the one that holds them all, or texts. */
import { h } from "../../live/js/dom.js";
import { groupStyle } from "./colouring.js";

/** @typedef {import("./source.js").Samples} Samples */

const CHARACTERS = [[84, 200], [50, 110], [0, 72]]; // side of a picture, characters of a text in its place

/**
 * @param {Samples} samples
 * @param {number} sample
 * @param {number} side CSS pixels
 * @param {boolean} dark
 * @returns {HTMLElement} the beginning of a text; a plain tile in the class's colour where there is
 *   no picture
 */
export function picture(samples, sample, side, dark) {
  const name = nameOf(samples, sample);
  const text = textOf(samples, sample);
  if (text) {
    const [, characters] = CHARACTERS.find(([least]) => side >= least) ?? CHARACTERS[0];
    const style = `--class: ${groupStyle(samples.labels[sample], dark).fill}`;
    return h("span", { class: "lb-sp-sentence", style }, shortened(text, characters));
  }
  const look = { role: "img", "aria-label": `${kindOf(samples)} of sample ${samples.ids[sample]}, ${name}` };
  const { sprite, tile, columns, n } = samples;
  if (!sprite || !tile || !columns) {
    const colour = groupStyle(samples.labels[sample], dark).fill;
    const style = `width: ${side}px; height: ${side}px; --class: ${colour}`;
    return h("span", { class: "lb-sp-tile lb-sp-blank", style, ...look }, name);
  }
  const [column, row] = [sample % columns, Math.floor(sample / columns)];
  const size = `${columns * side}px ${Math.ceil(n / columns) * side}px`;
  const place = `${-column * side}px ${-row * side}px`;
  const style = `width: ${side}px; height: ${side}px; background: url("${sprite}") ${place} / ${size}`;
  return h("span", { class: "lb-sp-tile", style, ...look });
}

/** The beginning of a sample's text, "" where samples are none. @param {Samples} samples @param {number} sample */
export function textOf({ texts }, sample) {
  return texts?.[sample] ?? "";
}

/** @param {string} text @param {number} characters at most */
export function shortened(text, characters) {
  return text.length > characters ? `${text.slice(0, characters - 1).trimEnd()}…` : text;
}

/** A sample in words: its text and class, or its class. @param {Samples} samples @param {number} sample */
export function wordsOf(samples, sample) {
  const text = textOf(samples, sample);
  return text ? `“${shortened(text, 72)}” (${nameOf(samples, sample)})` : nameOf(samples, sample);
}

/** The name of a sample's class. @param {Samples} samples @param {number} sample */
export function nameOf(samples, sample) {
  return className(samples, samples.labels[sample]);
}

/** @param {Samples} samples @param {number} label */
export function className({ classes }, label) {
  return classes[label] ?? `class ${label}`;
}

/** @param {Samples} samples */
function kindOf({ media }) {
  return media === "spectrogram" ? "Spectrogram" : "Picture";
}
