/** Asks again and again, but never while nobody looks. */
import { Trouble } from "./source.js";

/** @typedef {import("./source.js").Projection} Projection */
/** @typedef {import("./source.js").Source} Source */

const PROGRESS_MS = 700;
const FIRST_MS = [120, 200, 300, 450]; // PCA is often there by then
const AGAIN_MS = 3_000; // to an API that is away
const NEWS_MS = 10_000;
const FIRST_NEWS_MS = 700; // while there is no snapshot yet

/** Waits between two questions; at most one is under way. */
class Repeated {
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;
  #turn = 0;
  #seen;

  /** @param {() => boolean} seen whether the panels are in sight */
  constructor(seen) {
    this.#seen = seen;
  }

  /** Forget what is under way. */
  stop() {
    this.#turn += 1;
    clearTimeout(this.#timer);
  }

  /**
   * @param {() => Promise<number>} ask answers after how many milliseconds to ask again; 0: never
   * @param {number} [wait] before the first question
   */
  start(ask, wait = 0) {
    this.stop();
    const turn = this.#turn;
    const step = async () => {
      const pause = this.#seen() ? await ask() : PROGRESS_MS;
      if (pause && turn === this.#turn) this.#timer = setTimeout(step, pause);
    };
    if (wait) this.#timer = setTimeout(step, wait);
    else step();
    return () => turn === this.#turn;
  }
}

/** Brings a projection from the question to its coordinates. */
export class Projecting {
  #source;
  #told;
  #repeated;

  /**
   * @param {Source} source @param {() => boolean} seen
   * @param {{state: (projection: Projection) => void,
   *   earlier: (projection: Projection, coordinates: Float32Array) => void,
   *   ready: (projection: Projection, coordinates: Float32Array) => void,
   *   trouble: (trouble: Trouble) => void}} told
   */
  constructor(source, seen, told) {
    this.#source = source;
    this.#told = told;
    this.#repeated = new Repeated(seen);
  }

  /** @param {import("./source.js").Question} question
   * @param {boolean} [again] start it again if it was cancelled or has failed */
  start(question, again = false) {
    let showed = false;
    let asked = 0;
    const current = this.#repeated.start(async () => {
      try {
        const projection = await (again ? this.#source.restart(question) : this.#source.projection(question));
        if (!current()) return 0;
        again = false;
        if (!projection.coordinates) {
          this.#told.state(projection);
          const { earlier } = projection;
          if (earlier && !showed) {
            showed = true;
            const before = await this.#source.coordinates(earlier.coordinates);
            if (current()) this.#told.earlier({ ...projection, ...earlier }, before);
          }
          const ended = projection.state === "failed" || projection.state === "cancelled";
          return ended ? 0 : (FIRST_MS[asked++] ?? PROGRESS_MS);
        }
        const coordinates = await this.#source.coordinates(projection.coordinates);
        if (current()) this.#told.ready(projection, coordinates);
      } catch (error) {
        if (!current()) return 0;
        this.#told.trouble(troubleOf(error));
        return troubleOf(error).kind === "away" ? AGAIN_MS : 0;
      }
      return 0;
    });
  }

  /** Cancel it, and tell what has become of it. @param {import("./source.js").Question} question */
  cancel(question) {
    const current = this.#repeated.start(async () => {
      try {
        const projection = await this.#source.cancel(question);
        if (!current()) return 0; // another one has been asked for
        if (!projection.coordinates) {
          this.#told.state(projection);
          return 0;
        }
        const coordinates = await this.#source.coordinates(projection.coordinates);
        if (current()) this.#told.ready(projection, coordinates);
      } catch (error) {
        if (current()) this.#told.trouble(troubleOf(error));
      }
      return 0;
    });
  }

  /** Ask no more. */
  stop() {
    this.#repeated.stop();
  }
}

/** Looks which snapshots there are, and for new ones as long as runs are open. */
export class News {
  #source;
  #told;
  #repeated;
  open = false;

  /**
   * @param {Source} source @param {() => boolean} seen
   * @param {{space: (space: import("./source.js").Space) => void,
   *   trouble: (trouble: Trouble) => void}} told
   */
  constructor(source, seen, told) {
    this.#source = source;
    this.#told = told;
    this.#repeated = new Repeated(seen);
  }

  /** Look now, and then every ten seconds. */
  start() {
    let pause = FIRST_NEWS_MS;
    const current = this.#repeated.start(async () => {
      try {
        const space = await this.#source.space();
        if (space.samples) pause = NEWS_MS;
        if (current()) this.#told.space(space);
      } catch (error) {
        if (!current()) return 0;
        this.#told.trouble(troubleOf(error));
        return troubleOf(error).kind === "away" ? AGAIN_MS : 0;
      }
      return this.open ? pause : 0;
    });
  }

  /** Look no more. */
  stop() {
    this.#repeated.stop();
  }
}

/** @param {unknown} error @returns {Trouble} */
export function troubleOf(error) {
  if (error instanceof Trouble) return error;
  return new Trouble("refused", `The panels cannot be drawn: ${error instanceof Error ? error.message : error}`);
}
