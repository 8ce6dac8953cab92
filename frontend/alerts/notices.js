/**
 * Notices of the browser about alerts: the button that turns them on, and the watcher of a page.
 *
 * Of all open tabs the one that holds a lock asks the API; it shows the notices and tells the other
 * tabs, whose titles are marked while nobody sees them. Where that tab is closed the next one gets
 * the lock, and goes on after the last alert that was shown.
 */
const POLL_MS = 5_000;
const STALE_MS = 10 * 60_000; // after a longer absence only what happens from then on is told
const MOST = 3; // notices at once; of more the others are counted
const MARK = "● ";

/** @typedef {{all?: boolean, only?: string[], after?: number, at?: number}} Kept */

export default function show({ parentElement, data }) {
  if (data.watch) watch(data);
  else drawButton(parentElement, data);
}

/** @param {string} base path of this board: several may share an origin */
function keyOf(base) {
  return `lossboard-notices:${base}`;
}

/** @param {string} base @returns {Kept} */
function read(base) {
  try {
    const kept = JSON.parse(localStorage.getItem(keyOf(base)) ?? "{}");
    return kept && typeof kept === "object" ? kept : {};
  } catch {
    return {}; // the browser keeps nothing, or something else wrote there
  }
}

/** @param {string} base @param {Partial<Kept>} changes */
function keep(base, changes) {
  localStorage.setItem(keyOf(base), JSON.stringify({ ...read(base), ...changes }));
}

/** @param {Kept} kept */
function isOn(kept) {
  return Boolean(kept.all || kept.only?.length);
}

/** @returns {string} why there can be no notices; "" if there can */
function obstacle() {
  if (!window.isSecureContext || !("Notification" in window) || !navigator.locks)
    return "Browsers allow notices on https:// addresses and on localhost only.";
  if (Notification.permission === "denied")
    return "This browser blocks notices from this site. Allow them in its site settings, then reload.";
  return "";
}

/** @param {HTMLElement} parent @param {{base: string, comparison: string}} data */
function drawButton(parent, data) {
  let box = parent.querySelector(".lb-notice");
  if (!box) {
    box = document.createElement("div");
    box.className = "lb-notice";
    box.append(document.createElement("button"), document.createElement("span"));
    parent.append(box);
  }
  const [button, said] = /** @type {[HTMLButtonElement, HTMLElement]} */ ([...box.children]);
  button.type = "button";
  said.setAttribute("role", "status");
  const draw = () => {
    const kept = read(data.base);
    const blocked = obstacle();
    const granted = !blocked && Notification.permission === "granted";
    const chosen = data.comparison ? Boolean(kept.only?.includes(data.comparison)) : Boolean(kept.all);
    const on = granted && chosen;
    const byBoard = granted && Boolean(data.comparison) && Boolean(kept.all);
    button.disabled = Boolean(blocked) || byBoard;
    button.setAttribute("aria-pressed", String(on || byBoard));
    setText(button, on || byBoard ? "Notices are on" : "Notify me in this browser");
    setText(said, blocked || (byBoard ? "On for all comparisons, see the page Alerts." : on ? "Press to turn them off." : ""));
  };
  button.onclick = async () => {
    const kept = read(data.base);
    const others = (kept.only ?? []).filter((one) => one !== data.comparison);
    const wanted = button.getAttribute("aria-pressed") !== "true";
    if (wanted && (await Notification.requestPermission()) !== "granted") return draw();
    if (data.comparison) keep(data.base, { only: wanted ? [...others, data.comparison] : others });
    else keep(data.base, { all: wanted });
    window.lbNotices?.follow();
    draw();
  };
  draw();
}

/** @param {HTMLElement} element @param {string} text */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Start the page's watcher, once. @param {{base: string, api: string}} data */
function watch(data) {
  if (window.lbNotices) return;
  window.lbNotices = new Watcher(data);
  window.lbNotices.follow();
}

class Watcher {
  #data;
  #waiting = false;
  #marked = false;
  #lookSoon = () => {};
  /** @type {BroadcastChannel} */
  #channel;

  /** @param {{base: string, api: string}} data */
  constructor(data) {
    this.#data = data;
    this.#channel = new BroadcastChannel(keyOf(data.base));
    this.#channel.onmessage = () => this.#mark();
    addEventListener("storage", ({ key }) => {
      if (key === keyOf(data.base)) this.follow();
    });
    document.addEventListener("visibilitychange", () => {
      this.#unmark();
      if (!document.hidden) this.#lookSoon(); // timers of hidden pages are slow
    });
    new MutationObserver(() => this.#markAgain()).observe(document.head, {
      childList: true,
      subtree: true,
      characterData: true,
    });
  }

  /** Ask for the lock if notices are on, and this page has not asked yet. */
  async follow() {
    if (this.#waiting || obstacle() || !isOn(read(this.#data.base))) return;
    this.#waiting = true;
    try {
      await navigator.locks.request(keyOf(this.#data.base), () => this.#poll());
    } finally {
      this.#waiting = false;
    }
  }

  /** Ask the API until notices are turned off. */
  async #poll() {
    while (isOn(read(this.#data.base)) && Notification.permission === "granted") {
      try {
        await this.#look();
      } catch (error) {
        console.info("lossboard: alerts cannot be read now:", error);
      }
      await new Promise((resolve) => {
        this.#lookSoon = resolve;
        setTimeout(resolve, POLL_MS);
      });
    }
  }

  async #look() {
    const { base } = this.#data;
    const kept = read(base);
    const known = kept.after !== undefined && Date.now() - (kept.at ?? 0) < STALE_MS;
    const asked = known ? `after=${kept.after}&limit=100` : "limit=0";
    const answer = await fetch(`${this.#data.api}?${asked}`, { cache: "no-store" });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const { alerts, last } = await answer.json();
    keep(base, { after: last, at: Date.now() });
    const wanted = alerts.filter((one) => kept.all || kept.only?.includes(one.comparison));
    if (!wanted.length) return;
    this.#tell(wanted);
    this.#mark();
    this.#channel.postMessage(last);
  }

  /** @param {{id: number, text: string, comparison: string}[]} alerts */
  #tell(alerts) {
    const shown = alerts.length > MOST ? alerts.slice(-(MOST - 1)) : alerts;
    if (shown.length < alerts.length) {
      const body = `${alerts.length - shown.length} more alerts`;
      this.#notify(body, `lossboard-more-${alerts[0].id}`, "/alerts");
    }
    for (const one of shown) {
      const page = `/comparison?id=${encodeURIComponent(one.comparison)}`;
      this.#notify(one.text, `lossboard-${one.id}`, page);
    }
  }

  /** @param {string} body @param {string} tag @param {string} page */
  #notify(body, tag, page) {
    const notice = new Notification("Lossboard", { body, tag });
    notice.onclick = () => {
      notice.close();
      window.focus();
      location.assign(this.#data.base + page);
    };
  }

  #mark() {
    this.#marked = document.hidden;
    this.#markAgain();
  }

  #unmark() {
    if (document.hidden || !this.#marked) return;
    this.#marked = false;
    if (document.title.startsWith(MARK)) document.title = document.title.slice(MARK.length);
  }

  /** Keep the mark: the pages set their titles anew. */
  #markAgain() {
    if (this.#marked && !document.title.startsWith(MARK)) document.title = MARK + document.title;
  }
}
