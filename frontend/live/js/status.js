/** The line above the charts: state, progress, time left, and whether the page is live. */
import { ownAddress } from "./address.js";
import { h, setAttribute, setText } from "./dom.js";
import { counted, duration, percent } from "./format.js";
import { FINAL, isWaiting, overallEta, overallProgress, overallState, tally } from "./progress.js";
import { signIn } from "./signin.js";

/** @typedef {import("./stream.js").StreamState} StreamState */
/** @typedef {import("./progress.js").RunOut} RunOut */

const CONNECTION = {
  connecting: ["connecting", "Opening the live stream"],
  live: ["live", "New points appear as they are measured"],
  reconnecting: ["reconnecting", "The live stream is interrupted; what is shown may be old"],
  paused: ["paused", "The live stream rests while this tab is hidden"],
  ended: ["ended", "All runs have ended; nothing more will come"],
  missing: ["deleted", "This comparison no longer exists"],
};
const POLL_MS = 3_000;

export class Status {
  #state = h("span", { class: "lb-state", "data-testid": "comparison-state" });
  #tally = h("span", { class: "lb-tally" });
  #rest = h("span", { class: "lb-rest", "data-testid": "comparison-eta" });
  #bar = h("i");
  #connection = h("span", { class: "lb-connection", "data-testid": "connection" });
  #waiting = h("p", { class: "lb-waiting", hidden: true, "data-testid": "waiting" });
  /** @type {number|undefined} */
  #poll;
  #gone = false;

  #line = h("div", { class: "lb-line" }, this.#state, this.#tally, this.#rest, this.#connection);

  constructor() {
    this.element = h(
      "div",
      { class: "lb-status" },
      this.#line,
      h("div", { class: "lb-bar lb-overall" }, this.#bar),
      this.#waiting,
    );
  }

  /** Put a button before the state of the connection. @param {HTMLElement} button */
  add(button) {
    this.#line.insertBefore(button, this.#connection);
  }

  /** @param {StreamState} state */
  connection(state) {
    const [text, title] = CONNECTION[state];
    setText(this.#connection, text);
    setAttribute(this.#connection, "data-state", state);
    setAttribute(this.#connection, "title", title);
  }

  /** @param {RunOut[]} runs */
  draw(runs) {
    const state = overallState(runs);
    const progress = overallProgress(runs);
    setText(this.#state, state);
    setAttribute(this.#state, "data-state", state);
    const ended = runs.filter((run) => FINAL.has(run.state)).length;
    const mixed = runs.some((run) => run.state !== state);
    setText(this.#tally, mixed ? tally(runs) : counted(runs.length, "run"));
    const eta = overallEta(runs);
    const left = eta == null ? "" : ` · about ${duration(eta)} left`;
    setText(this.#rest, ended < runs.length && progress > 0 ? `${percent(progress)}${left}` : "");
    this.#bar.style.width = `${100 * progress}%`;
    setAttribute(this.#bar.parentElement, "data-state", state);
    this.#await(isWaiting(runs));
  }

  /** Stop asking. */
  destroy() {
    this.#gone = true;
    clearInterval(this.#poll);
  }

  /** While nothing runs, say what is waited for. @param {boolean} waiting */
  #await(waiting) {
    if (waiting && this.#poll === undefined && !this.#gone) {
      this.#poll = setInterval(() => this.#askWorkers(), POLL_MS);
      this.#askWorkers();
    } else if (!waiting) {
      clearInterval(this.#poll);
      this.#poll = undefined;
      this.#waiting.hidden = true;
    }
  }

  async #askWorkers() {
    if (document.hidden) return;
    const answer = await fetch(ownAddress("/api/v1/workers")).catch(() => null);
    if (answer?.status === 401) signIn();
    if (this.#poll === undefined) return; // it has started in the meantime
    const workers = answer?.ok ? (await answer.json()).workers : null;
    setText(this.#waiting, workers ? waitingText(workers) : "Queued. The API does not answer.");
    setAttribute(this.#waiting, "data-workers", workers ? present(workers).length : null);
    this.#waiting.hidden = false;
  }
}

/** @param {{state: string}[]} workers */
function present(workers) {
  return workers.filter((worker) => worker.state !== "lost");
}

/** What a queued comparison waits for. @param {{state: string}[]} workers */
export function waitingText(workers) {
  const here = present(workers);
  if (!here.length) {
    return "Queued, and no worker is connected. The runs start by themselves as soon as one is.";
  }
  if (here.every((worker) => worker.state === "busy")) {
    const who = here.length === 1 ? "The worker is" : `All ${here.length} workers are`;
    return `Queued. ${who} busy with other runs; these come next.`;
  }
  return "Queued. A worker is about to start the first run.";
}
