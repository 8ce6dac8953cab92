/** The line above the charts: state, progress, time left, and whether the page is live. */
import { h, setAttribute, setText } from "./dom.js";
import { counted, duration, percent } from "./format.js";
import { FINAL, overallEta, overallProgress, overallState, tally } from "./progress.js";

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

export class Status {
  #state = h("span", { class: "lb-state", "data-testid": "comparison-state" });
  #tally = h("span", { class: "lb-tally" });
  #rest = h("span", { class: "lb-rest", "data-testid": "comparison-eta" });
  #bar = h("i");
  #connection = h("span", { class: "lb-connection", "data-testid": "connection" });
  #waiting = h("p", { class: "lb-waiting", hidden: true, "data-testid": "waiting" });

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
  }

  /** Say what is waited for while nothing runs; "" for nothing.
   * @param {string} text @param {number|null} workers that are connected; null if unknown */
  wait(text, workers) {
    setText(this.#waiting, text);
    setAttribute(this.#waiting, "data-workers", workers);
    this.#waiting.hidden = !text;
  }
}
