/** What the panels fetch from the API. */
import { ownAddress } from "../../live/js/address.js";
import { signIn } from "../../live/js/signin.js";

/**
 * @typedef {Object} Samples
 * @property {number} n @property {number} total @property {string} split
 * @property {string[]} classes @property {number[]} labels
 * @property {number[]|null} fine @property {string[]|null} modalities
 * @property {number[]|null} modality @property {number[]} ids
 * @property {"image"|"spectrogram"|"none"} media
 * @property {number|null} tile @property {number|null} columns @property {string|null} sprite
 * @property {string|null} sounds @property {number[]|null} sound_ends seconds
 * @property {string[]|null} [texts] beginnings @property {string[]|null} [fine_names]
 */
/** @typedef {{arm: string, seed: number, run: string, epochs: number[]}} Kept */
/** @typedef {{samples: Samples|null, shared?: boolean, seeds: number[], runs: Kept[]}} Space shared: not so
 *   where each seed has a split, and so samples, of its own */
/** @typedef {{arm: string, correct: (0|1|null)[], centroid_distance: number[],
 *   average_precision: (number|null)[]}} ArmFacts */
/** @typedef {{seed: number, method: string, dims: number}} Question */
/**
 * @typedef {Object} Projection
 * @property {string} id @property {"queued"|"running"|"ready"|"failed"|"cancelled"} state
 * @property {number} progress @property {number|null} place in line, counted from 1
 * @property {number|null} eta_s @property {string|null} error
 * @property {string} method @property {number} dims @property {number} seed @property {number} n
 * @property {number[]} epochs @property {string[]} arms @property {string|null} coordinates
 * @property {{n: number, epochs: number[], arms: string[], coordinates: string}|null} earlier of
 *   earlier snapshots, to be shown until it is ready
 */
/** @typedef {{arm: string, neighbours: {sample: number, distance: number, hit: boolean}[]}} Near */

/** @typedef {{samples: number[], value: number}} HardTuple */
/** @typedef {{arm: string, mean_distance: number, triplets: HardTuple[], positives: HardTuple[],
 *   negatives: HardTuple[]}} ArmTuples */
/** @typedef {{sample: number, label: number, suggested: number, share: number}} Suspect */
/** @typedef {{epoch: number, among: number, arms: ArmTuples[], k: number, suspects: Suspect[], suspected: number}} Hardest */
/** @typedef {{label: number, n: number, kept: number}} ClassMoved */
/** @typedef {{epoch: number, a: string, b: string, k: number, kept: number, chance: number, classes: ClassMoved[],
 *   cka: number|null, cka_biased: number|null, among: number}} Moved */

const COORDINATES_KEPT = 6; // up to tens of megabytes each

/** An answer that is none. */
export class Trouble extends Error {
  /** @param {"away"|"gone"|"refused"} kind away: no answer, or none of the API's own @param {string} message */
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

export class Source {
  #base;
  /** @type {Map<string, Promise<any>>} */
  #kept = new Map();
  /** @type {Map<string, Promise<Float32Array>>} the last ones: each new snapshot brings others */
  #coordinates = new Map();

  /** @param {string} comparison */
  constructor(comparison) {
    this.#base = `${ownAddress("/api/v1/comparisons")}/${encodeURIComponent(comparison)}`;
  }

  /** @returns {Promise<Space>} with the addresses at which this page reaches the files */
  async space() {
    return reachable(await ask(`${this.#base}/space`));
  }

  /** The samples of one seed, which never change. @param {number} seed @returns {Promise<Samples|null>} */
  async samples(seed) {
    const url = `${this.#base}/space?${query({ seed })}`;
    return reachable(await this.#once(url, () => ask(url))).samples;
  }

  /** How often snapshots are kept, in epochs. @returns {Promise<number>} */
  async every() {
    return (await ask(this.#base)).spec.measure.snapshot_every;
  }

  /** Asking starts it, where it is not there. @param {Question} question
   * @returns {Promise<Projection>} */
  projection(question) {
    return ask(`${this.#base}/projection?${query(question)}`);
  }

  /** Start it again, where it was cancelled or has failed. @param {Question} question
   * @returns {Promise<Projection>} */
  restart(question) {
    return ask(`${this.#base}/projection?${query(question)}`, "POST");
  }

  /** Cancel it for all who wait for it. @param {Question} question @returns {Promise<Projection>} */
  cancel(question) {
    return ask(`${this.#base}/projection?${query(question)}`, "DELETE");
  }

  /** @param {Question} question */
  download(question) {
    return `${this.#base}/projection/coordinates.csv?${query(question)}`;
  }

  /** @param {string} path of the API's answer @returns {Promise<Float32Array>} [arm, epoch, sample, axis] */
  coordinates(path) {
    const url = ownAddress(path);
    const load = async () => new Float32Array(await (await get(url)).arrayBuffer());
    const found = this.#once(url, load, this.#coordinates);
    const [oldest] = this.#coordinates.keys();
    if (this.#coordinates.size > COORDINATES_KEPT) this.#coordinates.delete(oldest);
    return found;
  }

  /** What the arms make of the samples at an epoch; a snapshot never changes.
   * @param {number} seed @param {number} epoch @param {number} arms how many are expected
   * @returns {Promise<Map<string, ArmFacts>>} by arm */
  async facts(seed, epoch, arms) {
    const url = `${this.#base}/space/facts?${query({ seed, epoch })}`;
    const found = await this.#once(url, () => ask(url));
    if (found.arms.length < arms) this.#kept.delete(url); // the others' snapshots are to come
    return new Map(found.arms.map((/** @type {ArmFacts} */ facts) => [facts.arm, facts]));
  }

  /** @param {number} seed @param {number} epoch @param {number} sample @param {number} k
   * @returns {Promise<Map<string, Near["neighbours"]>>} by arm */
  async neighbours(seed, epoch, sample, k) {
    const found = await ask(`${this.#base}/space/neighbours?${query({ seed, epoch, sample, k })}`);
    return new Map(found.arms.map((/** @type {Near} */ near) => [near.arm, near.neighbours]));
  }

  /** @param {number} seed @param {number} epoch @param {number} arms how many are expected
   * @returns {Promise<Hardest>} */
  async hardest(seed, epoch, arms) {
    const url = `${this.#base}/space/hardest?${query({ seed, epoch })}`;
    const found = await this.#once(url, () => ask(url));
    if (found.arms.length < arms) this.#kept.delete(url); // the others' snapshots are to come
    return found;
  }

  /** @param {number} seed @param {number} epoch @param {string} a @param {string} b arms
   * @returns {Promise<Moved>} */
  moved(seed, epoch, a, b) {
    const url = `${this.#base}/space/moved?${query({ seed, epoch, a, b })}`;
    return this.#once(url, () => ask(url));
  }

  /** @template T @param {string} url @param {() => Promise<T>} load
   * @param {Map<string, Promise<T>>} [kept] @returns {Promise<T>} */
  #once(url, load, kept = this.#kept) {
    let found = kept.get(url);
    if (!found) {
      found = load();
      found.catch(() => kept.delete(url));
      kept.set(url, found);
    }
    return found;
  }
}

/** @param {Space} space @returns {Space} with the addresses at which this page reaches the files */
function reachable(space) {
  const { samples } = space;
  if (!samples) return space;
  const [sprite, sounds] = [samples.sprite, samples.sounds].map((path) => path && ownAddress(path));
  return { ...space, samples: { ...samples, sprite, sounds } };
}

/** @param {Record<string, string|number>} parameters */
function query(parameters) {
  return new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
}

/** @param {string} url @param {string} [method] @returns {Promise<any>} */
async function ask(url, method) {
  const answer = await get(url, method);
  return answer.json();
}

/** @param {string} url @param {string} [method] @returns {Promise<Response>} */
async function get(url, method = "GET") {
  const answer = await fetch(url, { method }).catch(() => {
    throw new Trouble("away", "The API does not answer.");
  });
  if (answer.ok) return answer;
  if (answer.status === 401) signIn();
  const told = await answer.json().catch(() => null);
  const message = told?.message ?? `The API answered ${answer.status}.`;
  if (answer.status >= 500) throw new Trouble("away", message);
  throw new Trouble(answer.status === 404 ? "gone" : "refused", message);
}

