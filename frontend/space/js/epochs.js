/** The epoch's slider, with a button that plays through the epochs. */
import { h, setAttribute, setText } from "../../live/js/dom.js";
import { Player } from "./player.js";

export class Epochs {
  #shown = h("output", {});
  #slider;
  #play;
  #player;
  /** @type {number[]} */
  #epochs = [];

  /** @param {(time: number, settled: boolean) => void} onMove place among the epochs, and whether
   *   it stays there */
  constructor(onMove) {
    this.#slider = /** @type {HTMLInputElement} */ (
      h("input", {
        type: "range",
        min: 0,
        step: 1,
        "data-testid": "space-epoch",
        oninput: () => this.#player.go(Number(this.#slider.value)),
      })
    );
    this.#play = h(
      "button",
      {
        type: "button",
        class: "lb-sp-button lb-sp-play",
        "data-testid": "space-play",
        onclick: () => (this.#player.playing ? this.#player.pause() : this.#player.play()),
      },
    );
    this.#player = new Player(
      (time) => {
        this.#draw(time);
        onMove(time, Number.isInteger(time));
      },
      (playing) => this.#state(playing),
    );
    this.#state(false);
    this.element = h(
      "div",
      { class: "lb-sp-epochs" },
      this.#play,
      h("label", {}, h("span", {}, "Epoch"), this.#slider),
      this.#shown,
    );
  }

  /** Place among the epochs. */
  get time() {
    return this.#player.time;
  }

  /** The epoch that stands there, or the nearest. */
  get epoch() {
    return this.#epochs[Math.round(this.#player.time)];
  }

  /** @param {number[]} epochs rising @param {number|null} epoch to stand at; null: the last */
  load(epochs, epoch) {
    this.#epochs = epochs;
    this.#slider.max = String(epochs.length - 1);
    this.#slider.disabled = epochs.length < 2;
    /** @type {HTMLButtonElement} */ (this.#play).disabled = epochs.length < 2;
    const found = epoch === null ? -1 : epochs.indexOf(epoch);
    this.#player.load(epochs.length, found < 0 ? epochs.length - 1 : found);
  }

  /** Stand still. */
  stop() {
    this.#player.pause();
  }

  /** @param {number} time */
  #draw(time) {
    const place = String(Math.round(time));
    if (this.#slider.value !== place && document.activeElement !== this.#slider) this.#slider.value = place;
    if (this.#player.playing) this.#slider.value = place;
    const last = this.#epochs.at(-1);
    const said = `${this.#epochs[Math.round(time)]} of ${last}`;
    setText(this.#shown, `${said} (${this.#epochs.length} snapshot${this.#epochs.length === 1 ? "" : "s"})`);
    setAttribute(this.#slider, "aria-valuetext", `epoch ${said}`);
  }

  /** @param {boolean} playing */
  #state(playing) {
    setText(this.#play, playing ? "❚❚" : "▶");
    setAttribute(this.#play, "aria-label", playing ? "Pause" : "Play through the epochs");
    setAttribute(this.#play, "title", playing ? "Pause" : "Play through the epochs");
  }
}
