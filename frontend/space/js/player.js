/** Moves through the epochs: by hand with a short way between, or one after the other. */

const STEP_MS = 900; // from one epoch to the next
const GO_MS = 260; // to an epoch that the viewer picked
const REST_MS = 350; // at each epoch, for the eye

export class Player {
  #onMove;
  #onState;
  #last = 0;
  #time = 0;
  /** @type {number|undefined} */
  #frame;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #rest;

  /**
   * @param {(time: number) => void} onMove place among the epochs, with a fraction between two
   * @param {(playing: boolean) => void} onState
   */
  constructor(onMove, onState) {
    this.#onMove = onMove;
    this.#onState = onState;
    this.playing = false;
  }

  get time() {
    return this.#time;
  }

  /** @param {number} count of epochs @param {number} at the place to stand at */
  load(count, at) {
    this.pause();
    this.#last = count - 1;
    this.#jump(Math.min(at, this.#last));
  }

  /** Go to an epoch that was picked. @param {number} place */
  go(place) {
    this.pause();
    if (still()) this.#jump(place);
    else this.#travel(place, GO_MS, () => {});
  }

  /** From here to the last epoch; from the first if this is the last. */
  play() {
    if (this.#last < 1) return;
    this.playing = true;
    this.#onState(true);
    if (this.#time >= this.#last) this.#jump(0);
    this.#rest = setTimeout(() => this.#next(), REST_MS);
  }

  /** Stay at the nearest epoch. */
  pause() {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    clearTimeout(this.#rest);
    this.#frame = undefined;
    if (!this.playing) return;
    this.playing = false;
    this.#onState(false);
    this.#jump(Math.round(this.#time));
  }

  #next() {
    const place = Math.floor(this.#time) + 1;
    if (place > this.#last) {
      this.pause();
      return;
    }
    const arrived = () => {
      if (place === this.#last) this.pause();
      else this.#rest = setTimeout(() => this.#next(), REST_MS);
    };
    if (still()) {
      this.#jump(place);
      this.#rest = setTimeout(arrived, STEP_MS);
    } else this.#travel(place, STEP_MS, arrived);
  }

  /** @param {number} place @param {number} span @param {() => void} arrived */
  #travel(place, span, arrived) {
    const [from, start] = [this.#time, performance.now()];
    const step = () => {
      const share = Math.min(1, (performance.now() - start) / span);
      this.#jump(share === 1 ? place : from + (place - from) * share * share * (3 - 2 * share));
      this.#frame = share < 1 ? requestAnimationFrame(step) : undefined;
      if (share === 1) arrived();
    };
    this.#frame = requestAnimationFrame(step);
  }

  /** @param {number} time */
  #jump(time) {
    this.#time = time;
    this.#onMove(time);
  }
}

/** Whether the viewer asks for no movement. */
export function still() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
