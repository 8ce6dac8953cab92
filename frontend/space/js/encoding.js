/** Which colouring each panel has, for what the viewer wants to see. */
import { byCorrect, byDistance, byGroup, plain, spanOf } from "./colouring.js";
import { className } from "./picture.js";

/** @typedef {import("./colouring.js").By} By */
/** @typedef {import("./colouring.js").Colouring} Colouring */
/** @typedef {import("./source.js").Samples} Samples */
/** @typedef {import("./source.js").ArmFacts} ArmFacts */

/** The colour asked for, as far as the data have it. @param {By} by @param {Samples} samples
 * @returns {By} */
export function possible(by, { fine, modality }) {
  return (by === "fine" && !fine) || (by === "modality" && !modality) ? "class" : by;
}

/** Each sample's label, and the labels' names. @param {By} by @param {Samples} samples
 * @returns {[number[], (group: number) => string]} */
export function labelling(by, samples) {
  if (by === "fine" && samples.fine) {
    return [samples.fine, (group) => (group < 0 ? "without a fine label" : `fine ${group}`)];
  }
  if (by === "modality" && samples.modality) {
    return [samples.modality, (group) => samples.modalities?.[group] ?? `modality ${group}`];
  }
  return [samples.labels, (group) => className(samples, group)];
}

/**
 * @param {By} by @param {Samples} samples @param {string[]} arms
 * @param {Map<string, ArmFacts>|null} facts by arm; null: not known yet
 * @param {boolean} dark
 * @returns {{colourings: Map<string, Colouring>, span: [number, number]}} span: of the distances
 */
export function encoded(by, samples, arms, facts, dark) {
  const known = arms.map((arm) => facts?.get(arm));
  const span = spanOf(known.map((each) => each?.centroid_distance ?? []));
  const shared = by === "correct" || by === "distance" ? null : byGroup(labelling(by, samples)[0], dark);
  const colourings = arms.map((arm, at) => {
    const its = known[at];
    /** @type {[string, Colouring]} */
    const colouring = [arm, shared ?? plain(samples.n, dark)];
    if (its && by === "correct") colouring[1] = byCorrect(its.correct, dark);
    if (its && by === "distance") colouring[1] = byDistance(its.centroid_distance, span);
    return colouring;
  });
  return { colourings: new Map(colourings), span };
}
