/** What is drawn above the points: rings, the lasso, the scale. */

/** @typedef {{background: string, text: string, muted: string}} Look */
/** @typedef {CanvasRenderingContext2D} Context */

const NICE = [1, 2, 5, 10];
const ROOM = 60; // pixels that a grid's step has at least

/** A ring around a sample. @param {Context} context @param {number} x @param {number} y
 * @param {number} radius @param {Look} look @param {boolean} strong */
export function ring(context, x, y, radius, look, strong) {
  for (const [width, colour] of [
    [strong ? 6 : 4.5, look.background],
    [strong ? 2.6 : 1.8, look.text],
  ]) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.lineWidth = /** @type {number} */ (width);
    context.strokeStyle = /** @type {string} */ (colour);
    context.stroke();
  }
}

/** The lasso on its way. @param {Context} context @param {[number, number][]} outline
 * @param {Look} look */
export function lasso(context, outline, look) {
  context.beginPath();
  outline.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
  context.globalAlpha = 0.09;
  context.fillStyle = look.text;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  context.setLineDash([5, 4]);
  context.strokeStyle = look.text;
  context.stroke();
  context.setLineDash([]);
}

/** A round length that takes up some room. @param {number} scale pixels a unit
 * @returns {{value: number, pixels: number}} */
export function roundLength(scale) {
  const least = ROOM / scale;
  const power = 10 ** Math.floor(Math.log10(least));
  const value = power * (NICE.find((step) => step * power >= least) ?? 10);
  return { value, pixels: value * scale };
}

/** A bar that says how long a round length is. @param {Context} context
 * @param {{value: number, pixels: number}} length @param {number} height @param {Look} look */
export function scaleBar(context, { value, pixels }, height, look) {
  const [left, bottom] = [12, height - 12];
  context.lineWidth = 1.5;
  context.strokeStyle = look.muted;
  context.beginPath();
  context.moveTo(left, bottom - 4);
  context.lineTo(left, bottom);
  context.lineTo(left + pixels, bottom);
  context.lineTo(left + pixels, bottom - 4);
  context.stroke();
  label(context, String(Number(value.toPrecision(3))), left + pixels / 2, bottom - 6, look);
}

/** The three axes, as they stand now. @param {Context} context
 * @param {[number, number][]} tips where each axis points, as seen, of length 1 at most
 * @param {number} height @param {Look} look */
export function axes(context, tips, height, look) {
  const [left, top] = [34, height - 34];
  tips.forEach(([x, y], at) => {
    context.lineWidth = 1.5;
    context.strokeStyle = look.muted;
    context.beginPath();
    context.moveTo(left, top);
    context.lineTo(left + 20 * x, top - 20 * y);
    context.stroke();
    label(context, "xyz"[at], left + 28 * x, top - 28 * y + 4, look);
  });
}

/** @param {Context} context @param {string} text @param {number} x @param {number} y
 * @param {Look} look */
function label(context, text, x, y, look) {
  context.font = "11px 'Source Sans', sans-serif";
  context.textAlign = "center";
  context.lineWidth = 3;
  context.strokeStyle = look.background;
  context.strokeText(text, x, y);
  context.fillStyle = look.muted;
  context.fillText(text, x, y);
}
