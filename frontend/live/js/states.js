/** Whether the runs train: a banner for each state that runs are in, told from the runs; live. */
import { counted } from "./format.js";
import { Notices } from "./notices.js";

/** @typedef {import("./progress.js").RunOut} RunOut */
/** @typedef {{arm: string, runs: RunOut[], of: number}} Share */
/** @typedef {{state: string, arms: Share[], example: RunOut, message: string}} Found */

/** State -> its name, most serious first. */
export const NAMES = {
  overflow: "overflow",
  no_valid_tuple: "no valid tuple",
  collapsed: "collapsed",
  below_untrained: "below the untrained network",
  below_backbone: "below the raw backbone",
};
const NOT_TRAINED = new Set(["overflow", "no_valid_tuple", "collapsed"]);

/**
 * The states of all runs, most serious first, with the arms that are in them.
 * @param {RunOut[]} runs
 * @returns {Found[]}
 */
export function found(runs) {
  const arms = [...new Set(runs.map((run) => run.arm))];
  return Object.keys(NAMES).flatMap((state) => {
    const inside = runs.filter((run) => messageOf(run, state) !== undefined);
    if (!inside.length) return [];
    const shares = arms
      .map((arm) => ({
        arm,
        runs: inside.filter((run) => run.arm === arm),
        of: runs.filter((run) => run.arm === arm && run.state !== "queued").length,
      }))
      .filter((share) => share.runs.length);
    return [{ state, arms: shares, example: inside[0], message: messageOf(inside[0], state) }];
  });
}

/** @param {RunOut} run @param {string} state @returns {string|undefined} */
function messageOf(run, state) {
  return run.states?.find((one) => one.state === state)?.message;
}

/** A state's sign and name. @param {string} state */
function signed(state) {
  return `${NOT_TRAINED.has(state) ? "⚠" : "↓"} ${NAMES[state] ?? state}`;
}

/** A run's states with their signs, for its cell; empty without one. @param {RunOut} run */
export function marks(run) {
  return (run.states ?? []).map(({ state }) => signed(state)).join(", ");
}

/** Whether a run was not trained, or only is worse than it should be; null if all is well.
 * @param {RunOut} run @returns {"serious"|"mild"|null} */
export function severity(run) {
  const states = (run.states ?? []).map(({ state }) => state);
  if (!states.length) return null;
  return states.some((state) => NOT_TRAINED.has(state)) ? "serious" : "mild";
}

/** What a banner says of its arms, as "a in 2 of 3 runs, b". @param {Share[]} arms */
export function armsText(arms) {
  return arms
    .map(({ arm, runs, of }) => (of === 1 ? arm : `${arm} in ${runs.length} of ${counted(of, "run")}`))
    .join(", ");
}

export class States {
  #notices = new Notices({ class: "lb-states", role: "status", "data-testid": "run-states" }, "notice");
  element = this.#notices.element;

  /** @param {RunOut[]} runs */
  draw(runs) {
    this.#notices.draw(
      found(runs).map(({ state, arms, example, message }) => ({
        attributes: { class: "lb-warned", "data-state": state, "data-serious": NOT_TRAINED.has(state) },
        head: signed(state),
        texts: [armsText(arms)],
        cause: `${example.arm}, seed ${example.seed}: ${message}`,
      })),
    );
  }
}
