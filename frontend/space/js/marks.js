/** The signs of points as outlines, the same that stamps.js draws as pixels. */

/** @typedef {import("./stamps.js").Shape} Shape */

/** Signs that are lines: how wide, by the radius. @type {Partial<Record<Shape, number>>} */
export const STROKED = { plus: 0.72, cross: 0.83, ring: 0.6 };

/**
 * @param {Shape} shape @param {number} r radius @param {number} x @param {number} y middle
 * @returns {string} path data of SVG
 */
export function markPath(shape, r, x, y) {
  const at = (/** @type {number} */ value) => Math.round(value * 100) / 100;
  const polygon = (/** @type {number[][]} */ points) =>
    `M${points.map(([dx, dy]) => `${at(x + dx * r)} ${at(y + dy * r)}`).join("L")}Z`;
  const circle = (/** @type {number} */ radius) => {
    const arc = `a${at(radius)} ${at(radius)} 0 1 0`;
    return `M${at(x - radius)} ${at(y)}${arc} ${at(2 * radius)} 0${arc} ${at(-2 * radius)} 0Z`;
  };
  if (shape === "square") return polygon([[-0.86, -0.86], [0.86, -0.86], [0.86, 0.86], [-0.86, 0.86]]);
  if (shape === "diamond") return polygon([[0, -1.22], [1.22, 0], [0, 1.22], [-1.22, 0]]);
  if (shape === "triangle") return polygon([[0, -1.2], [1.13, 0.75], [-1.13, 0.75]]);
  if (shape === "ring") return circle(0.75 * r);
  const reach = { plus: 1.1, cross: 0.9 }[/** @type {string} */ (shape)];
  if (shape === "plus") return `M${at(x - reach * r)} ${at(y)}h${at(2 * reach * r)}M${at(x)} ${at(y - reach * r)}v${at(2 * reach * r)}`;
  if (shape === "cross") {
    const side = at(2 * reach * r);
    return `M${at(x - reach * r)} ${at(y - reach * r)}l${side} ${side}m0 ${-side}l${-side} ${side}`;
  }
  return circle(r);
}
