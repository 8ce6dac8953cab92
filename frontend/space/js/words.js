/** Lines of text around the panels. */
import { METHODS } from "./choices.js";

/** @typedef {import("./source.js").Samples} Samples */

/** What the pointer does. @param {boolean} moves @param {2|3} dims */
export function hint(moves, dims) {
  const select = "select the same samples in all panels";
  const move = dims === 3 ? "turn them" : "move them";
  const [first, second] = moves ? [`Drag to ${move}`, select] : [`Draw around points to ${select}`, move];
  return `${first}, with shift to ${second}; the wheel zooms, a double click shows all, a click on a point looks inside.`;
}

/** How much of the held-out split is shown. @param {Samples} samples */
export function shareText({ n, total }) {
  return `${n.toLocaleString("en")} of ${total.toLocaleString("en")} held-out samples`;
}

/** What the panels show, in a line. @param {import("./source.js").Projection} projection
 * @param {Samples} samples */
export function explained({ method, arms }, { split }) {
  const aligned = "axes of each arm aligned to the first by Procrustes (rotation and reflection only)";
  const name = METHODS[/** @type {keyof typeof METHODS} */ (method)];
  const several = arms.length > 1 ? `; ${aligned}; one scale in all panels` : "";
  return `${name} of the ${split} snapshot${several}.`;
}
