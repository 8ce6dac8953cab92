/** A figure in the colours of the page that it stands on. */

/** @typedef {import("./panel.js").Look} Look */

/**
 * An arm's colour on the dark theme in place of its light one, opacity kept.
 * @param {any} value @param {Record<string, string>} swaps
 */
export function tinted(value, swaps) {
  if (typeof value !== "string" || !value.startsWith("#")) return value;
  const swap = swaps[value.slice(0, 7)];
  return swap ? swap + value.slice(7) : value;
}

/**
 * A layout with the theme's colours wherever it names none of its own.
 * @param {any} layout @param {Look} look
 */
export function dressed(layout, look) {
  const axis = { gridcolor: look.grid, linecolor: look.grid, zerolinecolor: look.muted };
  const result = {
    uirevision: "kept",
    dragmode: "zoom",
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    ...layout,
    font: { family: look.font, size: 12, color: look.text, ...layout.font },
    hoverlabel: { bgcolor: look.background, bordercolor: look.grid, font: { size: 12 } },
  };
  for (const name of new Set(["xaxis", "yaxis", ...Object.keys(layout)])) {
    if (!/^[xy]axis\d*$/.test(name)) continue;
    const tickfont = { size: 11, color: look.muted, ...layout[name]?.tickfont };
    result[name] = { ...axis, ...layout[name], tickfont };
  }
  return result;
}

/**
 * A figure as Plotly takes it, in a theme.
 * @param {string} figure JSON @param {Look & {dark: boolean}} look
 * @param {Record<string, string>} dark the arms' light colours and their dark ones
 */
export function themed(figure, look, dark) {
  const { data, layout } = JSON.parse(figure, (_, value) => tinted(value, look.dark ? dark : {}));
  return { data, layout: dressed(layout, look) };
}

/** A text as Plotly takes it, which reads some HTML. @param {string} text */
export function plotlyText(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
