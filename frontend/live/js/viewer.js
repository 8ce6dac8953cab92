/** What a viewer chose for good, kept by this browser for all comparisons. */

const PREFIX = "lossboard-";

/**
 * @template T
 * @param {string} name @param {T} fallback given too where the browser keeps nothing
 * @returns {T}
 */
export function remembered(name, fallback) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name) ?? "null") ?? fallback;
  } catch {
    return fallback; // storage is forbidden, or another program wrote there
  }
}

/** @param {string} name @param {any} value */
export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch (error) {
    console.info("lossboard: not kept by the browser:", error);
  }
}
