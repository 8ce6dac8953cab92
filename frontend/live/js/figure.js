/** From a table of points and the viewer's options to Plotly's traces; pure. */
import { meanBand, smoothed } from "./stats.js";
import { valueAt } from "./store.js";

/** @typedef {import("./options.js").Options} Options */
/** @typedef {import("./store.js").Table} Table */
/** @typedef {import("./store.js").Track} Track */
/** @typedef {{name: string, color: string, dash: string}} Arm */
/** @typedef {{id: string, arm: string, seed: number, steps_per_epoch: number}} Run */
/** @typedef {{run: Run, steps: number[], raw: number[], values: number[], track: Track}} Line */

const FEW = 40; // points that are marked one by one, so that a lone first one is seen

/**
 * @param {Table} table the panel's metric
 * @param {Table|undefined} clock elapsed seconds by step, for x as time
 * @param {Arm[]} arms
 * @param {Run[]} runs
 * @param {Options} options
 * @param {boolean} perStep whether the metric is logged at each step: only such curves are smoothed
 * @returns {Object[]} traces; each arm has the same number in the same order at every call
 */
export function traces(table, clock, arms, runs, options, perStep) {
  const keep = perStep ? options.smooth : 0;
  return arms.flatMap((arm) => {
    const lines = runs
      .filter((run) => run.arm === arm.name && table.tracks.has(run.id))
      .map((run) => lineOf(run, table.tracks.get(run.id), keep));
    const visible = !options.hide.includes(arm.name);
    const x = (/** @type {Line[]} */ of, /** @type {number[]} */ steps) =>
      horizontal(options.x, steps, of, clock);
    const drawn =
      options.seeds === "mean" ? meanTraces(arm, lines, x, keep) : seedTraces(arm, lines, x, keep);
    return drawn.map((trace) => ({ ...trace, visible }));
  });
}

/** @param {Run} run @param {Track} track @param {number} keep @returns {Line} */
function lineOf(run, track, keep) {
  const values = smoothed(track.mean, track.count, keep);
  return { run, steps: track.steps, raw: track.mean, values, track };
}

/**
 * Mean over the seeds, its 95 % interval, and the mean that is not smoothed behind it.
 * @param {Arm} arm @param {Line[]} lines @param {Function} x @param {number} keep
 */
function meanTraces(arm, lines, x, keep) {
  const band = meanBand(lines);
  const at = x(lines, band.steps);
  const raw = keep > 0 ? meanBand(lines.map(({ steps, raw }) => ({ steps, values: raw }))) : null;
  return [
    { ...outline(band, at), ...quiet(arm), fill: "toself", fillcolor: faint(arm.color, 0.16) },
    {
      ...quiet(arm),
      x: raw ? x(lines, raw.steps) : [],
      y: raw?.mean ?? [],
      line: { color: faint(arm.color, 0.28), width: 1 },
    },
    mainTrace(arm, arm.name, at, band.mean, 2),
  ];
}

/**
 * A line for each seed; behind a smoothed one the raw values, spikes kept.
 * @param {Arm} arm @param {Line[]} lines @param {Function} x @param {number} keep
 */
function seedTraces(arm, lines, x, keep) {
  return lines.flatMap((line) => {
    const behind = keep > 0 ? zigzag(line.track) : { steps: [], values: [] };
    const name = `${arm.name} · seed ${line.run.seed}`;
    return [
      {
        ...quiet(arm),
        x: x([line], behind.steps),
        y: behind.values,
        line: { color: faint(arm.color, 0.22), width: 1 },
      },
      mainTrace(arm, name, x([line], line.steps), line.values, 1.5),
    ];
  });
}

/** What the traces behind a line share. @param {Arm} arm */
function quiet(arm) {
  return { type: "scatter", mode: "lines", name: arm.name, line: { width: 0 } };
}

/** The line whose values are read off. @param {Arm} arm @param {string} name @param {number[]} x
 * @param {number[]} y @param {number} width */
function mainTrace(arm, name, x, y, width) {
  return {
    type: "scatter",
    mode: x.length <= FEW ? "lines+markers" : "lines",
    name,
    meta: arm.name,
    x,
    y,
    line: { color: arm.color, width, dash: arm.dash },
    marker: { color: arm.color, size: 4 },
  };
}

/**
 * The interval as closed outlines, one for each stretch that has an interval.
 * @param {import("./stats.js").Band} band @param {number[]} x
 */
function outline(band, x) {
  /** @type {{x: (number|null)[], y: (number|null)[]}} */
  const path = { x: [], y: [] };
  let first = 0;
  for (let i = 0; i <= x.length; i += 1) {
    if (i < x.length && !Number.isNaN(band.half[i])) continue;
    if (i - first > 1) {
      if (path.x.length) (path.x.push(null), path.y.push(null));
      for (let j = first; j < i; j += 1) {
        (path.x.push(x[j]), path.y.push(band.mean[j] + band.half[j]));
      }
      for (let j = i - 1; j >= first; j -= 1) {
        (path.x.push(x[j]), path.y.push(band.mean[j] - band.half[j]));
      }
    }
    first = i + 1;
  }
  return path;
}

/** Lowest and highest value of each bucket in turn. @param {Track} track */
function zigzag(track) {
  /** @type {{steps: number[], values: number[]}} */
  const path = { steps: [], values: [] };
  track.steps.forEach((step, i) => {
    path.steps.push(step);
    path.values.push(track.min[i]);
    if (track.count[i] > 1) {
      path.steps.push(step);
      path.values.push(track.max[i]);
    }
  });
  return path;
}

/**
 * Steps as the chosen horizontal axis; of several seeds their mean time.
 * @param {Options["x"]} axis @param {number[]} steps @param {Line[]} lines
 * @param {Table|undefined} clock
 */
function horizontal(axis, steps, lines, clock) {
  if (axis === "epoch") {
    const length = lines[0]?.run.steps_per_epoch || 1;
    return steps.map((step) => step / length);
  }
  if (axis === "time") {
    const clocks = lines.map(({ run }) => clock?.tracks.get(run.id)).filter((t) => t !== undefined);
    return steps.map((step) => meanTime(clocks, step));
  }
  return steps;
}

/**
 * The mean time of seeds at a step. Of those that have not come so far it is their last time and what
 * the others took from there: the mean goes on where they stop, and never back.
 * @param {Track[]} clocks @param {number} step
 */
function meanTime(clocks, step) {
  const reached = clocks.filter((track) => track.last >= step);
  const times = clocks.map((track) => {
    if (track.last >= step || !reached.length) return valueAt(track, step);
    const more = reached.map((other) => valueAt(other, step) - valueAt(other, track.last));
    return valueAt(track, track.last) + average(more);
  });
  return average(times);
}

/** @param {number[]} values @returns {number} NaN of none */
function average(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * What the axes show by themselves: all lines, and of the intervals as much as leaves the lines
 * readable; with three seeds an interval can be many times as high as all else.
 * @param {Object[]} drawn traces
 * @param {import("./zoom.js").Range|null} [within] the part of the horizontal axis that is shown
 * @returns {{x: number, low: number, high: number, smallest: number,
 *   lines: [number, number]}|null} smallest: the smallest positive value; lines: what they cover
 *   alone; null without a visible point
 */
export function extent(drawn, within = null) {
  let [x, low, high, smallest] = [-Infinity, Infinity, -Infinity, Infinity];
  const [from, to] = within ?? [-Infinity, Infinity];
  for (const { visible, fill, x: xs, y: ys } of drawn) {
    if (!visible || fill) continue;
    for (let i = 0; i < ys.length; i += 1) {
      if (xs[i] < from || xs[i] > to) continue;
      if (ys[i] < low) low = ys[i];
      if (ys[i] > high) high = ys[i];
      if (ys[i] > 0 && ys[i] < smallest) smallest = ys[i];
      if (xs[i] > x) x = xs[i];
    }
  }
  if (high < low) return within ? extent(drawn) : null;
  const room = 0.25 * (high - low) || 0.1 * Math.abs(high) || 1;
  const floor = low < 0 ? low - room : Math.max(low - room, -0.04 * (high - low));
  return { x, low: floor, high: high + room, smallest, lines: [low, high] };
}

/** @param {string} color #rrggbb @param {number} opacity */
function faint(color, opacity) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return `rgba(${r},${g},${b},${opacity})`;
}

/**
 * The newest value of each arm: the mean over its seeds' last ones.
 * @param {Table} table @param {Arm[]} arms @param {Run[]} runs
 * @returns {Map<string, number>}
 */
export function newest(table, arms, runs) {
  const found = new Map();
  for (const arm of arms) {
    const values = runs
      .filter((run) => run.arm === arm.name)
      .map((run) => table.tracks.get(run.id)?.mean.findLast((value) => !Number.isNaN(value)))
      .filter((value) => value !== undefined);
    if (values.length) found.set(arm.name, average(values));
  }
  return found;
}
