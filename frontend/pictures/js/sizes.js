/** Sizes and formats of saved pictures, and which of them this browser chose last. */

/**
 * @typedef {Object} Size
 * @property {string} name
 * @property {string} label
 * @property {number} width mm; 0: as wide as on the screen
 * @property {number} height mm; 0: as high as what is drawn needs
 * @property {number} letters height of letters in pt
 * @property {number} dpi pixels an inch of a PNG
 */

/** @type {Size[]} */
export const PICTURE_SIZES = [
  { name: "column", label: "Column, 85 mm wide", width: 85, height: 0, letters: 8, dpi: 300 },
  { name: "page", label: "Page, 175 mm wide", width: 175, height: 0, letters: 9, dpi: 300 },
  { name: "slide", label: "Slide, 254 × 143 mm", width: 254, height: 142.875, letters: 16, dpi: 192 },
  { name: "screen", label: "As on the screen", width: 0, height: 0, letters: 9, dpi: 192 },
];

/** Pixels a mm and a pt: all drawings are in CSS pixels, of which an inch has 96. */
export const PX_MM = 96 / 25.4;
export const PX_PT = 96 / 72;

const KEPT_AS = "lossboard-picture";

/**
 * @param {string[]} formats that can be made here
 * @returns {{format: string, size: Size}} what was chosen last; at first SVG in column width
 */
export function lastPicture(formats) {
  const { format, size } = kept();
  return {
    format: formats.includes(format) ? format : formats[0],
    size: PICTURE_SIZES.find(({ name }) => name === size) ?? PICTURE_SIZES[0],
  };
}

/** @param {string} format @param {string} size name */
export function keepPicture(format, size) {
  try {
    localStorage.setItem(KEPT_AS, JSON.stringify({ format, size }));
  } catch {
    // a browser that keeps nothing begins anew each time
  }
}

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT_AS) ?? "{}") ?? {};
  } catch {
    return {};
  }
}

/** A part of a file's name. @param {string} text */
export function filePart(text) {
  const usable = text.normalize("NFC").toLowerCase().replace(/[^\p{L}\p{N}._-]+/gu, "-");
  return [...usable].slice(0, 60).join("").replace(/^[-.]+|[-.]+$/g, "");
}
