/** The embedding space of one comparison: wires what is fetched to what is shown. */
import { h, setAttribute, setText } from "../../live/js/dom.js";
import { lookOf } from "../../live/js/look.js";
import { formatChoices, parseChoices } from "./choices.js";
import { Desk } from "./desk.js";
import { measured } from "./measure.js";
import { Notice } from "./notice.js";
import { News, Projecting } from "./polling.js";
import { Source } from "./source.js";
import { Stage } from "./stage.js";

/** @typedef {{name: string, light: string, dark: string, dash: string}} ArmLook */
/** @typedef {{id: string, name: string, open: boolean, arms: ArmLook[]}} Data */
/** @typedef {import("./choices.js").Choices} Choices */
/** @typedef {import("./source.js").Space} Space */
/** @typedef {import("./source.js").Projection} Projection */
/** @typedef {import("./source.js").Samples} Samples */

const DRESSING_MS = 400; // until the page has taken over the system's new theme

/** @type {WeakMap<Element, Embedding>} */
const mounted = new WeakMap();

/** Last choices by comparison: at a change of the page's tab the address goes back to older ones.
 * @type {Map<string, Choices>} */
const remembered = new Map();

/** @param {Element} parent @param {Data} data */
export function mount(parent, data) {
  const found = mounted.get(parent);
  if (found?.id === data.id) {
    found.update(data);
    return;
  }
  found?.destroy();
  mounted.set(parent, new Embedding(parent, data));
}

/** @param {Element} parent */
export function unmount(parent) {
  mounted.get(parent)?.destroy();
  mounted.delete(parent);
}

class Embedding {
  #parent;
  #data;
  #look;
  /** @type {Choices} */
  #choices;
  #source;
  #projecting;
  #news;
  #desk;
  /** @type {Space|null} */
  #space = null;
  /** @type {Stage|null} */
  #stage = null;
  #turn = 0; // of the projections shown, so that samples that come late are not drawn
  #began = performance.now();
  #notice = new Notice(
    () => this.#again(),
    () => this.#projecting.cancel(this.#question),
  );
  #meanwhile; // brings PCA where another method waits and nothing is shown yet
  #offerText = h("span");
  #offer;
  #frame;
  #scheme = matchMedia("(prefers-color-scheme: dark)");
  #dressed = () => setTimeout(() => this.update(this.#data), DRESSING_MS);

  /** @param {Element} parent @param {Data} data */
  constructor(parent, data) {
    this.#parent = parent;
    this.#data = data;
    this.#look = lookOf(parent);
    this.#choices = remembered.get(data.id) ?? parseChoices(location.search);
    this.#source = new Source(data.id);
    const seen = () => !document.hidden && this.#frame.offsetParent !== null;
    this.#projecting = new Projecting(this.#source, seen, {
      state: (projection) => this.#waits(projection),
      earlier: (projection, coordinates) => this.#before(projection, coordinates),
      ready: (projection, coordinates) => this.#ready(projection, coordinates),
      trouble: (trouble) => this.#fail(trouble),
    });
    this.#meanwhile = new Projecting(this.#source, seen, {
      state: () => {},
      earlier: () => {},
      ready: (projection, coordinates) => this.#stage || this.#show(projection, coordinates),
      trouble: () => {}, // the method asked for tells it
    });
    this.#news = new News(this.#source, seen, {
      space: (space) => this.#found(space),
      trouble: (trouble) => this.#fail(trouble),
    });
    this.#desk = new Desk(this.#source, this.#arms(), this.#look, this.#choices, (choices, asks) => {
      this.#choose(choices, asks);
    });
    this.#desk.tools.dataset.comparison = data.name;
    const show = h("button", { type: "button", class: "lb-sp-button", onclick: () => this.#ask() }, "Show");
    this.#offer = h("p", { class: "lb-sp-offer", "data-testid": "space-offer", role: "status" }, this.#offerText, show);
    this.#offer.hidden = true;
    this.#frame = h(
      "div",
      { class: "lossboard lb-space", "data-testid": "space" },
      this.#desk.tools,
      this.#offer,
      this.#notice.element,
      this.#desk.element,
    );
    this.#desk.tools.hidden = this.#desk.element.hidden = true;
    parent.append(this.#frame);
    this.#notice.loading();
    this.#news.open = data.open;
    this.#news.start();
    this.#scheme.addEventListener("change", this.#dressed);
  }

  get id() {
    return this.#data.id;
  }

  /** Take over what a rerun of the page says. @param {Data} data */
  update(data) {
    const changed = data.open !== this.#data.open;
    this.#data = data;
    this.#look = lookOf(this.#parent);
    this.#desk.tools.dataset.comparison = data.name;
    this.#desk.dress(this.#arms(), this.#look);
    this.#news.open = data.open;
    if (changed) this.#news.start(); // it began again, or its end brought the last snapshots
    this.#keep(); // the page may have put its own address there
  }

  /** Ask nothing more, draw nothing more. */
  destroy() {
    this.#turn += 1;
    this.#news.stop();
    this.#projecting.stop();
    this.#meanwhile.stop();
    this.#desk.destroy();
    this.#scheme.removeEventListener("change", this.#dressed);
    this.#frame.remove();
  }

  #arms() {
    return this.#data.arms.map(({ name, light, dark, dash }) => {
      return { name, color: this.#look.dark ? dark : light, light, dash };
    });
  }

  #again() {
    this.#notice.loading();
    if (this.#space?.samples) this.#ask(true);
    else this.#news.start();
  }

  /** @param {Space} space */
  #found(space) {
    const first = !this.#space?.samples;
    this.#space = space;
    if (!space.samples) {
      this.#notice.empty(this.#data.open, null);
      const every = (/** @type {number|null} */ epochs) => {
        if (!this.#space?.samples) this.#notice.empty(this.#data.open, epochs);
      };
      this.#source.every().then(every, () => {});
    } else if (first) this.#ask();
    else {
      this.#back();
      this.#offerNews();
    }
  }

  /** The API answers again: what was shown is so still. */
  #back() {
    if (!this.#stage || this.#frame.dataset.state !== "away") return;
    this.#notice.clear();
    setAttribute(this.#frame, "data-state", "ready");
  }

  /** The seed asked for, or the first that has snapshots. */
  get #seed() {
    const seeds = this.#space?.seeds ?? [];
    return this.#choices.seed !== null && seeds.includes(this.#choices.seed) ? this.#choices.seed : seeds[0];
  }

  /** @returns {import("./source.js").Question} */
  get #question() {
    const { method, dims } = this.#choices;
    return { seed: this.#seed, method, dims };
  }

  #ask(again = false) {
    this.#offer.hidden = true;
    this.#meanwhile.stop();
    this.#projecting.start(this.#question, again);
    if (!this.#stage && this.#choices.method !== "pca") this.#meanwhile.start({ ...this.#question, method: "pca" });
  }

  #offerNews() {
    const stage = this.#stage;
    if (!stage) return;
    const { seed, arms, epochs } = stage.projection;
    const runs = /** @type {Space} */ (this.#space).runs.filter((run) => run.seed === seed);
    const shared = commonEpochs(runs);
    const newer = shared.filter((epoch) => !epochs.includes(epoch));
    const joined = runs.filter((run) => run.epochs.length && !arms.includes(run.arm));
    this.#offer.hidden = !newer.length && !joined.length;
    const what = newer.length
      ? `New snapshot${newer.length > 1 ? "s" : ""} of epoch ${newer.join(", ")}.`
      : `New: ${joined.map((run) => run.arm).join(", ")}.`;
    setText(this.#offerText, what);
  }

  /** @param {Projection} projection */
  #waits(projection) {
    const shown = this.#stage?.projection;
    const same = shown?.seed === projection.seed; // another method's picture of it is no less true
    this.#notice.busy(projection, same ? shown.method : "");
    this.#desk.tools.hidden = !this.#stage;
    setAttribute(this.#desk.element, "data-old", same ? null : true);
    setAttribute(this.#frame, "data-state", projection.state);
  }

  /** What was made of earlier snapshots, if nothing fits better. @param {Projection} projection
   * @param {Float32Array} coordinates */
  #before(projection, coordinates) {
    const { method, dims, seed } = this.#stage?.projection ?? {};
    if (method === projection.method && dims === projection.dims && seed === projection.seed) return;
    this.#show(projection, coordinates);
  }

  /** @param {Projection} projection @param {Float32Array} coordinates */
  #ready(projection, coordinates) {
    this.#meanwhile.stop();
    this.#notice.clear();
    this.#show(projection, coordinates);
  }

  /** @param {Projection} projection @param {Float32Array} coordinates */
  #show(projection, coordinates) {
    const turn = (this.#turn += 1);
    const { samples, shared } = /** @type {Space} */ (this.#space);
    if (shared !== false) {
      this.#draw(projection, coordinates, /** @type {Samples} */ (samples));
      return;
    }
    this.#source.samples(projection.seed).then(
      (own) => {
        if (own && turn === this.#turn) this.#draw(projection, coordinates, own);
      },
      (trouble) => this.#fail(trouble),
    );
  }

  /** @param {Projection} projection @param {Float32Array} coordinates @param {Samples} samples of its seed */
  #draw(projection, coordinates, samples) {
    const { seeds } = /** @type {Space} */ (this.#space);
    this.#stage = new Stage(projection, coordinates);
    this.#desk.tools.hidden = this.#desk.element.hidden = false;
    setAttribute(this.#desk.element, "data-old", null);
    this.#desk.load(this.#stage, samples, seeds, () => {
      if (this.#began) measured("lossboard:space", this.#began);
      this.#began = 0;
      if (this.#notice.element.hidden) setAttribute(this.#frame, "data-state", "ready");
    });
  }

  /** @param {import("./source.js").Trouble} trouble */
  #fail(trouble) {
    this.#notice.trouble(trouble);
    setAttribute(this.#frame, "data-state", trouble.kind);
    if (trouble.kind === "gone") this.#desk.tools.hidden = this.#desk.element.hidden = true;
  }

  /** @param {Choices} choices @param {boolean} asks */
  #choose(choices, asks) {
    this.#choices = choices;
    this.#keep();
    if (asks) this.#ask();
  }

  #keep() {
    remembered.set(this.id, this.#choices);
    const search = formatChoices(location.search, this.#choices);
    if (search === location.search) return;
    history.replaceState(history.state, "", `${location.pathname}${search}${location.hash}`);
  }
}

/** The epochs that all of these runs have. @param {import("./source.js").Kept[]} runs */
export function commonEpochs(runs) {
  const [first, ...others] = runs.filter((run) => run.epochs.length);
  return (first?.epochs ?? []).filter((epoch) => others.every((run) => run.epochs.includes(epoch)));
}
