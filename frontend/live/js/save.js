/** The button that saves a Plotly chart as a picture. */
import { saveMenu } from "../../pictures/js/menu.js";
import { plotted } from "../../pictures/js/plotted.js";

/** @typedef {import("../../pictures/js/plotted.js").Named & {file: string}} Named */

/**
 * @param {any} plotly
 * @param {any} chart the element that Plotly has drawn into
 * @param {() => Named} named asked at each use, for theme, names and axis may have changed
 * @returns {HTMLElement[]} the button, and what it opens
 */
export function saveButtons(plotly, chart, named) {
  return saveMenu(named, (size) => plotted(plotly, chart, named(), size));
}
