/** The card beside a sample under the pointer. */
import { h, swatch } from "../../live/js/dom.js";
import { groupStyle } from "./colouring.js";
import { aboutText, markOf } from "./inside.js";
import { sign } from "./legend.js";
import { nameOf, picture, textOf } from "./picture.js";

/** @typedef {import("./source.js").Samples} Samples */
/** @typedef {import("./source.js").ArmFacts} ArmFacts */

const SIDE = 84;

/**
 * @param {Samples} samples @param {number} sample
 * @param {import("./panel.js").Arm[]} arms
 * @param {Map<string, ArmFacts>|null} facts
 * @param {boolean} dark
 * @returns {HTMLElement}
 */
export function cardOf(samples, sample, arms, facts, dark) {
  const verdicts = arms.map(({ name, color, dash }) => {
    const right = facts?.get(name)?.correct[sample];
    const match = right == null ? null : right ? "hit" : "miss";
    const parts = [swatch(color, dash), h("b", {}, markOf(right)), h("span", {}, name)];
    return h("li", { "data-match": match }, ...parts);
  });
  const colour = sign(groupStyle(samples.labels[sample], dark), dark);
  return h(
    "div",
    {},
    picture(samples, sample, SIDE, dark),
    h(
      "div",
      {},
      h("strong", {}, colour, nameOf(samples, sample)),
      h("small", {}, aboutText(samples, sample)),
      h("ul", { "aria-label": "Nearest other sample of the same class?" }, ...verdicts),
    ),
  );
}

/** The card in words. @param {Samples} samples @param {number} sample
 * @param {import("./panel.js").Arm[]} arms @param {Map<string, ArmFacts>|null} facts */
export function cardText(samples, sample, arms, facts) {
  const verdicts = arms.map(({ name }) => {
    const right = facts?.get(name)?.correct[sample];
    return `${name} ${right == null ? "unknown" : right ? "right" : "wrong"}`;
  });
  const text = textOf(samples, sample);
  return [...(text ? [text] : []), nameOf(samples, sample), aboutText(samples, sample), ...verdicts].join(", ");
}
