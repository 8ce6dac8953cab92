/** What a point's colour and sign say: its class, whether it is right, how far it lies out. */
import { SHAPES } from "./stamps.js";

/** @typedef {import("./stamps.js").Rgb} Rgb */
/** @typedef {import("./stamps.js").Shape} Shape */
/** @typedef {{fill: string, shape: Shape}} Style */
/**
 * @typedef {Object} Colouring
 * @property {Style[]} styles
 * @property {Uint16Array} index a point's style
 * @property {Uint8Array|null} above 1 for points that are drawn over the others
 */
/** @typedef {"class"|"fine"|"correct"|"distance"|"modality"} By */

/** Ten hues for ten classes, Petroff (2021), "Accessible color sequences for data visualization";
 * on the dark theme the dark ones are lifted. The rim gives the pale ones their outline. */
const HUES = {
  light: [
    ...["#3f90da", "#e88c00", "#bd1f01", "#7d8b89", "#832db6"],
    ...["#a96b59", "#e7550d", "#8f8546", "#565c6b", "#2fa6ad"],
  ],
  dark: [
    ...["#5aa7ec", "#ffa90e", "#e2543a", "#a9b8b6", "#b26be0"],
    ...["#c48a78", "#ff8a3c", "#cfc489", "#8f96a8", "#92dadd"],
  ],
};

/** Viridis (Smith and van der Walt 2015) at equal steps: rises in lightness, for all eyes. */
const VIRIDIS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];

const LEVELS = 32;
const OUTLIERS = 0.98; // farther ones share the scale's last colour

/** @type {Record<"light"|"dark", Record<"right"|"wrong"|"unknown", Style>>} */
const VERDICTS = {
  light: {
    right: { fill: "#5c9fd0", shape: "disc" },
    wrong: { fill: "#c63d00", shape: "cross" },
    unknown: { fill: "#8a949e", shape: "diamond" },
  },
  dark: {
    right: { fill: "#3f7fb0", shape: "disc" },
    wrong: { fill: "#ff8a4c", shape: "cross" },
    unknown: { fill: "#7e8994", shape: "diamond" },
  },
};

/**
 * The look of one of many groups: ten hues with one sign, then the same hues with the next sign.
 * @param {number} group counted from 0; below 0: none
 * @param {boolean} dark
 * @returns {Style}
 */
export function groupStyle(group, dark) {
  const hues = dark ? HUES.dark : HUES.light;
  if (group < 0) return VERDICTS[dark ? "dark" : "light"].unknown;
  const shape = SHAPES[Math.floor(group / hues.length) % SHAPES.length];
  return { fill: hues[group % hues.length], shape };
}

/**
 * Colour by a label that is the same under every arm.
 * @param {number[]} labels -1 for a point without one
 * @param {boolean} dark
 * @returns {Colouring}
 */
export function byGroup(labels, dark) {
  const groups = labels.reduce((most, label) => Math.max(most, label), -1) + 1;
  const styles = Array.from({ length: groups }, (_, group) => groupStyle(group, dark));
  styles.push(groupStyle(-1, dark));
  const index = Uint16Array.from(labels, (label) => (label < 0 ? groups : label));
  return { styles, index, above: null };
}

/**
 * Whether the nearest other sample has the same class; wrong ones are crosses, on top.
 * @param {(0|1|null)[]} correct
 * @param {boolean} dark
 * @returns {Colouring}
 */
export function byCorrect(correct, dark) {
  const { right, wrong, unknown } = verdictStyles(dark);
  const index = Uint16Array.from(correct, (each) => (each == null ? 2 : 1 - each));
  return { styles: [right, wrong, unknown], index, above: Uint8Array.from(index, (at) => +(at === 1)) };
}

/** @param {boolean} dark */
export function verdictStyles(dark) {
  return VERDICTS[dark ? "dark" : "light"];
}

/**
 * @param {number[]} distances
 * @param {[number, number]} span of the scale, the same in all panels
 * @returns {Colouring}
 */
export function byDistance(distances, [low, high]) {
  const styles = Array.from({ length: LEVELS }, (_, level) => {
    return { fill: ramp(level / (LEVELS - 1)), shape: /** @type {Shape} */ ("disc") };
  });
  const index = Uint16Array.from(distances, (distance) => {
    const share = high > low ? (distance - low) / (high - low) : 0;
    return Math.round(Math.min(1, Math.max(0, share)) * (LEVELS - 1));
  });
  return { styles, index, above: null };
}

/**
 * From 0 to what nearly all distances of the arms stay below.
 * @param {number[][]} distances one list an arm
 * @returns {[number, number]}
 */
export function spanOf(distances) {
  const all = Float64Array.from(distances.flat()).sort();
  return [0, all.length ? all[Math.floor((all.length - 1) * OUTLIERS)] : 1];
}

/** Points whose colour is not known yet. @param {number} n @param {boolean} dark */
export function plain(n, dark) {
  return { styles: [groupStyle(-1, dark)], index: new Uint16Array(n), above: null };
}

/** @param {number} share 0..1 @returns {string} */
export function ramp(share) {
  const at = share * (VIRIDIS.length - 1);
  const from = Math.min(VIRIDIS.length - 2, Math.floor(at));
  const [a, b] = [rgbOf(VIRIDIS[from]), rgbOf(VIRIDIS[from + 1])];
  return hexOf(mixed(a, b, at - from));
}

/** @param {string} color #rrggbb or rgb(...) @returns {Rgb} */
export function rgbOf(color) {
  const parts = color.startsWith("#")
    ? [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16))
    : (color.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
  return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0];
}

/** @param {Rgb} a @param {Rgb} b @param {number} share of b @returns {Rgb} */
export function mixed(a, b, share) {
  const part = (/** @type {number} */ at) => Math.round(a[at] + (b[at] - a[at]) * share);
  return [part(0), part(1), part(2)];
}

/** @param {Rgb} rgb */
function hexOf(rgb) {
  return `#${rgb.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
