/** The panels in their groups, and before all groups those that the viewer has pinned. */
import { h } from "./dom.js";

/** @typedef {import("./panel.js").Panel} Panel */
/** @typedef {{tab: string, title: string, panels: Panel[]}} Group */

export class Groups {
  /** @type {(Group & {element: HTMLElement, grid: HTMLElement})[]} */
  #groups;
  #pinned = h("div", { class: "lb-grid" });
  #front = h("div", { class: "lb-group", "data-testid": "pinned" }, h("h2", {}, "Pinned"), this.#pinned);

  /** @param {Group[]} groups */
  constructor(groups) {
    this.#groups = groups.map((group) => {
      const grid = h("div", { class: "lb-grid" });
      const element = h("div", { class: "lb-group" }, h("h2", {}, group.title), grid);
      return { ...group, grid, element };
    });
  }

  /** Elements in the order of the page. */
  get elements() {
    return [this.#front, ...this.#groups.map(({ element }) => element)];
  }

  /** Put every panel where it belongs; what stands there already is not moved.
   * @param {string[]} pins keys of the panels in front, in order */
  place(pins) {
    const all = this.#groups.flatMap(({ panels }) => panels);
    const pinned = pins.flatMap((key) => all.filter((panel) => panel.key === key));
    arrange(this.#pinned, pinned);
    for (const { grid, panels } of this.#groups) {
      arrange(grid, panels.filter((panel) => !pinned.includes(panel)));
    }
  }

  /** Show what belongs to a tab. @param {string|null} tab null for none @returns {boolean} whether it has panels */
  show(tab) {
    const any = this.#groups.some((group) => group.tab === tab);
    for (const { element, grid, tab: own } of this.#groups) {
      element.hidden = own !== tab || !grid.children.length; // empty: all of them are pinned
    }
    this.#front.hidden = !any || !this.#pinned.children.length;
    return any;
  }
}

/** @param {HTMLElement} grid @param {Panel[]} panels all that it shall have, in order */
function arrange(grid, panels) {
  panels.forEach(({ element }, index) => {
    const there = grid.children[index];
    if (there !== element) grid.insertBefore(element, there ?? null);
  });
}
