/** What the stream has told so far: the points of all metrics, and the runs. */
import { Paints } from "./paints.js";
import { Tables } from "./store.js";

/** @typedef {import("./progress.js").RunOut} RunOut */
/**
 * @typedef {Object} Told what an event changes
 * @property {(keys: string[]|null) => void} points metrics with other points than before; null: all
 * @property {() => void} runs
 * @property {() => void} reload what is held is not enough: all is asked for again
 * @property {() => void} gone the comparison does not exist any more
 */

export class Feed {
  #told;
  /** @type {Map<string, RunOut>} */
  #runs = new Map();
  tables = new Tables();
  paints = new Paints();
  loaded = false; // whether the history has come

  /** @param {Told} told */
  constructor(told) {
    this.#told = told;
  }

  get runs() {
    return [...this.#runs.values()];
  }

  /** @param {string} run */
  has(run) {
    return this.#runs.has(run);
  }

  /** @param {string} event @param {any} body @param {number} arrived */
  receive(event, body, arrived) {
    if (event === "reset") {
      this.tables.clear();
      this.#runs.clear();
      this.loaded = true;
      for (const series of body.series) this.tables.of(series.key).load(series);
      this.#take(body.runs);
      this.#told.points(null);
    } else if (event === "points") {
      for (const { run, key, steps, values } of body.series) {
        this.tables.of(key).append(run, steps, values);
        this.paints.arrived(run, key, steps, arrived);
      }
      this.#told.points(body.series.map((/** @type {{key: string}} */ series) => series.key));
    } else if (event === "runs") {
      this.#take(body.runs);
    } else if (event === "drop") {
      if (this.tables.drop(body.run, body.after)) this.#told.points(null);
      else this.#told.reload();
    } else if (event === "gone") {
      this.#told.gone();
    }
  }

  /** @param {RunOut[]} changed */
  #take(changed) {
    for (const run of changed) this.#runs.set(run.id, run);
    this.#told.runs();
  }
}
