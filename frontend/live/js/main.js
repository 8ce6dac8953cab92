/** The live view of one comparison: wires the stream to the store and the store to the panels. */
import { liveAddress } from "./address.js";
import { Crosshair } from "./crosshair.js";
import { h } from "./dom.js";
import { Groups } from "./groups.js";
import { loadPlotly, lookOf } from "./look.js";
import { formatOptions, parseOptions } from "./options.js";
import { Painter } from "./painter.js";
import { Paints } from "./paints.js";
import { Panel } from "./panel.js";
import { FINAL, isPreparing, isWaiting, overallState } from "./progress.js";
import { placeText, present, QueueWatch, waitingText } from "./queue.js";
import { RunStrip } from "./runs.js";
import { States } from "./states.js";
import { Status } from "./status.js";
import { Table } from "./store.js";
import { LiveStream } from "./stream.js";
import { Toolbar } from "./toolbar.js";
import { remember, remembered } from "./viewer.js";

/** @typedef {import("./panel.js").Metric} Metric */
/** @typedef {{name: string, light: string, dark: string, dash: string}} ArmLook */
/** @typedef {{id: string, run: string, searching: boolean, open: boolean, tab: string, turned: number, plotly: string,
 *   arms: ArmLook[], groups: {tab: string, title: string, metrics: Metric[]}[]}} Data */

const CLOCK = "run.elapsed_s";
const TRIVIAL = "dynamics.trivial_loss";
const PULL = "dynamics.pull_share";
const FIRST_TAB = "live";
const RUNS_IN = ["live", "setup"]; // tabs that show each run; the others only how far all are
const SETUP_TAB = "setup"; // where the runs are never folded
const WAITING_MS = 3_000; // between looks at the queue while none of the runs is at work
const RUNNING_MS = 10_000;
const PINS = "pins";
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

/**
 * Make a tab that the viewer has turned to a step of the browser's history. After Back and Forward the
 * browser has done it itself, and may be further by now.
 * @param {string} tab
 */
function enterTab(tab) {
  const query = new URLSearchParams(location.search);
  if ((query.get("tab") ?? FIRST_TAB) === tab) return;
  if (tab === FIRST_TAB) query.delete("tab");
  else query.set("tab", tab);
  history.pushState(history.state, "", `${location.pathname}?${query}${location.hash}`);
}

class Live {
  #parent;
  #data;
  #options = optionsOf(location.search);
  #look;
  /** @type {Map<string, Table>} */
  #tables = new Map();
  /** @type {Map<string, import("./progress.js").RunOut>} */
  #runs = new Map();
  #loaded = false;
  #paints = new Paints();
  #painter = new Painter((keys) => this.#draw(keys));
  #status = new Status();
  #states = new States();
  #strip = new RunStrip();
  /** @type {QueueWatch} */
  #queue;
  #toolbar = new Toolbar((change, step) => this.#choose(change, step));
  /** @type {Panel[]} */
  #panels = [];
  /** @type {Set<string>} */
  #seen = new Set();
  #stream;
  /** @type {number|undefined} */
  #linger;
  #groups;
  #crosshair = new Crosshair(() => this.#panels.filter(({ element }) => element.offsetParent));
  #onHistory = () => this.#follow();
  #frame;
  #resized = new ResizeObserver((entries) => this.#resize(entries));
  #scrolled = new IntersectionObserver((entries) => this.#sight(entries), { rootMargin: "80px" });

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
          log: () => this.#toggle("log", metric.key),
          wide: () => this.#widen(panel),
          pin: () => this.#pin(panel),
          zoom: (zoom) => this.#zoom(zoom),
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
    for (const panel of this.#panels) {
      this.#resized.observe(panel.element);
      this.#scrolled.observe(panel.element);
      this.#crosshair.watch(panel);
    }
    addEventListener("popstate", this.#onHistory);
    this.#toolbar.draw(this.#arms(), this.#options);
    this.#queue = new QueueWatch(data.id, (queue) => this.#takeQueue(queue));
    this.#stream = new LiveStream(
      liveAddress(data, this.#keys()),
      (event, body, arrived) => this.#receive(event, body, arrived),
      (state) => this.#connected(state),
    );
    this.#stream.start();
    window.__lossboard = this.#paints;
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
    removeEventListener("popstate", this.#onHistory);
    this.#crosshair.clear();
    this.#stream.stop("ended");
    this.#queue.destroy();
    this.#painter.destroy();
    this.#resized.disconnect();
    this.#scrolled.disconnect();
    for (const panel of this.#panels) panel.destroy();
    this.#frame.remove();
  }

  #keys() {
    return [...this.#panels.map((panel) => panel.key), CLOCK, TRIVIAL, PULL];
  }

  #arms() {
    return this.#data.arms.map(({ name, light, dark, dash }) => {
      return { name, color: this.#look.dark ? dark : light, dash };
    });
  }

  /** @param {string} event @param {any} body @param {number} arrived */
  #receive(event, body, arrived) {
    if (event === "reset") {
      this.#tables.clear();
      this.#runs.clear();
      this.#loaded = true;
      for (const series of body.series) this.#table(series.key).load(series);
      this.#takeRuns(body.runs);
      this.#painter.mark(this.#keys());
    } else if (event === "points") {
      for (const { run, key, steps, values } of body.series) {
        this.#table(key).append(run, steps, values);
        this.#paints.arrived(run, key, steps, arrived);
      }
      this.#painter.mark(body.series.map((/** @type {{key: string}} */ series) => series.key));
    } else if (event === "runs") {
      this.#takeRuns(body.runs);
    } else if (event === "drop") {
      const cuts = [...this.#tables.values()].map((table) => table.drop(body.run, body.after));
      if (cuts.every(Boolean)) this.#painter.mark(this.#keys());
      else this.#stream.reload();
    } else if (event === "gone") {
      this.#stream.stop("missing");
    }
  }

  /** @param {string} key @returns {Table} */
  #table(key) {
    let table = this.#tables.get(key);
    if (!table) this.#tables.set(key, (table = new Table()));
    return table;
  }

  /** @param {import("./progress.js").RunOut[]} changed */
  #takeRuns(changed) {
    for (const run of changed) this.#runs.set(run.id, run);
    const runs = [...this.#runs.values()];
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
    const empty = this.#panels.filter(({ key }) => (this.#tables.get(key)?.last ?? -1) < 0);
    this.#painter.mark(empty.map((panel) => panel.key)); // they say what they wait for
  }

  /** @param {import("./queue.js").Queue|null|undefined} queue */
  #takeQueue(queue) {
    const own = (queue?.waiting ?? []).filter(({ run }) => this.#runs.has(run));
    this.#strip.place(new Map(own.map((place) => [place.run, placeText(place)])));
    const silent = queue === undefined || !isWaiting([...this.#runs.values()]);
    this.#status.wait(silent ? "" : waitingText(queue, own[0]), queue ? present(queue).length : null);
  }

  /** @param {import("./stream.js").StreamState} state */
  #connected(state) {
    this.#status.connection(state);
    this.#frame.dataset.connection = state;
  }

  /**
   * @param {Partial<import("./options.js").Options>} change
   * @param {boolean} [step] whether the browser's Back undoes it
   */
  #choose(change, step = false) {
    const before = this.#options;
    this.#options = { ...before, ...change };
    if (this.#options.x !== before.x) this.#options.zoom = { ...before.zoom, x: null }; // another unit
    const search = formatOptions(location.search, this.#options);
    const address = `${location.pathname}${search}${location.hash}`;
    if (step) history.pushState(history.state, "", address);
    else history.replaceState(history.state, "", address);
    this.#redrawAll();
  }

  /** Take over what the address says after Back or Forward. */
  #follow() {
    this.#options = optionsOf(location.search);
    this.#groups.place(this.#options.pin);
    this.#turn();
    this.#redrawAll();
  }

  /** @param {"log"|"wide"|"pin"} name @param {string} key */
  #toggle(name, key) {
    const now = this.#options[name];
    this.#choose({ [name]: now.includes(key) ? now.filter((each) => each !== key) : [...now, key] });
  }

  /** @param {import("./zoom.js").Zoom} zoom */
  #zoom(zoom) {
    this.#choose({ zoom }, true);
  }

  /** As wide as the page, or back. @param {Panel} panel */
  #widen(panel) {
    this.#toggle("wide", panel.key);
    panel.widen(this.#options.wide.includes(panel.key));
    panel.width = contentWidth(panel.element); // before it is drawn, not once more afterwards
    panel.element.scrollIntoView({ block: "nearest" });
  }

  /** To the front of all panels, or back to its place. @param {Panel} panel */
  #pin(panel) {
    const focused = document.activeElement;
    this.#toggle("pin", panel.key);
    remember(PINS, this.#options.pin);
    this.#groups.place(this.#options.pin);
    this.#turn();
    if (focused instanceof HTMLElement && panel.element.contains(focused)) focused.focus();
  }

  #redrawAll() {
    this.#toolbar.draw(this.#arms(), this.#options);
    this.#strip.draw([...this.#runs.values()], this.#arms());
    this.#painter.mark(this.#keys());
  }

  #emptyNote() {
    if (!this.#loaded) return "Loading …";
    const runs = [...this.#runs.values()];
    const state = overallState(runs);
    if (isPreparing(runs)) return "Being prepared";
    if (isWaiting(runs)) return "Waiting for a worker";
    return state === "running" ? "Nothing measured yet" : "Nothing was measured";
  }

  /** @param {Set<string>} keys @returns {Promise<Set<string>>} what is out of sight */
  async #draw(keys) {
    const { x } = this.#options;
    const all = x === "time" && keys.has(CLOCK); // every panel's axis has moved
    const due = this.#panels.filter((panel) => all || keys.has(panel.key));
    const seen = due.filter((panel) => this.#seen.has(panel.key));
    const view = {
      arms: this.#arms(),
      runs: [...this.#runs.values()],
      options: this.#options,
      look: this.#look,
      data: this.#data,
      clock: this.#tables.get(CLOCK),
      trivial: this.#tables.get(TRIVIAL),
      pull: this.#tables.get(PULL),
    };
    const note = this.#emptyNote();
    for (const panel of seen) await panel.draw(this.#tables.get(panel.key), view, note);
    this.#paints.drawn(new Set(seen.map((panel) => panel.key)));
    return new Set(due.filter((panel) => !seen.includes(panel)).map((panel) => panel.key));
  }

  /** @param {ResizeObserverEntry[]} entries */
  #resize(entries) {
    for (const { target, contentRect } of entries) {
      const panel = this.#panels.find(({ element }) => element === target);
      const width = Math.floor(contentRect.width);
      if (!panel || panel.width === width) continue;
      panel.width = width;
      this.#painter.mark([panel.key]);
    }
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #sight(entries) {
    for (const { target, isIntersecting } of entries) {
      const panel = this.#panels.find(({ element }) => element === target);
      if (!panel) continue;
      if (isIntersecting) this.#seen.add(panel.key);
      else this.#seen.delete(panel.key);
      if (isIntersecting) this.#painter.mark([panel.key]);
    }
  }
}

/** What an address asks for; where it names no pins, those of this browser's viewer. @param {string} search */
function optionsOf(search) {
  const options = parseOptions(search);
  return options.pin.length ? options : { ...options, pin: remembered(PINS, []) };
}

/** @param {Element} element @returns {number} pixels, as a ResizeObserver counts them */
function contentWidth(element) {
  const { paddingLeft, paddingRight } = getComputedStyle(element);
  return Math.floor(element.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight));
}
