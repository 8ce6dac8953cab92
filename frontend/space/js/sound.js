/** Plays the recordings of samples, which lie one behind another in one file. */

const PATIENCE_MS = 120; // a pointer that only passes by starts nothing

export class Sounds {
  /** @type {HTMLAudioElement|null} */
  #player = null;
  #url = "";
  /** @type {number[]} */
  #ends = [];
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #start;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #stop;
  /** Whether a sample under the pointer is heard. */
  wanted = true;

  /** @param {import("./source.js").Samples} samples */
  load({ sounds, sound_ends: ends }) {
    if (sounds === this.#url) return;
    this.silence();
    this.#player = null;
    this.#url = sounds ?? "";
    this.#ends = (sounds && ends) || [];
  }

  /** Whether there is a recording of it. @param {number} sample */
  has(sample) {
    return sample >= 0 && sample < this.#ends.length;
  }

  /** Play it in a moment, unless another one or none is wanted by then. @param {number} sample */
  soon(sample) {
    clearTimeout(this.#start);
    if (!this.wanted || !this.has(sample)) this.silence();
    else this.#start = setTimeout(() => this.play(sample), PATIENCE_MS);
  }

  /** @param {number} sample */
  async play(sample) {
    this.silence();
    if (!this.has(sample)) return;
    this.#player ??= await whole(this.#url).catch(() => null);
    const player = this.#player;
    if (!player) return;
    const from = sample ? this.#ends[sample - 1] : 0;
    player.currentTime = from;
    const begun = await player.play().then(() => true, () => false); // not before the first click
    clearTimeout(this.#stop);
    if (begun) this.#stop = setTimeout(() => player.pause(), 1000 * (this.#ends[sample] - from));
  }

  /** Play no more. */
  silence() {
    clearTimeout(this.#start);
    clearTimeout(this.#stop);
    this.#player?.pause();
  }
}

/** A player of the file as a whole, so that it can jump anywhere at once.
 * @param {string} url @returns {Promise<HTMLAudioElement>} */
async function whole(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const player = new Audio(URL.createObjectURL(await answer.blob()));
  await new Promise((resolve, reject) => {
    player.onloadedmetadata = resolve;
    player.onerror = () => reject(player.error);
  });
  return player;
}
