/** Small helpers to build elements; text is always set as text, never as HTML. */

/**
 * @param {string} tag
 * @param {Object<string, any>} [attributes] `on...` functions become listeners, null is left out
 * @param {...(Node|string|null|undefined)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else setAttribute(element, name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/**
 * Set or remove one attribute, touching the document only if it changes.
 * @param {Element} element
 * @param {string} name
 * @param {any} value null, undefined and false remove it
 */
export function setAttribute(element, name, value) {
  if (value == null || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else {
    const text = value === true ? "" : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/** @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** An arm's colour for text, which needs more contrast than lines. @param {string} color */
export function ink(color) {
  return `color: color-mix(in srgb, ${color} 70%, var(--st-text-color))`;
}

/**
 * A sample of an arm's line: its colour and its dash.
 * @param {string} color
 * @param {string} dash as Plotly and SVG take it: "solid", or lengths in pixels
 */
export function swatch(color, dash) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "lb-swatch");
  svg.setAttribute("viewBox", "0 0 30 4");
  svg.setAttribute("preserveAspectRatio", "xMinYMid slice");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const drawn = { x1: 0, x2: 30, y1: 2, y2: 2, stroke: color, "stroke-width": 3 };
  for (const [name, value] of Object.entries(drawn)) line.setAttribute(name, String(value));
  if (dash !== "solid") line.setAttribute("stroke-dasharray", dash);
  svg.append(line);
  return svg;
}
