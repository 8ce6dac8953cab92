/** All that is shown of a projection: the panels, and what is around them. */
import { h, setText } from "../../live/js/dom.js";
import { Below } from "./below.js";
import { Brushing } from "./brushing.js";
import { cardOf, cardText } from "./card.js";
import { toggled } from "./choices.js";
import { Colours } from "./colours.js";
import { Epochs } from "./epochs.js";
import { Findings } from "./findings.js";
import { Inside } from "./inside.js";
import { Search } from "./search.js";
import { Sounds } from "./sound.js";
import { shownArms, Toolbar } from "./toolbar.js";
import { View } from "./view.js";
import { explained, hint, shareText } from "./words.js";

/** @typedef {import("./choices.js").Choices} Choices */
/** @typedef {import("./panel.js").Arm} Arm */
/** @typedef {import("./source.js").Samples} Samples */
/** @typedef {import("./stage.js").Stage} Stage */
/** @typedef {{background: string, text: string, muted: string, grid: string, dark: boolean}} Look */

export class Desk {
  #source;
  #look;
  #arms;
  #choices;
  #onChoice;
  /** @type {Samples|null} */
  #samples = null;
  /** @type {Stage|null} */
  #stage = null;
  /** @type {number[]} */
  #seeds = [];
  #moves = false;
  #findings;
  #toolbar = new Toolbar({
    change: (change) => this.#change(change),
    drag: (moves) => this.#drag(moves),
    reset: () => this.#view.reset(),
    scene: () => ({ ...this.#view.scene, ...this.#scene, look: this.#look, facts: this.#findings.facts }),
    frame: () => this.#view.frame(),
    listen: (wanted) => this.#listen(wanted),
  });
  #search = new Search((label) => this.#brushing.showClass(label), (sample) => this.#find(sample));
  #epochs = new Epochs((time, settled) => this.#moved(time, settled));
  #explanation = h("p", { class: "lb-sp-quiet", "data-testid": "space-explanation" });
  #colours = new Colours((samples) => this.#brushing.select(samples, "replace"));
  #said = h("p", { class: "lb-sp-said", "aria-live": "polite" });
  #inside = new Inside(
    (sample) => this.#choose(sample),
    () => this.#choose(-1),
    (sample) => this.#sounds.soon(sample),
  );
  #sounds = new Sounds();
  #below;
  #view;
  #brushing;

  /**
   * @param {import("./source.js").Source} source @param {Arm[]} arms @param {Look} look
   * @param {Choices} choices
   * @param {(choices: Choices, asks: boolean) => void} onChoice asks: other coordinates are wanted
   */
  constructor(source, arms, look, choices, onChoice) {
    this.#source = source;
    this.#arms = arms;
    this.#look = look;
    this.#choices = choices;
    this.#onChoice = onChoice;
    this.#findings = new Findings(source, () => {
      this.#recolour();
      this.#drawInside();
    });
    this.#below = new Below(source, {
      change: (change) => this.#change(change),
      tuple: (samples) => this.#brushing.show(samples),
      sample: (sample) => this.#find(sample),
      class: (label) => this.#brushing.showClass(label),
    });
    this.#view = new View(look, {
      hover: (sample) => {
        const words = () => cardText(this.#known, sample, this.#shown, this.#findings.facts);
        setText(this.#said, sample < 0 ? "" : words());
        this.#sounds.soon(sample);
      },
      choose: (sample) => this.#choose(sample),
      lasso: (samples, how, began) => this.#brushing.select(samples, how, began),
      escape: () => this.#brushing.clear(),
      shade: (arm) => this.#change({ density: toggled(this.#choices.density, arm) }),
      describe: (sample) => {
        return cardOf(this.#known, sample, this.#shown, this.#findings.facts, this.#look.dark);
      },
    });
    this.#brushing = new Brushing(this.#view, this.#said, (sample) => this.#choose(sample));
    this.tools = this.#toolbar.element;
    this.element = h(
      "div",
      { class: "lb-sp-desk" },
      h("div", { class: "lb-sp-row lb-sp-when" }, this.#epochs.element, this.#search.element),
      this.#colours.element,
      this.#view.element,
      this.#explanation,
      this.#brushing.element,
      this.#inside.element,
      this.#below.element,
      this.#said,
    );
  }

  /** @param {Arm[]} arms @param {Look} look */
  dress(arms, look) {
    this.#arms = arms;
    this.#look = look;
    this.#view.dress(look);
    if (this.#stage) this.#reload(false);
  }

  /**
   * Show other coordinates.
   * @param {Stage} stage @param {Samples} samples @param {number[]} seeds
   * @param {() => void} painted called once they are on the screen
   */
  load(stage, samples, seeds, painted) {
    const before = this.#stage?.projection;
    const { method, dims, seed } = stage.projection;
    const same = before && before.method === method && before.dims === dims && before.seed === seed;
    if (before?.dims !== dims) this.#moves = dims === 3;
    const { epoch } = this.#choices; // of earlier coordinates too: they were shown by it
    if (this.#brushing.load(samples)) this.#choices = { ...this.#choices, sample: null };
    [this.#stage, this.#samples] = [stage, samples];
    this.#sounds.load(samples);
    this.#seeds = seeds;
    this.#findings.clear();
    this.#below.clear();
    if ((this.#choices.sample ?? -1) >= samples.n) this.#choices = { ...this.#choices, sample: null };
    this.#reload(!same);
    this.#epochs.load(stage.epochs, epoch);
    this.#view.whenPainted(painted);
  }

  /** Go on playing no more. */
  destroy() {
    this.#epochs.stop();
    this.#sounds.silence();
    this.#below.destroy();
    this.#view.destroy();
  }

  get #known() {
    return /** @type {Samples} */ (this.#samples);
  }

  /** The arms whose panels are shown. @returns {Arm[]} */
  get #shown() {
    const there = this.#arms.filter(({ name }) => this.#stage?.has(name));
    return shownArms(there, this.#choices.arms);
  }

  get #scene() {
    return { samples: this.#known, arms: this.#shown, dark: this.#look.dark, epoch: this.#epochs.epoch };
  }

  /** @param {Partial<Choices>} change */
  #change(change) {
    this.#choices = { ...this.#choices, ...change };
    const asks = "seed" in change || "method" in change || "dims" in change;
    this.#onChoice(this.#choices, asks);
    this.#draw();
    if (change.arms) this.#reload(false);
    if (change.colour) this.#recolour();
  }

  /** @param {boolean} moves */
  #drag(moves) {
    this.#moves = moves;
    this.#view.moves = moves;
    this.#draw();
  }

  /** @param {boolean} wanted */
  #listen(wanted) {
    this.#sounds.wanted = wanted;
    if (!wanted) this.#sounds.silence();
    this.#draw();
  }

  /** @param {boolean} anew forget the view */
  #reload(anew) {
    const samples = this.#known;
    this.#view.load(/** @type {Stage} */ (this.#stage), this.#shown, shareText(samples), anew);
    this.#view.moves = this.#moves;
    this.#brushing.mark();
    this.#view.chosen = this.#choices.sample ?? -1;
    this.#search.load(samples, this.#look.dark);
    this.#recolour();
    this.#draw();
  }

  #draw() {
    if (!this.#stage) return;
    const { projection } = this.#stage;
    const { arms } = projection;
    const question = { seed: projection.seed, method: projection.method, dims: projection.dims };
    this.#toolbar.draw({
      arms: this.#arms,
      shown: this.#shown.map(({ name }) => name),
      absent: this.#arms.map(({ name }) => name).filter((name) => !arms.includes(name)),
      seeds: this.#seeds,
      choices: this.#choices,
      samples: this.#known,
      moves: this.#moves,
      listens: this.#sounds.wanted,
      download: this.#source.download(question),
    });
    setText(this.#explanation, explained(projection, this.#known));
    this.#view.shaded = this.#choices.density;
    this.#drawBelow();
    this.#brushing.draw(this.#look.dark, hint(this.#moves, this.#choices.dims));
    this.#drawInside();
  }

  #drawInside() {
    const { facts, near, trouble } = this.#findings;
    this.#inside.draw({ ...this.#scene, sample: this.#choices.sample ?? -1, facts, near, trouble });
  }

  #drawBelow() {
    const { seed, arms } = /** @type {Stage} */ (this.#stage).projection;
    this.#below.draw({ ...this.#scene, there: arms, seed, choices: this.#choices });
  }

  #recolour() {
    const arms = this.#shown.map(({ name }) => name);
    const [{ colour }, { facts }] = [this.#choices, this.#findings];
    this.#view.colourings = this.#colours.draw(colour, this.#known, arms, facts, this.#look.dark);
  }

  #find(/** @type {number} */ sample) {
    this.#view.reveal([sample]);
    this.#choose(sample);
  }

  /** @param {number} sample -1: none */
  #choose(sample) {
    this.#view.chosen = sample;
    this.#sounds.play(sample);
    this.#change({ sample: sample < 0 ? null : sample });
    this.#lookUp();
  }

  /** @param {number} time @param {boolean} settled */
  #moved(time, settled) {
    this.#view.time = time;
    if (!settled || !this.#stage) return;
    const { epoch } = this.#epochs;
    this.#choices = { ...this.#choices, epoch: epoch === this.#stage.epochs.at(-1) ? null : epoch };
    this.#onChoice(this.#choices, false);
    this.#lookUp();
  }

  #lookUp() {
    const { projection } = /** @type {Stage} */ (this.#stage);
    const { sample } = this.#choices;
    this.#findings.look(projection.seed, this.#epochs.epoch, projection.arms.length, sample);
    this.#drawBelow();
    this.#drawInside();
  }
}
