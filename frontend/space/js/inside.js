/** Look inside: a sample's nearest neighbours under each arm, and each arm's worst queries. */
import { h, swatch } from "../../live/js/dom.js";
import { number } from "../../live/js/format.js";
import { nameOf, picture, wordsOf } from "./picture.js";

/** @typedef {import("./source.js").Samples} Samples */
/** @typedef {import("./source.js").ArmFacts} ArmFacts */
/** @typedef {import("./source.js").Near["neighbours"]} Neighbours */
/** @typedef {import("./panel.js").Arm} Arm */
/**
 * @typedef {Object} Seen
 * @property {Samples} samples @property {Arm[]} arms @property {boolean} dark
 * @property {number} epoch @property {number} sample -1: none is chosen
 * @property {Map<string, ArmFacts>|null} facts @property {Map<string, Neighbours>|null} near
 * @property {string} trouble why there are no neighbours
 */

export const NEIGHBOURS = 10;
const WORST = 12;
const [LARGE, SIDE, SMALL] = [96, 52, 40];

export class Inside {
  #choose;
  #close;
  #point;

  /** @param {(sample: number) => void} choose @param {() => void} close
   * @param {(sample: number) => void} point at a sample, -1 for none */
  constructor(choose, close, point) {
    this.#point = point;
    this.#choose = choose;
    this.#close = close;
    this.element = h("section", {
      class: "lb-sp-inside",
      "aria-label": "Look inside",
      "data-testid": "space-inside",
    });
  }

  /** @param {Seen} seen */
  draw(seen) {
    const { sample, arms, epoch } = seen;
    const chosen = sample >= 0;
    const about = { class: "lb-sp-columns", "data-testid": "space-neighbours" };
    const columns = h("div", about, ...arms.map((arm) => this.#arm(arm, seen)));
    const said = chosen
      ? `The ${NEIGHBOURS} nearest other held-out samples under each arm at epoch ${epoch}, by ` +
        "Euclidean distance of the embeddings that the loss sees. ✓ same class, ✗ another."
      : `Click a point, or a query below: its nearest neighbours under each arm, side by side.`;
    const head = h(
      "header",
      {},
      h("h2", {}, "Look inside"),
      h("p", { class: "lb-sp-quiet" }, said),
    );
    const focused = this.element.contains(document.activeElement) ? document.activeElement : null;
    this.element.replaceChildren(head, ...(chosen ? [this.#query(seen)] : []), columns);
    if (!focused) return;
    const tiles = [...this.element.querySelectorAll("[data-tile]")];
    const same = tiles.find((tile) => tile.getAttribute("data-tile") === focused.getAttribute("data-tile"));
    const at = /** @type {HTMLElement|null} */ (same ?? this.element.querySelector(".lb-sp-query button"));
    at?.focus({ preventScroll: true }); // what had it was drawn anew
  }

  /** @param {Seen} seen */
  #query({ samples, sample, dark, facts, arms }) {
    const verdicts = arms.map(({ name }) => [name, facts?.get(name)?.correct[sample]]);
    return h(
      "div",
      { class: "lb-sp-query", "data-testid": "space-query" },
      picture(samples, sample, LARGE, dark),
      h(
        "div",
        {},
        h("strong", {}, nameOf(samples, sample)),
        h("span", { class: "lb-sp-quiet" }, aboutText(samples, sample)),
        h("span", { class: "lb-sp-quiet" }, verdicts.map(([name, right]) => `${name} ${markOf(right)}`).join("   ")),
      ),
      h("button", { type: "button", class: "lb-sp-button", onclick: this.#close }, "Close"),
    );
  }

  /** @param {Arm} arm @param {Seen} seen */
  #arm(arm, seen) {
    const head = h("h3", {}, swatch(arm.color, arm.dash), h("span", {}, arm.name));
    const near = seen.sample < 0 ? [] : [this.#near(arm, seen)];
    const style = `--arm: ${arm.color}`;
    return h("div", { class: "lb-sp-arm", style }, head, ...near, this.#worst(arm, seen));
  }

  /** @param {Arm} arm @param {Seen} seen */
  #near(arm, { samples, near, dark, trouble, epoch }) {
    const found = near?.get(arm.name);
    if (trouble) return h("p", { class: "lb-sp-quiet" }, trouble);
    if (!near) return h("p", { class: "lb-sp-quiet" }, "Looking for its neighbours …");
    if (!found) return h("p", { class: "lb-sp-quiet" }, `No snapshot at epoch ${epoch}.`);
    const hits = found.filter(({ hit }) => hit).length;
    const tiles = found.map(({ sample, distance, hit }) =>
      this.#tile(samples, sample, SIDE, dark, {
        list: `${arm.name} near`,
        mark: hit,
        text: short(distance),
        said: `${hit ? "same class" : "another class"}, at a distance of ${short(distance)}`,
      }),
    );
    return h(
      "div",
      {},
      h("p", { class: "lb-sp-tally" }, `${hits} of ${found.length} share its class`),
      h("div", { class: "lb-sp-tiles" }, ...tiles),
    );
  }

  /** @param {Arm} arm @param {Seen} seen */
  #worst(arm, { samples, facts, dark, sample }) {
    const found = facts?.get(arm.name);
    if (!found) return h("p", { class: "lb-sp-quiet" }, facts ? "No snapshot at this epoch." : "Loading …");
    const tiles = worst(found.average_precision, WORST).map((query) => {
      const precision = short(found.average_precision[query] ?? NaN);
      const said = `average precision ${precision}`;
      const told = { list: `${arm.name} worst`, mark: null, text: precision, said };
      return this.#tile(samples, query, SMALL, dark, told, query === sample);
    });
    return h(
      "div",
      { class: "lb-sp-worst" },
      h("p", { class: "lb-sp-tally" }, "Worst queries ", h("small", {}, "by average precision at R")),
      h("div", { class: "lb-sp-tiles" }, ...tiles),
    );
  }

  /** @param {Samples} samples @param {number} sample @param {number} side @param {boolean} dark
   * @param {{list: string, mark: boolean|null, text: string, said: string}} told
   * @param {boolean} [chosen] */
  #tile(samples, sample, side, dark, { list, mark, text, said }, chosen = false) {
    const name = wordsOf(samples, sample);
    return h(
      "button",
      {
        type: "button",
        class: "lb-sp-neighbour",
        title: `${name}: ${said}. Look inside`,
        "aria-label": `${name}: ${said}. Look inside`,
        "data-tile": `${list} ${sample}`,
        "aria-current": chosen ? "true" : null,
        "data-match": mark === null ? null : mark ? "hit" : "miss",
        onclick: () => this.#choose(sample),
        onmouseenter: () => this.#point(sample),
        onmouseleave: () => this.#point(-1),
      },
      picture(samples, sample, side, dark),
      mark === null ? null : h("b", { "aria-hidden": "true" }, mark ? "✓" : "✗"),
      h("small", {}, text),
    );
  }
}

/** The samples with the lowest average precision, the lowest first; none without one.
 * @param {(number|null)[]} precision @param {number} count */
export function worst(precision, count) {
  const known = precision.map((_, sample) => sample).filter((sample) => precision[sample] !== null);
  const of = (/** @type {number} */ sample) => /** @type {number} */ (precision[sample]);
  return known.sort((a, b) => of(a) - of(b) || a - b).slice(0, count);
}

/** A number in as many signs as its neighbours. @param {number} value */
function short(value) {
  return value && (value < 0.001 || value >= 1000) ? number(value) : value.toFixed(value < 10 ? 3 : 1);
}

/** @param {0|1|null|undefined} right */
export function markOf(right) {
  return right == null ? "–" : right ? "✓" : "✗";
}

/** What is known of a sample besides its class. @param {Samples} samples @param {number} sample */
export function aboutText({ ids, fine, fine_names, modality, modalities }, sample) {
  const label = fine?.[sample] ?? -1;
  const named = fine_names?.[label] ?? `fine label ${label}`;
  const kind = modality && modalities ? modalities[modality[sample]] : null;
  return [`sample ${ids[sample]}`, label >= 0 ? named : null, kind].filter(Boolean).join(" · ");
}
