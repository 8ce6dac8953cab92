/** What stands in place of the panels, or above them: why there is nothing, or not yet. */
import { h, setAttribute, setText } from "../../live/js/dom.js";
import { duration, percent } from "../../live/js/format.js";
import { METHODS } from "./choices.js";

/** @typedef {import("./source.js").Projection} Projection */
/** @typedef {import("./source.js").Trouble} Trouble */

export class Notice {
  #title = h("strong");
  #text = h("p");
  #done = h("i");
  #bar = h("div", { class: "lb-bar", role: "progressbar", "aria-label": "Progress" }, this.#done);
  #again;

  /** @param {() => void} again */
  constructor(again) {
    this.#again = h(
      "button",
      { type: "button", class: "lb-sp-button", "data-testid": "space-again", onclick: again },
      "Try again",
    );
    this.element = h(
      "div",
      { class: "lb-sp-notice", "data-testid": "space-notice", role: "status" },
      this.#title,
      this.#text,
      this.#bar,
      this.#again,
    );
  }

  /** Nothing to say. */
  clear() {
    this.element.hidden = true;
  }

  loading() {
    this.#say("loading", "Loading the embedding space …", "");
  }

  /** @param {boolean} open whether runs are under way @param {number|null} every epochs */
  empty(open, every) {
    const then = every ? `, then every ${every === 1 ? "epoch" : `${every} epochs`} and at the end` : "";
    const text = open
      ? `First snapshot at epoch 0, as soon as a run has started${then}. The panels appear by themselves.`
      : "No run kept a snapshot of the held-out samples: it ended before epoch 0 was measured.";
    this.#say("empty", open ? "No snapshot yet" : "No snapshot", text);
  }

  /** @param {Projection} projection @param {boolean} insists whether a failed one is asked for */
  busy(projection, insists) {
    const { state, progress, eta_s: left, n, epochs, arms } = projection;
    const method = METHODS[/** @type {keyof typeof METHODS} */ (projection.method)];
    if (state === "failed") {
      const why = projection.error ?? "The worker gave no reason.";
      const wait = insists ? " It is tried again half a minute after it failed." : "";
      this.#say("failed", `${method} failed`, why + wait, { again: !insists });
      return;
    }
    const size = `${n.toLocaleString("en")} samples × ${arms.length} arms × ${epochs.length} epochs`;
    if (state === "queued") {
      this.#say("queued", `${method} is queued`, `${size}. A worker computes it once; then it is kept.`, { share: 0 });
      return;
    }
    const eta = left == null ? "" : `, about ${duration(left)} left`;
    this.#say("running", `${method} is being computed: ${percent(progress)}${eta}`, size, { share: progress });
  }

  /** @param {Trouble} trouble */
  trouble({ kind, message }) {
    if (kind === "gone") {
      this.#say("gone", "This comparison no longer exists", "It was deleted, and its snapshots with it.");
    } else if (kind === "away") {
      this.#say("away", message, "It is asked again every few seconds; nothing is lost.", { again: true });
    } else this.#say("refused", "The embedding space cannot be shown", message, { again: true });
  }

  /** @param {string} state @param {string} title @param {string} text
   * @param {{again?: boolean, share?: number}} [more] */
  #say(state, title, text, { again = false, share } = {}) {
    this.element.hidden = false;
    setAttribute(this.element, "data-state", state);
    setText(this.#title, title);
    setText(this.#text, text);
    this.#again.hidden = !again;
    this.#bar.hidden = share === undefined;
    setAttribute(this.#bar, "aria-valuenow", share === undefined ? null : Math.round(share * 100));
    this.#done.style.width = `${100 * (share ?? 0)}%`;
  }
}
