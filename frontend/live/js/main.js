/** The live view of one comparison: wires what the stream tells to the panels. */
import { liveAddress } from "./address.js";
import { Choices, enterTab } from "./choices.js";
import { Crosshair } from "./crosshair.js";
import { h } from "./dom.js";
import { Feed } from "./feed.js";
import { Groups } from "./groups.js";
import { loadPlotly, lookOf } from "./look.js";
import { Painter } from "./painter.js";
import { Panel } from "./panel.js";
import { emptyNote, FINAL, isWaiting } from "./progress.js";
import { placeText, present, QueueWatch, waitingText } from "./queue.js";
import { RunStrip } from "./runs.js";
import { contentWidth, Sight } from "./sight.js";
import { States } from "./states.js";
import { Status } from "./status.js";
import { LiveStream } from "./stream.js";
import { Toolbar } from "./toolbar.js";

/** @typedef {import("./panel.js").Metric} Metric */
/** @typedef {{name: string, light: string, dark: string, dash: string}} ArmLook */
/** @typedef {{id: string, run: string, searching: boolean, open: boolean, tab: string, turned: number, plotly: string,
 *   arms: ArmLook[], groups: {tab: string, title: string, metrics: Metric[]}[]}} Data */

const CLOCK = "run.elapsed_s";
const TRIVIAL = "dynamics.trivial_loss";
const PULL = "dynamics.pull_share";
const RUNS_IN = ["live", "setup"]; // tabs that show each run; the others only how far all are
const SETUP_TAB = "setup"; // where the runs are never folded
const WAITING_MS = 3_000; // between looks at the queue while none of the runs is at work
const RUNNING_MS = 10_000;
const LINGER_MS = 1_500; // points of the last moment may come behind the news that a run ended

/** @type {WeakMap<Element, Live>} */
const mounted = new WeakMap();

/** @param {Element} parent @param {Data} data */
export async function mount(parent, data) {
  const plotly = await loadPlotly(data.plotly);
  const found = mounted.get(parent);
  if (found?.id === data.id && found.run === data.run) {
    found.update(data);
    return;
  }
  found?.destroy();
  mounted.set(parent, new Live(plotly, parent, data));
}

/** @param {Element} parent */
export function unmount(parent) {
  mounted.get(parent)?.destroy();
  mounted.delete(parent);
}

class Live {
  #parent;
  #data;
  #choices = new Choices(
    () => this.#redrawAll(),
    () => this.#follow(),
  );
  #look;
  #feed = new Feed({
    points: (keys) => this.#painter.mark(keys ?? this.#keys()),
    runs: () => this.#showRuns(),
    reload: () => this.#stream.reload(),
    gone: () => this.#stream.stop("missing"),
  });
  #painter = new Painter((keys) => this.#draw(keys));
  #status = new Status();
  #states = new States();
  #strip = new RunStrip();
  /** @type {QueueWatch} */
  #queue;
  #toolbar = new Toolbar((change, step) => this.#choices.choose(change, step));
  /** @type {Panel[]} */
  #panels = [];
  #sight;
  #stream;
  /** @type {number|undefined} */
  #linger;
  #groups;
  #crosshair = new Crosshair(() => this.#panels.filter(({ element }) => element.offsetParent));
  #frame;

  /** @param {any} plotly @param {Element} parent @param {Data} data */
  constructor(plotly, parent, data) {
    this.#parent = parent;
    this.#data = data;
    this.#look = lookOf(parent);
    this.#frame = h("div", { class: "lossboard", "data-testid": "live" });
    const groups = data.groups.map(({ tab, title, metrics }) => {
      const panels = metrics.map((metric) => {
        /** @type {Panel} */
        const panel = new Panel(plotly, metric, {
          log: () => this.#choices.toggle("log", metric.key),
          wide: () => this.#widen(panel),
          pin: () => this.#pin(panel),
          zoom: (zoom) => this.#choices.choose({ zoom }, true),
        });
        return panel;
      });
      this.#panels.push(...panels);
      return { tab, title, panels };
    });
    this.#groups = new Groups(groups);
    this.#groups.place(this.#options.pin);
    this.#status.add(this.#strip.toggle);
    this.#frame.append(this.#status.element, this.#states.element);
    this.#frame.append(this.#strip.element, this.#toolbar.element);
    this.#frame.append(...this.#groups.elements);
    this.#turn();
    parent.append(this.#frame);
    this.#sight = new Sight(this.#panels, (key) => this.#painter.mark([key]));
    for (const panel of this.#panels) this.#crosshair.watch(panel);
    this.#toolbar.draw(this.#arms(), this.#options);
    this.#queue = new QueueWatch(data.id, (queue) => this.#takeQueue(queue));
    this.#stream = new LiveStream(
      liveAddress(data, this.#keys()),
      (event, body, arrived) => this.#feed.receive(event, body, arrived),
      (state) => this.#connected(state),
    );
    this.#stream.start();
    window.__lossboard = this.#feed.paints;
    this.#painter.mark(this.#keys());
  }

  get id() {
    return this.#data.id;
  }

  get run() {
    return this.#data.run;
  }

  /** Take over what a rerun of the page says. @param {Data} data */
  update(data) {
    const reopened = data.open && !this.#data.open;
    if (data.turned !== this.#data.turned) enterTab(data.tab);
    this.#data = data;
    this.#look = lookOf(this.#parent);
    this.#turn();
    this.#redrawAll();
    if (reopened) {
      clearTimeout(this.#linger);
      this.#linger = undefined;
      this.#stream.start();
    }
  }

  /** Show what belongs to the page's tab; the rest keeps its zoom and takes its points unseen. */
  #turn() {
    const { tab, searching } = this.#data; // a search has no runs of its own to show here
    this.#toolbar.element.hidden = !this.#groups.show(searching ? null : tab);
    this.#strip.element.hidden = searching || !RUNS_IN.includes(tab);
    this.#strip.showWhole(tab === SETUP_TAB);
    this.#status.element.hidden = searching;
    this.#frame.dataset.tab = tab;
  }

  /** Close the stream and free the charts. */
  destroy() {
    clearTimeout(this.#linger);
    this.#choices.destroy();
    this.#crosshair.clear();
    this.#stream.stop("ended");
    this.#queue.destroy();
    this.#painter.destroy();
    this.#sight.destroy();
    for (const panel of this.#panels) panel.destroy();
    this.#frame.remove();
  }

  get #options() {
    return this.#choices.now;
  }

  #keys() {
    return [...this.#panels.map((panel) => panel.key), CLOCK, TRIVIAL, PULL];
  }

  #arms() {
    return this.#data.arms.map(({ name, light, dark, dash }) => {
      return { name, color: this.#look.dark ? dark : light, dash };
    });
  }

  #showRuns() {
    const { runs } = this.#feed;
    this.#status.draw(runs);
    this.#states.draw(runs);
    this.#strip.draw(runs, this.#arms());
    const waits = runs.some((run) => run.state === "queued");
    this.#queue.watch(waits ? (isWaiting(runs) ? WAITING_MS : RUNNING_MS) : 0);
    const ended = runs.length > 0 && runs.every((run) => FINAL.has(run.state));
    if (ended) this.#linger ??= setTimeout(() => this.#stream.stop("ended"), LINGER_MS);
    else if (this.#linger !== undefined) {
      clearTimeout(this.#linger);
      this.#linger = undefined;
    }
    const empty = this.#panels.filter(({ key }) => (this.#feed.tables.get(key)?.last ?? -1) < 0);
    this.#painter.mark(empty.map((panel) => panel.key)); // they say what they wait for
  }

  /** @param {import("./queue.js").Queue|null|undefined} queue */
  #takeQueue(queue) {
    const own = (queue?.waiting ?? []).filter(({ run }) => this.#feed.has(run));
    this.#strip.place(new Map(own.map((place) => [place.run, placeText(place)])));
    const silent = queue === undefined || !isWaiting(this.#feed.runs);
    this.#status.wait(silent ? "" : waitingText(queue, own[0]), queue ? present(queue).length : null);
  }

  /** @param {import("./stream.js").StreamState} state */
  #connected(state) {
    this.#status.connection(state);
    this.#frame.dataset.connection = state;
  }

  /** Take over what the address says after Back or Forward. */
  #follow() {
    this.#groups.place(this.#options.pin);
    this.#turn();
    this.#redrawAll();
  }

  /** As wide as the page, or back. @param {Panel} panel */
  #widen(panel) {
    this.#choices.toggle("wide", panel.key);
    panel.widen(this.#options.wide.includes(panel.key));
    panel.width = contentWidth(panel.element); // before it is drawn, not once more afterwards
    panel.element.scrollIntoView({ block: "nearest" });
  }

  /** To the front of all panels, or back to its place. @param {Panel} panel */
  #pin(panel) {
    const focused = document.activeElement;
    this.#choices.toggle("pin", panel.key);
    this.#groups.place(this.#options.pin);
    this.#turn();
    if (focused instanceof HTMLElement && panel.element.contains(focused)) focused.focus();
  }

  #redrawAll() {
    this.#toolbar.draw(this.#arms(), this.#options);
    this.#strip.draw(this.#feed.runs, this.#arms());
    this.#painter.mark(this.#keys());
  }

  /** @param {Set<string>} keys @returns {Promise<Set<string>>} what is out of sight */
  async #draw(keys) {
    const { x } = this.#options;
    const all = x === "time" && keys.has(CLOCK); // every panel's axis has moved
    const due = this.#panels.filter((panel) => all || keys.has(panel.key));
    const seen = due.filter((panel) => this.#sight.has(panel));
    const view = {
      arms: this.#arms(),
      runs: this.#feed.runs,
      options: this.#options,
      look: this.#look,
      data: this.#data,
      clock: this.#feed.tables.get(CLOCK),
      trivial: this.#feed.tables.get(TRIVIAL),
      pull: this.#feed.tables.get(PULL),
    };
    const note = this.#feed.loaded ? emptyNote(view.runs) : "Loading …";
    for (const panel of seen) await panel.draw(this.#feed.tables.get(panel.key), view, note);
    this.#feed.paints.drawn(new Set(seen.map((panel) => panel.key)));
    return new Set(due.filter((panel) => !seen.includes(panel)).map((panel) => panel.key));
  }
}
