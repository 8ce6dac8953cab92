/** The strip of the hardest tuples of each arm, and of samples whose label is suspect. */
import { h, setText, swatch } from "../../live/js/dom.js";
import { counted, percent } from "../../live/js/format.js";
import { className, nameOf, picture, wordsOf } from "./picture.js";
import { segments } from "./toolbar.js";

/** @typedef {import("./source.js").Samples} Samples */
/** @typedef {import("./source.js").Hardest} Hardest */
/** @typedef {import("./source.js").HardTuple} HardTuple */
/** @typedef {import("./panel.js").Arm} Arm */
/** @typedef {import("./choices.js").Choices["tuples"]} Kind */
/**
 * @typedef {Object} Seen
 * @property {Samples} samples @property {Arm[]} arms @property {boolean} dark
 * @property {Kind} kind
 * @property {Hardest|null} found @property {string} trouble why there is nothing
 */

const SHOWN = 6; // tuples of an arm
const [SIDE, LARGE] = [40, 52];
export const KINDS = {
  triplets: "Triplets",
  positives: "Far positives",
  negatives: "Near negatives",
  suspects: "Suspect labels",
};
const ROLES = { triplets: ["anchor", "positive", "negative"], positives: ["", ""], negatives: ["", ""] };
const NONE = {
  triplets: "No triplet is violated: each sample is nearer to all of its class than to any other.",
  positives: "No class has two samples.",
  negatives: "There are no two classes.",
};

export class HardestStrip {
  #told;
  #kinds;
  #text = h("p", { class: "lb-sp-quiet", "data-testid": "space-hardest-text" });
  #body = h("div", { class: "lb-sp-columns", "data-testid": "space-tuples" });

  /** @param {{kind: (kind: Kind) => void, tuple: (samples: number[]) => void,
   *   sample: (sample: number) => void}} told */
  constructor(told) {
    this.#told = told;
    this.#kinds = segments("Show", "tuples", KINDS, (kind) => told.kind(/** @type {Kind} */ (kind)));
    this.element = h(
      "section",
      { class: "lb-sp-inside", "aria-label": "Hardest tuples", "data-testid": "space-hardest" },
      h("header", {}, h("h2", {}, "Hardest tuples"), this.#kinds.element),
      this.#text,
      this.#body,
    );
  }

  /** @param {Seen} seen */
  draw(seen) {
    const { kind, found, trouble } = seen;
    this.#kinds.choose(kind);
    const focused = document.activeElement?.getAttribute("data-tuple");
    if (!found) {
      setText(this.#text, trouble || "Looking for them …");
      this.#body.replaceChildren();
      return;
    }
    setText(this.#text, explained(seen, found));
    this.#body.replaceChildren(...(kind === "suspects" ? [this.#suspects(seen, found)] : this.#arms(seen, kind, found)));
    if (!focused || this.#body.contains(document.activeElement)) return;
    const same = this.#body.querySelector(`[data-tuple="${CSS.escape(focused)}"]`);
    /** @type {HTMLElement|null} */ (same)?.focus({ preventScroll: true }); // it was drawn anew
  }

  /** @param {Seen} seen @param {keyof typeof ROLES} kind @param {Hardest} found */
  #arms(seen, kind, found) {
    return seen.arms.map((arm) => {
      const own = found.arms.find((each) => each.arm === arm.name);
      const head = h("h3", {}, swatch(arm.color, arm.dash), h("span", {}, arm.name));
      const tuples = (own?.[kind] ?? []).slice(0, SHOWN);
      const none = own ? (own.mean_distance ? NONE[kind] : "All embeddings are one point.") : "No snapshot at this epoch.";
      const shown = tuples.length
        ? h("div", { class: "lb-sp-tiles" }, ...tuples.map((tuple) => this.#tuple(seen, arm, kind, tuple)))
        : h("p", { class: "lb-sp-quiet" }, none);
      return h("div", { class: "lb-sp-arm", style: `--arm: ${arm.color}` }, head, shown);
    });
  }

  /** @param {Seen} seen @param {Arm} arm @param {keyof typeof ROLES} kind @param {HardTuple} tuple */
  #tuple({ samples, dark }, arm, kind, { samples: places, value }) {
    const amount = value.toFixed(2);
    const named = places.map((sample, at) => {
      const role = ROLES[kind][at];
      return `${role}${role && " "}${wordsOf(samples, sample)} (sample ${samples.ids[sample]})`;
    });
    const what = kind === "triplets" ? `violated by ${amount}` : `at a distance of ${amount}`;
    const said = `${named.join(", ")}: ${what}. Select them`;
    const pictures = places.map((sample, at) =>
      h(
        "span",
        { class: "lb-sp-member", "data-role": ROLES[kind][at] || null },
        picture(samples, sample, SIDE, dark),
        h("small", {}, samples.sprite || samples.texts ? nameOf(samples, sample) : `#${samples.ids[sample]}`), // a tile without a picture has its class's name
      ),
    );
    const act = { type: "button", class: "lb-sp-tuple", title: said, "aria-label": said };
    return h(
      "button",
      { ...act, "data-tuple": `${arm.name} ${kind} ${places}`, onclick: () => this.#told.tuple(places) },
      h("span", { class: "lb-sp-members" }, ...pictures),
      h("small", {}, kind === "triplets" ? `+${amount}` : amount),
    );
  }

  /** @param {Seen} seen @param {Hardest} found */
  #suspects({ samples, dark }, found) {
    const tiles = found.suspects.map(({ sample, label, suggested, share }) => {
      const [own, other] = [className(samples, label), className(samples, suggested)];
      const said = `Sample ${samples.ids[sample]}, labelled ${own}: ${percent(share)} of its neighbours are ${other}. Look inside`;
      return h(
        "button",
        {
          type: "button",
          class: "lb-sp-tuple lb-sp-suspect",
          title: said,
          "aria-label": said,
          "data-tuple": `suspect ${sample}`,
          onclick: () => this.#told.sample(sample),
        },
        picture(samples, sample, LARGE, dark),
        h("span", {}, h("small", {}, `labelled ${own}`), h("b", {}, `near ${other}`), h("small", {}, percent(share))),
      );
    });
    return h("div", { class: "lb-sp-tiles", "data-testid": "space-suspects" }, ...tiles);
  }
}

/** What is shown, in a sentence or two. @param {Seen} seen @param {Hardest} found */
function explained({ kind, samples }, { epoch, among, k, arms, suspects, suspected }) {
  const count = among.toLocaleString("en");
  const of = among < samples.n ? `${count} of the ${samples.n.toLocaleString("en")} samples` : `${count} samples`;
  const when = `epoch ${epoch}${epoch === 0 ? ", the untrained network," : ""}`;
  const unit = "in units of the arm's mean distance of two samples; no sample is in two of them";
  if (kind === "triplets") return `Most violated triplets at ${when} among ${of}: distance to the positive minus distance to the negative, ${unit}.`;
  if (kind === "positives") return `Farthest pairs of one class at ${when} among ${of}: their distance, ${unit}.`;
  if (kind === "negatives") return `Nearest pairs of two classes at ${when} among ${of}: their distance, ${unit}.`;
  const all = arms.length === 1 ? `under the only arm (${arms[0].arm})` : `under all ${arms.length} arms`;
  const rule = `more than half of the ${k} nearest neighbours have one other class, the same one ${all}, at ${when}`;
  if (!suspected) return `No label is suspect: of no sample ${rule}.`;
  const more = suspected > suspects.length ? ` The first ${suspects.length} are shown.` : "";
  return `${counted(suspected, "sample")} of which ${rule}. The label may be wrong, or the item hard for all.${more}`;
}
