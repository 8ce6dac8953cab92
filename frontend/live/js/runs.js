/** The strip of runs: one row for each arm, one cell for each seed, and what went wrong. */
import { h, setAttribute, setText, swatch } from "./dom.js";
import { amount, duration, percent } from "./format.js";
import { Notices } from "./notices.js";
import { prepared } from "./progress.js";
import { marks, severity } from "./states.js";
import { remember, remembered } from "./viewer.js";

/** @typedef {import("./progress.js").RunOut} RunOut */

const MANY_SEEDS = 8; // from here on a cell is only its bar; the rest is in its title
const FEW = { arms: 2, runs: 6 }; // up to so many are shown unless the viewer folds them
const FOLDED = "runs-folded";

export class RunStrip {
  /** @type {Map<string, {cell: HTMLElement, label: Element, bar: HTMLElement}>} */
  #cells = new Map();
  #grid = h("div", { class: "lb-runs", "data-testid": "runs" });
  #preparing = h("div", { class: "lb-preparing", "data-testid": "run-preparing" });
  #errors = new Notices({ class: "lb-errors", role: "alert", "data-testid": "run-errors" }, "failure");
  #drawn = "";
  /** @type {RunOut[]} */
  #runs = [];
  /** @type {Map<string, string>} */
  #places = new Map();
  /** @type {boolean|null} null until the viewer chose */
  #folded = remembered(FOLDED, null);
  #count = { arms: 0, runs: 0 };
  #whole = false;
  #toggle = h(
    "button",
    {
      type: "button",
      class: "lb-small lb-fold",
      "aria-controls": "lb-runs",
      "data-testid": "runs-fold",
      onclick: () => this.#fold(),
    },
    "Runs",
  );

  constructor() {
    this.element = h("div", { class: "lb-strip" }, this.#grid, this.#preparing, this.#errors.element);
    this.#grid.id = "lb-runs";
  }

  /** The button that folds the strip; stands in the line above it. */
  get toggle() {
    return this.#toggle;
  }

  /** Show every run, whatever the viewer chose, or as chosen. @param {boolean} whole */
  showWhole(whole) {
    this.#whole = whole;
    this.#showFold();
  }

  #fold() {
    this.#folded = !this.#isFolded;
    remember(FOLDED, this.#folded);
    this.#showFold();
  }

  get #isFolded() {
    return this.#folded ?? (this.#count.runs > FEW.runs || this.#count.arms > FEW.arms);
  }

  #showFold() {
    const folded = this.#isFolded && !this.#whole;
    this.#grid.hidden = folded;
    setAttribute(this.element, "data-folded", folded);
    setAttribute(this.#toggle, "aria-expanded", String(!folded));
    this.#toggle.hidden = this.#whole || this.element.hidden || !this.#count.runs;
    setAttribute(this.#toggle, "title", folded ? "Show a line for each arm" : "Fold the lines of runs");
  }

  /**
   * @param {RunOut[]} runs
   * @param {import("./figure.js").Arm[]} arms
   */
  draw(runs, arms) {
    const key = JSON.stringify([arms, runs.map((run) => run.id)]);
    if (key !== this.#drawn) this.#build(runs, arms);
    this.#drawn = key;
    this.#runs = runs;
    for (const run of runs) this.#update(run);
    this.#count = { arms: arms.length, runs: runs.length };
    this.#showFold();
    this.#showPreparing(runs);
    this.#showErrors(runs);
  }

  /** @param {RunOut[]} runs @param {import("./figure.js").Arm[]} arms */
  #build(runs, arms) {
    this.#cells.clear();
    const seeds = [...new Set(runs.map((run) => run.seed))];
    const many = seeds.length > MANY_SEEDS;
    setAttribute(this.#grid, "data-many", many);
    const rows = arms.map((arm) => {
      const cells = seeds.map((seed) => {
        const run = runs.find((each) => each.arm === arm.name && each.seed === seed);
        return run ? this.#newCell(run) : h("div");
      });
      const name = h("div", { class: "lb-arm" }, swatch(arm.color, arm.dash), h("span", { title: arm.name }, arm.name));
      return h("div", { class: "lb-row" }, name, h("div", { class: "lb-cells" }, ...cells));
    });
    this.#grid.replaceChildren(...rows);
  }

  /** @param {RunOut} run */
  #newCell(run) {
    const label = h("span", { class: "lb-cell-label" });
    const bar = h("i");
    const cell = h(
      "div",
      { class: "lb-cell", "data-testid": `run-${run.arm}-${run.seed}` },
      h("span", { class: "lb-cell-seed" }, `seed ${run.seed}`),
      label,
      h("span", { class: "lb-bar" }, bar),
    );
    this.#cells.set(run.id, { cell, label, bar });
    return cell;
  }

  /** Say where waiting runs stand in the queue. @param {Map<string, string>} places by run */
  place(places) {
    this.#places = places;
    for (const run of this.#runs) if (run.state === "queued") this.#update(run);
  }

  /** @param {RunOut} run */
  #update(run) {
    const found = this.#cells.get(run.id);
    if (!found) return;
    const marked = marks(run);
    const text = `${marked ? `${marked} · ` : ""}${describe(run, this.#places.get(run.id))}`;
    setAttribute(found.cell, "data-state", run.state);
    setAttribute(found.cell, "data-marked", severity(run));
    setAttribute(found.cell, "data-attempt", run.attempt);
    setAttribute(found.cell, "title", `${run.arm}, seed ${run.seed}: ${run.state}, ${text}`);
    setText(found.label, text);
    const ahead = run.preparing ? prepared(run.preparing) : null;
    const share = run.state === "succeeded" ? 1 : (ahead ?? run.progress ?? 0);
    const measured = ahead == null ? "unmeasured" : "measured";
    setAttribute(found.cell, "data-preparing", run.preparing ? measured : null);
    found.bar.style.width = `${100 * share}%`;
  }

  /** What runs do before their first step, in full. @param {RunOut[]} runs */
  #showPreparing(runs) {
    const lines = runs
      .filter((run) => run.state === "running" && run.preparing)
      .map(({ arm, seed, preparing }) => `${arm} · seed ${seed}: ${preparation(preparing)}`);
    const key = lines.join("\n");
    if (this.#preparing.dataset.drawn === key) return;
    this.#preparing.dataset.drawn = key;
    this.#preparing.replaceChildren(...lines.map((line) => h("div", {}, line)));
  }

  /** @param {RunOut[]} runs */
  #showErrors(runs) {
    this.#errors.draw(
      failures(runs).map(([head, message, cause]) => ({
        attributes: { class: "lb-error" },
        head,
        texts: [message],
        cause: cause === message ? "" : cause,
      })),
    );
  }
}

/** What a cell says beside its bar.
 * @param {RunOut} run
 * @param {string|undefined} place in the queue, where it waits */
export function describe(run, place = undefined) {
  const again = run.attempt > 1 ? ` · attempt ${run.attempt}` : "";
  if (run.state === "running" && run.preparing) {
    const share = prepared(run.preparing);
    return `preparing${share == null ? "" : ` ${percent(share)}`}${again}`;
  }
  if (run.state === "running") {
    const rest = run.eta_s == null ? "" : ` · ${duration(run.eta_s)} left`;
    return `${percent(run.progress || 0)}${rest}${again}`;
  }
  if (run.state === "succeeded" && run.started_at && run.ended_at) {
    const seconds = (Date.parse(run.ended_at) - Date.parse(run.started_at)) / 1000;
    return `done in ${duration(seconds)}${again}`;
  }
  if (run.state === "cancelled") return `cancelled at ${percent(run.progress || 0)}${again}`;
  return `${run.state}${run.state === "queued" && place ? ` ${place}` : ""}${again}`;
}

/**
 * What went wrong, told once for all seeds of an arm that ended alike: heading, message, cause.
 * @param {RunOut[]} runs @returns {string[][]}
 */
export function failures(runs) {
  /** @type {Map<string, RunOut[]>} */
  const alike = new Map();
  for (const run of runs) {
    if (run.state !== "failed" || !run.error) continue;
    const { step, message, cause } = run.error;
    const key = JSON.stringify([run.arm, step, message, cause]);
    alike.set(key, [...(alike.get(key) ?? []), run]);
  }
  return [...alike.values()].map((own) => {
    const [{ arm, error }] = own;
    const seeds = `seed${own.length === 1 ? "" : "s"} ${own.map((run) => run.seed).join(", ")}`;
    const at = error.step == null ? "" : ` at step ${error.step}`;
    return [`${arm} · ${seeds} failed${at}`, error.message, error.cause ?? ""];
  });
}

/** What a run does before its first step. @param {import("./progress.js").Preparation} preparing */
export function preparation({ what, done, total, unit, eta_s }) {
  const much = total == null && !done ? "" : `, ${amount(done, total, unit)}`;
  const rest = eta_s == null ? "" : `, ${duration(eta_s)} left`;
  return `${what}${much}${rest}`;
}
