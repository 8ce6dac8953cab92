/** What the viewer has chosen: in the address, so that a link shows it to others, with each zoom a step
 * of the browser's history; pins are kept by the browser too. */
import { formatOptions, parseOptions } from "./options.js";
import { remember, remembered } from "./viewer.js";

/** @typedef {import("./options.js").Options} Options */

const PINS = "pins";
const FIRST_TAB = "live";

export class Choices {
  #changed;
  #options = optionsOf(location.search);
  #onHistory;

  /**
   * @param {() => void} changed called after a choice
   * @param {() => void} followed called after Back or Forward
   */
  constructor(changed, followed) {
    this.#changed = changed;
    this.#onHistory = () => {
      this.#options = optionsOf(location.search);
      followed();
    };
    addEventListener("popstate", this.#onHistory);
  }

  /** @returns {Options} */
  get now() {
    return this.#options;
  }

  /**
   * @param {Partial<Options>} change
   * @param {boolean} [step] whether the browser's Back undoes it
   */
  choose(change, step = false) {
    const before = this.#options;
    this.#options = { ...before, ...change };
    if (this.#options.x !== before.x) this.#options.zoom = { ...before.zoom, x: null }; // another unit
    const search = formatOptions(location.search, this.#options);
    const address = `${location.pathname}${search}${location.hash}`;
    if (step) history.pushState(history.state, "", address);
    else history.replaceState(history.state, "", address);
    this.#changed();
  }

  /** @param {"log"|"wide"|"pin"} name @param {string} key */
  toggle(name, key) {
    const now = this.#options[name];
    this.choose({ [name]: now.includes(key) ? now.filter((each) => each !== key) : [...now, key] });
    if (name === "pin") remember(PINS, this.#options.pin);
  }

  destroy() {
    removeEventListener("popstate", this.#onHistory);
  }
}

/**
 * Make a tab that the viewer has turned to a step of the browser's history. After Back and Forward the
 * browser has done it itself, and may be further by now.
 * @param {string} tab
 */
export function enterTab(tab) {
  const query = new URLSearchParams(location.search);
  if ((query.get("tab") ?? FIRST_TAB) === tab) return;
  if (tab === FIRST_TAB) query.delete("tab");
  else query.set("tab", tab);
  history.pushState(history.state, "", `${location.pathname}?${query}${location.hash}`);
}

/** What an address asks for; where it names no pins, those of this browser's viewer. @param {string} search */
function optionsOf(search) {
  const options = parseOptions(search);
  return options.pin.length ? options : { ...options, pin: remembered(PINS, []) };
}
