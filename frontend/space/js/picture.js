/** Pictures of samples, cut out of the one picture that holds them all. */
import { h } from "../../live/js/dom.js";
import { groupStyle } from "./colouring.js";

/** @typedef {import("./source.js").Samples} Samples */

/**
 * @param {Samples} samples
 * @param {number} sample
 * @param {number} side CSS pixels
 * @param {boolean} dark
 * @returns {HTMLElement} a plain tile in the class's colour where there is no picture
 */
export function picture(samples, sample, side, dark) {
  const name = nameOf(samples, sample);
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
