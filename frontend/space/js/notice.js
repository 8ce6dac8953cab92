/** What stands in place of the panels, or above them: why there is nothing, or not yet. */
import { h, setAttribute, setText } from "../../live/js/dom.js";
import { duration, ordinal, percent } from "../../live/js/format.js";
import { METHODS } from "./choices.js";

/** @typedef {import("./source.js").Projection} Projection */
/** @typedef {import("./source.js").Trouble} Trouble */

export class Notice {
  #title = h("strong");
  #text = h("p");
  #done = h("i");
  #bar = h("div", { class: "lb-bar", role: "progressbar", "aria-label": "Progress" }, this.#done);
  #again;
  #cancel;

  /** @param {() => void} again @param {() => void} cancel */
  constructor(again, cancel) {
    this.#cancel = h(
      "button",
      { type: "button", class: "lb-sp-button", "data-testid": "space-cancel", onclick: cancel },
      "Cancel",
    );
    this.#again = h(
      "button",
      { type: "button", class: "lb-sp-button", "data-testid": "space-again", onclick: again },
    );
    this.element = h(
      "div",
      { class: "lb-sp-notice", "data-testid": "space-notice", role: "status" },
      this.#title,
      this.#text,
      this.#bar,
      h("div", { class: "lb-sp-row" }, this.#again, this.#cancel),
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

  /** @param {Projection} projection @param {string} shown the method that the panels show meanwhile;
   *   none for an empty one */
  busy(projection, shown) {
    const { state, progress, place, eta_s: left, n, epochs, arms } = projection;
    const method = METHODS[/** @type {keyof typeof METHODS} */ (projection.method)];
    if (state === "failed") {
      this.#say("failed", `${method} failed`, projection.error ?? "The worker gave no reason.", { again: "Try again" });
      return;
    }
    const size = `${n.toLocaleString("en")} samples × ${arms.length} arms × ${epochs.length} epochs.`;
    const until = shown && shown !== projection.method ? ` Until then the panels show ${METHODS[/** @type {keyof typeof METHODS} */ (shown)]}.` : "";
    if (state === "cancelled") {
      this.#say("cancelled", `${method} was cancelled`, size, { again: "Compute it" });
      return;
    }
    const name = `${method}, progress`;
    const cancel = projection.method !== "pca";
    const about = left == null ? "" : `, about ${duration(Math.max(1, left))}`;
    if (state === "queued") {
      const waits = place ? `${method} is ${ordinal(place)} in line${about}` : `${method} is queued`;
      this.#say("queued", waits, `${size} Computed once, then kept.${until}`, { share: 0, name, cancel });
      return;
    }
    const done = progress < 0.01 ? "less than 1 %" : percent(progress);
    const text = `${method} is being computed: ${done}${about && `${about} left`}`;
    this.#say("running", text, size + until, { share: progress, name, cancel });
  }

  /** @param {Trouble} trouble */
  trouble({ kind, message }) {
    if (kind === "gone") {
      this.#say("gone", "This comparison no longer exists", "It was deleted, and its snapshots with it.");
    } else if (kind === "away") {
      this.#say("away", message, "It is asked again every few seconds; nothing is lost.", { again: "Try again" });
    } else this.#say("refused", "The embedding space cannot be shown", message, { again: "Try again" });
  }

  /** @param {string} state @param {string} title @param {string} text
   * @param {{again?: string, share?: number, name?: string, cancel?: boolean}} [more] again: text of
   *   the button; name: of the bar */
  #say(state, title, text, { again = "", share, name = "Progress", cancel = false } = {}) {
    const focused = this.#cancel === document.activeElement;
    this.element.hidden = false;
    setAttribute(this.element, "data-state", state);
    setText(this.#title, title);
    setText(this.#text, text);
    setText(this.#again, again);
    this.#again.hidden = !again;
    this.#cancel.hidden = !cancel;
    if (focused && again) this.#again.focus();
    this.#bar.hidden = share === undefined;
    setAttribute(this.#bar, "aria-label", name);
    setAttribute(this.#bar, "aria-valuenow", share === undefined ? null : Math.round(share * 100));
    this.#done.style.width = `${100 * (share ?? 0)}%`;
  }
}
