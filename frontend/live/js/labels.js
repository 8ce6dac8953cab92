/** The arms' names at the ends of their lines, as long as there is room; else the legend says them. */
import { h, ink } from "./dom.js";
import { shortened } from "./names.js";

/** @typedef {import("./figure.js").Arm} Arm */

export const LINE_PX = 12;
const LEAST_WIDTH = 300; // of a panel with labels
const SHARE = 0.26; // of a panel's width, at most for labels
const MOST_PX = 170;
const LEAD_PX = 12; // between the line's end and its label
const FONT_PX = 11;

/** @type {CanvasRenderingContext2D|null} */
let context = null;

/** @param {string} text @param {string} font a CSS family */
function widthOf(text, font) {
  context ??= document.createElement("canvas").getContext("2d");
  context.font = `600 ${FONT_PX}px ${font}`;
  return context.measureText(text).width;
}

/**
 * How labels are written in a panel: short names by arm, and the room they need at its right.
 * @param {Arm[]} arms those that are drawn @param {number} width of the panel
 * @param {number} height of the chart within its axes @param {string} font
 * @returns {{names: Map<string, string>, room: number}|null} null where the legend has to do
 */
export function planned(arms, width, height, font) {
  if (arms.length < 2 || arms.length * LINE_PX > height || width < LEAST_WIDTH) return null;
  const most = Math.min(MOST_PX, SHARE * width) - LEAD_PX;
  for (let length = 32; length >= 8; length -= 2) {
    const names = shortened(arms.map(({ name }) => name), length);
    const widest = Math.max(...[...names.values()].map((name) => widthOf(name, font)));
    if (widest <= most) return { names, room: Math.ceil(widest) + LEAD_PX + 4 };
  }
  return null;
}

/**
 * Middles of labels, none nearer to another than a line's height and each as near as can be to its
 * line's end.
 * @param {number[]} wanted ascending @param {number} height within which all must be
 * @param {number} gap least distance; there must be room for all
 * @returns {number[]}
 */
export function placed(wanted, height, gap = LINE_PX) {
  /** @type {{sum: number, count: number, at: number}[]} */
  const blocks = []; // labels that touch one another; at: the first one's middle
  const settle = (/** @type {{sum: number, count: number, at: number}} */ block) => {
    const last = height - gap / 2 - (block.count - 1) * gap;
    block.at = Math.min(Math.max(block.sum / block.count, gap / 2), last);
  };
  for (const [index, middle] of wanted.entries()) {
    let block = { sum: middle, count: 1, at: 0, first: index };
    settle(block);
    while (blocks.length && blocks.at(-1).at + blocks.at(-1).count * gap > block.at) {
      const before = blocks.pop();
      const sum = before.sum + block.sum - block.count * before.count * gap;
      block = { sum, count: before.count + block.count, at: 0, first: before.first };
      settle(block);
    }
    blocks.push(block);
  }
  return blocks.flatMap(({ at, count }) => Array.from({ length: count }, (_, i) => at + i * gap));
}

export class LineLabels {
  element = h("div", { class: "lb-labels", "aria-hidden": "true" });
  #drawn = "";

  /**
   * @param {{arm: Arm, text: string, at: number}[]} labels at: the line's end, in pixels from the top
   * @param {number} top of the axes @param {number} height of the axes @param {number} left
   */
  draw(labels, top, height, left) {
    const inside = labels.filter(({ at }) => at >= -1 && at <= height + 1).sort((a, b) => a.at - b.at);
    const middles = placed(inside.map(({ at }) => at), height);
    const key = JSON.stringify([
      inside.map(({ arm, text, at }, i) => [arm.color, text, Math.round(at), Math.round(middles[i])]),
      [top, left],
    ]);
    if (key === this.#drawn) return;
    this.#drawn = key;
    this.element.replaceChildren(
      ...inside.flatMap(({ arm, text, at }, i) => [
        lead(arm.color, left, top + at, top + middles[i]),
        h(
          "span",
          { style: `${ink(arm.color)}; left: ${left + LEAD_PX}px; top: ${top + middles[i]}px` },
          text,
        ),
      ]),
    );
  }

  clear() {
    if (!this.#drawn) return;
    this.#drawn = "";
    this.element.replaceChildren();
  }
}

/** A thin line from the end of an arm's line to its label. @param {string} color @param {number} left @param {number} from @param {number} to */
function lead(color, left, from, to) {
  const [width, height] = [LEAD_PX - 2, to - from];
  const length = Math.hypot(width, height);
  const angle = Math.atan2(height, width);
  return h("i", {
    style: `left: ${left}px; top: ${from}px; width: ${length}px; background: ${color}; transform: rotate(${angle}rad)`,
  });
}
