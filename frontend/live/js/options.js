/** What the viewer chose, and how the page's address keeps it. */
import { formatZoom, parseZoom, WHOLE } from "./zoom.js";

/**
 * @typedef {Object} Options
 * @property {"step"|"epoch"|"time"} x what runs along the horizontal axis
 * @property {"mean"|"each"} seeds one mean line with its interval, or a line for each seed
 * @property {number} smooth share of the past that the smoothed line keeps at each point, 0..0.99
 * @property {string[]} log keys of the panels with a logarithmic scale
 * @property {string[]} hide names of the arms that are not drawn
 * @property {string[]} wide keys of the panels as wide as the page
 * @property {string[]} pin keys of the panels that come first
 * @property {import("./zoom.js").Zoom} zoom what part of the axes is shown
 */

/** @type {Options} */
export const DEFAULTS = {
  x: "step",
  seeds: "mean",
  smooth: 0.8,
  log: [],
  hide: [],
  wide: [],
  pin: [],
  zoom: WHOLE,
};

export const SMOOTHINGS = [0, 0.5, 0.8, 0.9, 0.95, 0.98];

/**
 * The options that an address asks for; what it does not say, or says wrongly, is the default.
 * @param {string} search
 * @returns {Options}
 */
export function parseOptions(search) {
  const query = new URLSearchParams(search);
  const smooth = Number(query.get("smooth") ?? NaN);
  return {
    x: pick(query.get("x"), ["step", "epoch", "time"], DEFAULTS.x),
    seeds: pick(query.get("seeds"), ["mean", "each"], DEFAULTS.seeds),
    smooth: smooth >= 0 && smooth <= 0.99 ? smooth : DEFAULTS.smooth,
    log: query.getAll("log"),
    hide: query.getAll("hide"),
    wide: query.getAll("wide"),
    pin: query.getAll("pin"),
    zoom: parseZoom(query.getAll("zoom")),
  };
}

/**
 * The address's query with these options in it; other parameters stay, defaults are left out.
 * @param {string} search
 * @param {Options} options
 */
export function formatOptions(search, options) {
  const query = new URLSearchParams(search);
  for (const name of Object.keys(DEFAULTS)) {
    query.delete(name);
    const value = name === "zoom" ? formatZoom(options.zoom) : options[name];
    if (Array.isArray(value)) value.forEach((item) => query.append(name, item));
    else if (value !== DEFAULTS[name]) query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}

/** @param {string|null} value @param {any[]} allowed @param {any} fallback */
function pick(value, allowed, fallback) {
  return allowed.includes(value) ? value : fallback;
}
