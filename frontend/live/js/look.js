/** The page's theme as the charts need it. */

/** @typedef {import("./panel.js").Look} Look */

/**
 * @param {Element} element inside Streamlit's page, whose theme stands in custom properties
 * @returns {Look & {dark: boolean}}
 */
export function lookOf(element) {
  const style = getComputedStyle(element);
  const read = (/** @type {string} */ name, /** @type {string} */ fallback) =>
    style.getPropertyValue(name).trim() || fallback;
  const background = read("--st-background-color", "#ffffff");
  const text = read("--st-text-color", "#1c242d");
  const dark = lightness(background) < 0.5;
  return {
    dark,
    background,
    text,
    muted: dark ? "#9aa6b2" : "#5d6b79",
    grid: dark ? "#26303a" : "#e6ebf0",
    font: read("--st-font", "sans-serif"),
  };
}

/** @param {string} color #rrggbb or rgb(...) @returns {number} 0 black, 1 white */
function lightness(color) {
  const parts = color.startsWith("#")
    ? [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16))
    : (color.match(/[\d.]+/g) ?? ["255", "255", "255"]).slice(0, 3).map(Number);
  return (0.3 * parts[0] + 0.59 * parts[1] + 0.11 * parts[2]) / 255;
}

/**
 * Plotly, loaded once for the page.
 * @param {string} url
 * @returns {Promise<any>}
 */
export function loadPlotly(url) {
  window.__lossboardPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error(`could not load ${url}`));
    document.head.append(script);
  });
  return window.__lossboardPlotly;
}
