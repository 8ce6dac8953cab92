/** Smoothing and the mean over seeds; pure functions on plain arrays. */

/** Fewer seeds have no interval, as in the verdict. */
const LEAST_SEEDS = 3;

/** 97.5 % points of Student's t for 1, 2, ... degrees of freedom. */
const T_975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145,
  2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048,
  2.045, 2.042,
];

/** @param {number} degrees at least 1 */
export function tQuantile(degrees) {
  return T_975[degrees - 1] ?? 1.96 + 2.5 / degrees;
}

/**
 * Exponential moving average, debiased: the first value is itself, not pulled towards 0.
 * @param {number[]} values
 * @param {number[]} counts how many logged points each value stands for; weighs it accordingly
 * @param {number} keep share of the past kept at each logged point, 0..1
 * @returns {number[]} NaN where the value is NaN, which the average passes over
 */
export function smoothed(values, counts, keep) {
  if (keep <= 0) return values;
  let sum = 0;
  let weight = 0;
  return values.map((value, index) => {
    if (Number.isNaN(value)) return NaN;
    const kept = keep ** counts[index];
    sum = kept * sum + (1 - kept) * value;
    weight = kept * weight + (1 - kept);
    return sum / weight;
  });
}

/**
 * @typedef {Object} Band mean over the seeds that have a value at a step, with its 95 % interval
 * @property {number[]} steps
 * @property {number[]} mean
 * @property {number[]} half half the interval's width (Student's t); NaN below LEAST_SEEDS
 * @property {number[]} count how many seeds
 */

/**
 * A seed counts at every step from its first to its last, between its points as on a line: of fast runs
 * a message of the stream has three points alone, at other steps for each seed. A gap stays one.
 * @param {{steps: number[], values: number[]}[]} seeds each with ascending steps
 * @returns {Band}
 */
export function meanBand(seeds) {
  /** @type {Set<number>} */
  const known = new Set();
  for (const { steps, values } of seeds) {
    steps.forEach((step, at) => Number.isNaN(values[at]) || known.add(step));
  }
  const steps = [...known].sort((a, b) => a - b);
  /** @type {Band} */
  const band = { steps, mean: [], half: [], count: [] };
  const next = seeds.map(() => 0); // place of each seed's first point that is not before the step
  for (const step of steps) {
    const values = [];
    for (const [index, seed] of seeds.entries()) {
      while (next[index] < seed.steps.length && seed.steps[next[index]] < step) next[index] += 1;
      const value = valueOf(seed, next[index], step);
      if (!Number.isNaN(value)) values.push(value);
    }
    const n = values.length;
    const mean = values.reduce((sum, value) => sum + value, 0) / n;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    band.mean.push(mean);
    band.count.push(n);
    band.half.push(n < LEAST_SEEDS ? NaN : tQuantile(n - 1) * Math.sqrt(squares / (n - 1) / n));
  }
  return band;
}

/** @param {{steps: number[], values: number[]}} seed @param {number} at place of its first point not before
 * the step @param {number} step @returns {number} NaN for none */
function valueOf({ steps, values }, at, step) {
  if (steps[at] === step) return values[at];
  if (at === 0 || at === steps.length) return NaN;
  const share = (step - steps[at - 1]) / (steps[at] - steps[at - 1]);
  return values[at - 1] + share * (values[at] - values[at - 1]);
}
