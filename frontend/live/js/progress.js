/** How far the runs are and how long the rest takes; pure. */

/** @typedef {{what: string, done: number, total: number|null, unit: string,
 *   eta_s: number|null}} Preparation */

/** @typedef {{id: string, arm: string, seed: number, state: string, progress: number,
 *   eta_s: number|null, preparing: Preparation|null, attempt: number, device: string|null, step: number|null,
 *   total_steps: number|null, steps_per_epoch: number, started_at: string|null,
 *   ended_at: string|null, states: {state: string, step: number, message: string}[],
 *   error: {message: string, cause: string|null, step: number|null}|null
 * }} RunOut */

export const FINAL = new Set(["succeeded", "failed", "cancelled"]);

/** Share of the work before the first step that is behind, 0..1; null if unknown.
 * @param {Preparation} preparing */
export function prepared({ done, total }) {
  return total ? Math.min(1, done / total) : null;
}

/** Whether runs are at work and none has come to its first step. @param {RunOut[]} runs */
export function isPreparing(runs) {
  const running = runs.filter((run) => run.state === "running");
  return running.length > 0 && running.every((run) => run.preparing);
}

/** State of a comparison, told from its runs. @param {RunOut[]} runs */
export function overallState(runs) {
  const order = ["running", "queued", "failed", "cancelled"];
  const has = (/** @type {string} */ state) => runs.some((run) => run.state === state);
  const state = order.find(has) ?? "succeeded";
  // Between two of its runs a comparison has begun.
  return state === "queued" && (has("succeeded") || has("failed")) ? "running" : state;
}

/** Whether runs wait and none is at work. @param {RunOut[]} runs */
export function isWaiting(runs) {
  const has = (/** @type {string} */ state) => runs.some((run) => run.state === state);
  return has("queued") && !has("running");
}

/**
 * Share of the work that is done, 0..1; of failed and cancelled runs as far as they came.
 * @param {RunOut[]} runs
 */
export function overallProgress(runs) {
  if (!runs.length) return 0;
  const done = runs.map((run) => (run.state === "succeeded" ? 1 : run.progress || 0));
  return done.reduce((sum, share) => sum + share, 0) / runs.length;
}

/**
 * Seconds until all runs have ended if as many go on side by side as do now; null if unknown.
 * A queued run is taken to last as long as its arm's other runs did, or else as all others did.
 * @param {RunOut[]} runs
 */
export function overallEta(runs) {
  const running = runs.filter((run) => run.state === "running");
  const queued = runs.filter((run) => run.state === "queued");
  if (!running.length || running.some((run) => run.eta_s == null)) return null;
  const known = runs
    .map((run) => ({ arm: run.arm, seconds: wholeDuration(run) }))
    .filter(({ seconds }) => seconds != null);
  if (queued.length && !known.length) return null;
  const mean = (/** @type {{seconds: number}[]} */ of) =>
    of.reduce((sum, { seconds }) => sum + seconds, 0) / of.length;
  const waiting = queued.map((run) => {
    const alike = known.filter(({ arm }) => arm === run.arm);
    return mean(alike.length ? alike : known);
  });
  const open = running.map((run) => run.eta_s);
  const work = [...open, ...waiting].reduce((sum, seconds) => sum + seconds, 0);
  return Math.max(work / running.length, ...open);
}

/** Seconds a run takes from its start to its end. @param {RunOut} run */
function wholeDuration(run) {
  if (run.state === "succeeded" && run.started_at && run.ended_at) {
    return (Date.parse(run.ended_at) - Date.parse(run.started_at)) / 1000;
  }
  if (run.state === "running" && run.eta_s != null && run.progress > 0 && run.progress < 1) {
    return run.eta_s / (1 - run.progress);
  }
  return null;
}

/** The runs of each state, as "2 running, 3 queued". @param {RunOut[]} runs */
export function tally(runs) {
  return ["running", "queued", "succeeded", "failed", "cancelled"]
    .map((state) => [runs.filter((run) => run.state === state).length, state])
    .filter(([count]) => count)
    .map(([count, state]) => `${count} ${state}`)
    .join(", ");
}

/** What a chart without points waits for. @param {RunOut[]} runs */
export function emptyNote(runs) {
  if (isPreparing(runs)) return "Being prepared";
  if (isWaiting(runs)) return "Waiting for a worker";
  return overallState(runs) === "running" ? "Nothing measured yet" : "Nothing was measured";
}
