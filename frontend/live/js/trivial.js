/** What stands in and under the loss chart: the trivial loss, and the share of the weight that
 * pulls; pure. */
import { plotlyText } from "./dress.js";
import { shortNumber } from "./format.js";

/** @typedef {import("./figure.js").Arm} Arm */
/** @typedef {import("./figure.js").Run} Run */
/** @typedef {import("./store.js").Table} Table */
/** @typedef {{arms: string[], value: number, color: string|null, dash: string}} Line */

const ALIKE = 0.01; // values closer than this, as a share of the first, are one line
const NEAR = 0.07; // share of the axis below which two labels would overlap
const REACH = 2; // the axis is stretched to a line up to this many times the highest point

/**
 * The mean over all steps of all runs of each arm: batches differ a little in their classes.
 * @param {Table|undefined} table @param {Arm[]} arms @param {Run[]} runs
 * @returns {Map<string, number>} only arms with a value
 */
export function means(table, arms, runs) {
  const found = new Map();
  for (const { name } of arms) {
    let [sum, count] = [0, 0];
    for (const run of runs) {
      const track = run.arm === name ? table?.tracks.get(run.id) : undefined;
      track?.mean.forEach((value, i) => {
        if (Number.isNaN(value)) return;
        sum += value * track.count[i];
        count += track.count[i];
      });
    }
    if (count) found.set(name, sum / count);
  }
  return found;
}

/**
 * One line for each value: in the arm's look, or without a colour where several arms share it.
 * @param {Map<string, number>} trivial @param {Arm[]} arms the visible ones
 * @returns {Line[]}
 */
export function trivialLines(trivial, arms) {
  /** @type {Line[]} */
  const lines = [];
  for (const { name, color } of arms) {
    const value = trivial.get(name);
    if (value === undefined || value <= 0) continue;
    const same = lines.find((line) => Math.abs(line.value - value) <= ALIKE * line.value);
    if (same) {
      same.arms.push(name);
      same.color = null;
    } else lines.push({ arms: [name], value, color, dash: "dash" });
  }
  return lines;
}

/**
 * Traces of the lines, over the whole width of the data.
 * @param {Line[]} lines @param {number} width largest x of the data @param {string} grey
 */
export function trivialTraces(lines, width, grey) {
  return lines.map(({ value, color, dash, arms }) => ({
    type: "scatter",
    mode: "lines",
    name: `trivial loss: ${arms.join(", ")}`,
    x: [0, width],
    y: [value, value],
    line: { color: color ?? grey, width: 1, dash },
  }));
}

/**
 * Names of the lines, at their right ends; without arms for one line that all of them have. The lower
 * one of two that are near has its name below; of more, the highest has one name for all.
 * @param {Line[]} lines @param {string} color of the text @param {boolean} logarithmic
 * @param {number} count of visible arms @param {number} height of the axis, in its own unit
 */
export function trivialLabels(lines, color, logarithmic, count, height) {
  const place = (/** @type {number} */ value) => (logarithmic ? Math.log10(value) : value);
  /** @type {Line[][]} */
  const heaps = []; // of lines that are near one another, from above
  for (const line of [...lines].sort((a, b) => b.value - a.value)) {
    const above = heaps.at(-1)?.at(-1);
    if (above && place(above.value) - place(line.value) < NEAR * height) heaps.at(-1).push(line);
    else heaps.push([line]);
  }
  const label = (/** @type {number} */ value, /** @type {string[]} */ arms, isBelow = false) => ({
    text: arms.length === count ? "trivial loss" : `trivial loss, ${named(arms)}`,
    x: 1,
    xref: "paper",
    xanchor: "right",
    y: place(value),
    yanchor: isBelow ? "top" : "bottom",
    showarrow: false,
    font: { size: 11, color },
  });
  return heaps.flatMap((heap) =>
    heap.length > 2
      ? [label(heap[0].value, heap.flatMap(({ arms }) => arms))]
      : heap.map(({ value, arms }, at) => label(value, arms, at > 0)),
  );
}

/**
 * How high the linear axis reaches, so that lines near the curves are seen and far ones, which would
 * flatten the curves, are not.
 * @param {number} high without lines @param {Line[]} lines
 */
export function highest(high, lines) {
  const near = lines.map(({ value }) => 1.08 * value).filter((value) => value <= REACH * high);
  return Math.max(high, ...near);
}

/**
 * The sentence under the chart.
 * @param {Map<string, number>} trivial @param {Map<string, number>} pull @param {Arm[]} arms visible
 */
export function underLoss(trivial, pull, arms) {
  const listed = (/** @type {Map<string, number>} */ of, /** @type {Function} */ format) => {
    /** @type {Map<string, string[]>} */
    const alike = new Map();
    for (const { name } of arms) {
      if (!of.has(name)) continue;
      const text = format(of.get(name));
      alike.set(text, [...(alike.get(text) ?? []), name]);
    }
    return [...alike]
      .map(([text, names]) => (names.length === arms.length ? text : `${text} (${names.join(", ")})`))
      .join(", ");
  };
  const share = (/** @type {number} */ value) => `${shortNumber(Math.round(1000 * value) / 10)} %`;
  const parts = [];
  if (trivial.size) parts.push(`Trivial loss (all embeddings in one point): ${listed(trivial, shortNumber)}.`);
  if (pull.size) parts.push(`Share of the loss's weight that pulls: ${listed(pull, share)}.`);
  return parts.join(" ");
}

/** @param {string[]} arms */
function named(arms) {
  return arms.length > 2 ? `${arms.length} arms` : plotlyText(arms.join(", "));
}
