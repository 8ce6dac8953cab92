/** Where a comparison's waiting runs stand in the queue, asked of the API while some wait. */
import { ownAddress } from "./address.js";
import { ordinal } from "./format.js";
import { signIn } from "./signin.js";

/** @typedef {{run: string, position: number, starts_in_s: number|null, wants: string,
 *   waits_for?: string|null}} Place */
/** @typedef {{workers: {state: string, device: string}[], waiting: Place[]}} Queue */

const PAGE = 200; // runs that are told of at once; the first ones matter
const AT_ONCE_S = 1;

export class QueueWatch {
  #id;
  #told;
  /** @type {number|undefined} */
  #poll;
  #period = 0;

  /**
   * @param {string} id of the comparison
   * @param {(queue: Queue|null|undefined) => void} told takes each answer: null while the API does
   *   not answer, undefined when nothing waits any more
   */
  constructor(id, told) {
    this.#id = id;
    this.#told = told;
  }

  /** Ask now and every so many milliseconds; 0 to stop. @param {number} period */
  watch(period) {
    if (period === this.#period) return;
    clearInterval(this.#poll);
    this.#period = period;
    this.#poll = undefined;
    if (!period) {
      this.#told(undefined);
      return;
    }
    this.#poll = setInterval(() => this.#ask(), period);
    this.#ask();
  }

  destroy() {
    clearInterval(this.#poll);
    this.#period = 0;
    this.#poll = undefined;
  }

  async #ask() {
    if (document.hidden) return;
    const query = `comparison=${encodeURIComponent(this.#id)}&page_size=${PAGE}`;
    const address = ownAddress(`/api/v1/queue?${query}`);
    const answer = await fetch(address).catch(() => null);
    if (answer?.status === 401) signIn();
    const queue = answer?.ok ? await answer.json().catch(() => null) : null;
    if (this.#poll !== undefined) this.#told(queue); // else its runs have started meanwhile
  }
}

/** What a comparison waits for of which no run is at work.
 * @param {Queue|null} queue null while the API does not answer
 * @param {Place|undefined} first the place of its next run */
export function waitingText(queue, first) {
  if (!queue) return "Queued. The API does not answer.";
  const here = present(queue);
  if (!here.length) {
    return "Queued, and no worker is connected. The runs start by themselves as soon as one is.";
  }
  if (first && first.wants !== "auto" && !here.some(({ device }) => device === first.wants)) {
    const wanted = first.wants === "cuda" ? "GPU" : "CPU";
    return `Queued for a ${wanted} slot, and none is connected.`;
  }
  if (!first) return "Queued.";
  if (first.waits_for) return `Queued. The next run ${first.waits_for}.`;
  if (here.some(({ state }) => state === "idle") && first.position === 1) {
    return "Queued. A worker is about to start the first run.";
  }
  const start = first.starts_in_s == null ? "its start is not known yet" : startText(first);
  return `Queued. The next run is ${ordinal(first.position)} in the queue; ${start}.`;
}

/** What a waiting run's cell says: "38th, in about 12 min". @param {Place} place */
export function placeText({ position, starts_in_s, waits_for }) {
  if (waits_for) return waits_for;
  const start = starts_in_s == null || starts_in_s < AT_ONCE_S ? "" : `, in about ${about(starts_in_s)}`;
  return `${ordinal(position)}${start}`;
}

/** @param {Place} place */
function startText({ starts_in_s }) {
  return starts_in_s < AT_ONCE_S ? "it starts at once" : `it starts in about ${about(starts_in_s)}`;
}

/** How many living slots there are. @param {Queue} queue */
export function present({ workers }) {
  return workers.filter(({ state }) => state !== "lost");
}

/** An estimated time, in one unit. @param {number} seconds */
export function about(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${(seconds / 3600).toFixed(1)} h` : `${Math.round(seconds / 86_400)} days`;
}
