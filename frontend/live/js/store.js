/**
 * The points that the browser holds: one table per metric key, one track per run in it.
 *
 * A track is at most LIMIT buckets of 2^k steps, anchored at 0 and so wide in every track of its
 * table: seeds line up, kept points do not move, and memory has a bound however long a run is.
 */

export const LIMIT = 1000;

/**
 * @typedef {Object} Track
 * @property {number[]} steps first step of each bucket
 * @property {number[]} mean
 * @property {number[]} min
 * @property {number[]} max
 * @property {number[]} count points in each bucket
 * @property {number} last last step that has arrived, -1 for none
 */

/** @returns {Track} */
function emptyTrack() {
  return { steps: [], mean: [], min: [], max: [], count: [], last: -1 };
}

export class Table {
  constructor() {
    /** @type {Map<string, Track>} */
    this.tracks = new Map();
    this.width = 1;
  }

  /** Last step of any run, -1 for none. */
  get last() {
    let last = -1;
    for (const track of this.tracks.values()) last = Math.max(last, track.last);
    return last;
  }

  /**
   * @param {string} run
   * @returns {Track}
   */
  track(run) {
    let track = this.tracks.get(run);
    if (!track) this.tracks.set(run, (track = emptyTrack()));
    return track;
  }

  /**
   * Add points that are newer than the track's last; older ones have been seen already.
   * @param {string} run
   * @param {number[]} steps
   * @param {(number|null)[]} values null where the value was not finite: leaves a gap
   */
  append(run, steps, values) {
    const track = this.track(run);
    steps.forEach((step, index) => {
      if (step <= track.last) return;
      track.last = step;
      const value = values[index];
      const bucket = value == null ? [NaN, NaN, NaN, 1] : [value, value, value, 1];
      this.#merge(track, step - (step % this.width), ...bucket);
    });
    this.#bound(run);
  }

  /**
   * Take over a series of the history, thinned or not.
   * @param {{run: string, total: number, steps: number[], values: (number|null)[],
   *   min: (number|null)[]|null, max: (number|null)[]|null}} series
   */
  load(series) {
    if (!series.min || !series.max) {
      this.append(series.run, series.steps, series.values);
      return;
    }
    const width = bucketWidth(series.steps);
    if (width > this.width) this.#widen(width);
    const track = this.track(series.run);
    series.steps.forEach((step, index) => {
      const value = series.values[index] ?? NaN;
      const [low, high] = [series.min[index] ?? NaN, series.max[index] ?? NaN];
      this.#merge(track, step - (step % this.width), value, low, high, width);
      track.last = step + width - 1;
    });
    // How full the last bucket is follows from the total; points that fall in it still come.
    const rest = series.total - (series.steps.length - 1) * width;
    track.last = series.steps[series.steps.length - 1] + Math.min(width, Math.max(1, rest)) - 1;
    this.#bound(series.run);
  }

  /**
   * Forget a run's points behind a step.
   * @param {string} run
   * @param {number} after
   * @returns {boolean} false where a bucket holds points of both sides and the cut is not exact
   */
  drop(run, after) {
    const track = this.tracks.get(run);
    if (!track || track.last <= after) return true;
    let kept = track.steps.length;
    while (kept > 0 && track.steps[kept - 1] > after) kept -= 1;
    const exact = this.width === 1 || kept === 0 || track.steps[kept - 1] + this.width - 1 <= after;
    for (const name of ["steps", "mean", "min", "max", "count"]) track[name].length = kept;
    track.last = after;
    return exact;
  }

  /** Halve the buckets of all tracks until this run's are few enough. @param {string} run */
  #bound(run) {
    while (this.track(run).steps.length > LIMIT) this.#widen(this.width * 2);
  }

  /** @param {number} width a power of two, more than now; replaces every track */
  #widen(width) {
    this.width = width;
    for (const [run, old] of this.tracks) {
      const track = emptyTrack();
      track.last = old.last;
      old.steps.forEach((step, i) => {
        const bucket = [old.mean[i], old.min[i], old.max[i], old.count[i]];
        this.#merge(track, step - (step % width), ...bucket);
      });
      this.tracks.set(run, track);
    }
  }

  /**
   * @param {Track} track
   * @param {number} start first step of the bucket, not before the track's last bucket
   * @param {number} mean
   * @param {number} min
   * @param {number} max
   * @param {number} count
   */
  #merge(track, start, mean, min, max, count) {
    const at = track.steps.length - 1;
    if (at < 0 || track.steps[at] !== start) {
      track.steps.push(start);
      track.mean.push(mean);
      track.min.push(min);
      track.max.push(max);
      track.count.push(count);
    } else if (Number.isNaN(track.mean[at])) {
      [track.mean[at], track.min[at], track.max[at], track.count[at]] = [mean, min, max, count];
    } else if (!Number.isNaN(mean)) {
      const total = track.count[at] + count;
      track.mean[at] += ((mean - track.mean[at]) * count) / total;
      track.min[at] = Math.min(track.min[at], min);
      track.max[at] = Math.max(track.max[at], max);
      track.count[at] = total;
    }
  }
}

/**
 * The width of the buckets a thinned series came in: the largest power of two that fits.
 * @param {number[]} steps
 */
export function bucketWidth(steps) {
  let gap = Infinity;
  for (let i = 1; i < steps.length; i += 1) gap = Math.min(gap, steps[i] - steps[i - 1]);
  return Number.isFinite(gap) ? 2 ** Math.floor(Math.log2(gap)) : 1;
}

/** @param {Track} track @param {number} step @returns {number} value at a step, between points */
export function valueAt(track, step) {
  const { steps, mean } = track;
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return 0; // nothing has run yet
  if (low === steps.length) return mean[low - 1];
  const share = (step - steps[low - 1]) / (steps[low] - steps[low - 1]);
  return mean[low - 1] + share * (mean[low] - mean[low - 1]);
}

/** The tables of all metrics, by key. */
export class Tables {
  /** @type {Map<string, Table>} */
  #all = new Map();

  /** @param {string} key @returns {Table|undefined} undefined before its first series */
  get(key) {
    return this.#all.get(key);
  }

  /** @param {string} key @returns {Table} a new one where there is none */
  of(key) {
    let table = this.#all.get(key);
    if (!table) this.#all.set(key, (table = new Table()));
    return table;
  }

  clear() {
    this.#all.clear();
  }

  /** Drop a run's points behind a step. @param {string} run @param {number} after
   * @returns {boolean} whether all tables could */
  drop(run, after) {
    return [...this.#all.values()].map((table) => table.drop(run, after)).every(Boolean);
  }
}
