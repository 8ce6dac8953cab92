/** Draws a report's figures, in the reader's theme, and in the light one on paper. */
const pictureServer = null; // there is none: the browser makes what it can
const CONFIG = { displayModeBar: false, responsive: true, doubleClick: "reset" };

const { comparison, dark, figures } = JSON.parse(document.getElementById("figures").textContent);
const scheme = matchMedia("(prefers-color-scheme: dark)");

/** @param {string} key @param {string} figure JSON */
function draw(key, figure) {
  const chart = document.getElementById(`chart-${key}`);
  const { data, layout } = themed(figure, lookOf(document.documentElement), dark);
  return Plotly.react(chart, data, layout, CONFIG);
}

const drawAll = () => Promise.all(Object.entries(figures).map(([key, { figure }]) => draw(key, figure)));

for (const [key, { name, file }] of Object.entries(figures)) {
  const chart = document.getElementById(`chart-${key}`);
  const named = () => ({
    ...{ file, comparison, title: name, look: lookOf(document.documentElement) },
    swaps: dark,
  });
  document.getElementById(`tools-${key}`).append(...saveButtons(Plotly, chart, named));
}
drawAll().then(() => document.documentElement.setAttribute("data-drawn", ""));
scheme.addEventListener("change", drawAll);

/** @type {HTMLDetailsElement[]} */
let opened = [];
addEventListener("beforeprint", () => {
  document.documentElement.classList.add("on-paper");
  opened = [...document.querySelectorAll("details:not([open]):not(.only-on-screen)")];
  for (const part of opened) part.open = true;
  drawAll();
});
addEventListener("afterprint", () => {
  document.documentElement.classList.remove("on-paper");
  for (const part of opened) part.open = false;
  drawAll();
});
