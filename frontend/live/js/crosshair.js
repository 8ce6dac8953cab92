/** One crosshair in all panels: where the viewer points in one, all tell their values there. */
import { measured } from "../../space/js/measure.js";

/** @typedef {import("./panel.js").Panel} Panel */

const SMALL_STEP = 0.01; // of the range that is shown, for an arrow key
const LARGE_STEP = 0.1; // with Shift

export class Crosshair {
  #panels;
  /** @type {Set<Panel>} that show it; the viewer may have turned to another tab since */
  #shown = new Set();
  /** @type {number|null} */
  #at = null;
  /** @type {{panel: Panel, at: number, y: number|null, began: number}|null} */
  #next = null;

  /** @param {() => Panel[]} panels those of the tab that is shown */
  constructor(panels) {
    this.#panels = panels;
  }

  /** Follow pointer and keyboard over a panel. @param {Panel} panel */
  watch(panel) {
    const { plot } = panel.reading;
    const point = (/** @type {PointerEvent} */ event) => {
      const found = panel.reading.pointed(event.clientX, event.clientY);
      if (found) this.#ask({ panel, at: found.x, y: found.y, began: event.timeStamp });
      else this.clear();
    };
    plot.addEventListener("pointermove", point);
    plot.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "touch") return;
      plot.focus({ preventScroll: true }); // a touch elsewhere ends it
      point(event);
    });
    plot.addEventListener("pointerleave", (event) => event.pointerType === "touch" || this.clear());
    plot.addEventListener("blur", () => this.clear());
    plot.addEventListener("keydown", (event) => this.#press(panel, event));
  }

  /** Show the newest values again. */
  clear() {
    this.#next = null;
    if (this.#at === null) return;
    this.#at = null;
    for (const panel of this.#shown) panel.reading.showAt(null);
    this.#shown.clear();
  }

  /** @param {Panel} panel @param {KeyboardEvent} event */
  #press(panel, event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const [from, to] = panel.reading.span;
    const step = (to - from) * (event.shiftKey ? LARGE_STEP : SMALL_STEP);
    const now = Math.min(to, Math.max(from, this.#at ?? to));
    const places = { ArrowLeft: now - step, ArrowRight: now + step, Home: from, End: to };
    if (event.key === "Escape" && this.#at !== null) this.clear();
    else if (event.key in places) {
      const at = Math.min(to, Math.max(from, places[event.key]));
      this.#ask({ panel, at, y: null, began: event.timeStamp });
    } else return;
    event.preventDefault();
  }

  /** @param {{panel: Panel, at: number, y: number|null, began: number}} next */
  #ask(next) {
    const waits = this.#next !== null;
    this.#next = next;
    if (!waits) requestAnimationFrame(() => this.#show());
  }

  #show() {
    if (!this.#next) return; // it was cleared
    const { panel, at, y, began } = this.#next;
    this.#next = null;
    this.#at = at;
    const marked = y === null ? undefined : panel.reading.armNear(at, y);
    for (const each of this.#panels()) {
      each.reading.showAt(at, marked);
      this.#shown.add(each);
    }
    const channel = new MessageChannel(); // its message comes behind the frame
    channel.port1.onmessage = () => measured("lossboard:hover", began);
    channel.port2.postMessage(null);
  }
}
