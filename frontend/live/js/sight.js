/** Which panels are in sight, and how wide each is: only what can be seen is drawn. */

/** @typedef {import("./panel.js").Panel} Panel */

export class Sight {
  #panels;
  #due;
  /** @type {Set<string>} */
  #seen = new Set();
  #resized = new ResizeObserver((entries) => this.#resize(entries));
  #scrolled = new IntersectionObserver((entries) => this.#scroll(entries), { rootMargin: "80px" });

  /** @param {Panel[]} panels @param {(key: string) => void} due called for a panel that is to be drawn */
  constructor(panels, due) {
    this.#panels = panels;
    this.#due = due;
    for (const { element } of panels) {
      this.#resized.observe(element);
      this.#scrolled.observe(element);
    }
  }

  /** @param {Panel} panel */
  has(panel) {
    return this.#seen.has(panel.key);
  }

  destroy() {
    this.#resized.disconnect();
    this.#scrolled.disconnect();
  }

  /** @param {ResizeObserverEntry[]} entries */
  #resize(entries) {
    for (const { target, contentRect } of entries) {
      const panel = this.#panels.find(({ element }) => element === target);
      const width = Math.floor(contentRect.width);
      if (!panel || panel.width === width) continue;
      panel.width = width;
      this.#due(panel.key);
    }
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #scroll(entries) {
    for (const { target, isIntersecting } of entries) {
      const panel = this.#panels.find(({ element }) => element === target);
      if (!panel) continue;
      if (isIntersecting) this.#seen.add(panel.key);
      else this.#seen.delete(panel.key);
      if (isIntersecting) this.#due(panel.key);
    }
  }
}

/** @param {Element} element @returns {number} pixels, as a ResizeObserver counts them */
export function contentWidth(element) {
  const { paddingLeft, paddingRight } = getComputedStyle(element);
  return Math.floor(element.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight));
}
