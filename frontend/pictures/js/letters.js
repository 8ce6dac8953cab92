/** Texts in a drawing: how wide they are, where their lines end, and how XML writes them. */

/** Liberation Sans has Arial's widths: lines are as long wherever a drawing is opened. */
export const LETTERS = "Liberation Sans, Arial, Helvetica, sans-serif";

/** @type {CanvasRenderingContext2D|undefined} */
let pen;

/** @param {string} text @param {number} size px @param {boolean} [bold] @returns {number} px */
export function textWidth(text, size, bold = false) {
  pen ??= /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  pen.font = `${bold ? "bold " : ""}${size}px ${LETTERS}`;
  return pen.measureText(text).width;
}

/**
 * A text in lines; a word that is too long for one is broken.
 * @param {string} text @param {number} size px @param {number} width px
 * @param {{bold?: boolean, most?: number}} [how] most: lines; what is over ends in "…"
 * @returns {string[]}
 */
export function textLines(text, size, width, { bold = false, most = Infinity } = {}) {
  const fits = (/** @type {string} */ line) => textWidth(line, size, bold) <= width;
  const lines = [];
  let line = "";
  for (const word of text.split(/[ \t\r\n]+/).filter(Boolean)) {
    const longer = line ? `${line} ${word}` : word;
    if (fits(longer)) {
      line = longer;
      continue;
    }
    if (line) lines.push(line);
    line = "";
    for (const letter of word) {
      if (line && !fits(line + letter)) {
        lines.push(line);
        line = "";
      }
      line += letter;
    }
  }
  if (line) lines.push(line);
  if (lines.length <= most) return lines;
  let last = lines[most - 1];
  while (last && !fits(`${last}…`)) last = last.slice(0, -1);
  return [...lines.slice(0, most - 1), `${last.trimEnd()}…`];
}

/** @param {string} text */
export function xmlText(text) {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** A document without the characters that XML forbids, such as NUL in a name. @param {string} svg */
export function legalXml(svg) {
  return svg.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, "");
}

/**
 * Lines of text below one another.
 * @param {string[]} lines @param {number} x @param {number} y baseline of the first
 * @param {{size: number, fill: string, bold?: boolean, anchor?: string, leading?: number}} how
 */
export function svgText(lines, x, y, { size, fill, bold, anchor = "start", leading = 1.25 }) {
  const weight = bold ? ' font-weight="bold"' : "";
  return lines
    .map((line, at) => {
      const place = `x="${round2(x)}" y="${round2(y + at * leading * size)}" text-anchor="${anchor}"`;
      return `<text ${place} font-size="${round2(size)}" fill="${fill}"${weight}>${xmlText(line)}</text>`;
    })
    .join("");
}

/** @param {number} value */
export function round2(value) {
  return Math.round(value * 100) / 100;
}
