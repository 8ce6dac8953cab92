/**
 * Runs before Streamlit's own scripts, in each page. It tells Streamlit under which address its
 * server is, leads to the base path whoever opened a page without it, and says so in plain words
 * when the websocket is blocked that the pages need.
 */
(() => {
  const OPEN_MS = 8_000; // so long an upgrade may take on a slow machine before anybody asks why
  const ANSWER_MS = 1_500;
  const REFUSALS = 2; // one may be a server that was just starting,
  const REFUSED_MS = 3_000; // and so may several in a moment
  const SOCKET = "/_stcore/stream";

  const { basePath, path } = document.querySelector("meta[name=lossboard]").dataset;
  const here = location.pathname;
  const rest = location.search + location.hash;
  if (here === basePath + path) {
    const server = new URL(`${basePath}/`, location.origin).href;
    window.__streamlit = { ...window.__streamlit, BACKEND_BASE_URL: server };
  } else if (basePath && here === path) {
    location.replace(basePath + here + rest); // opened at the server's own address
    return;
  } else if (basePath && here === basePath) {
    location.replace(`${basePath}/${rest}`); // a proxy that adds no slash
    return;
  } else {
    const added = path === "/" ? here.replace(/\/$/, "") : here.endsWith(path) ? here.slice(0, -path.length) : null;
    if (added !== null) tellUnknownPath(added);
  }

  let opened = false;
  let refused = 0;
  /** @type {HTMLElement|null} */
  let notice = null;

  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    /** @param {string|URL} url @param {string|string[]} [protocols] */
    constructor(url, protocols) {
      super(url, protocols);
      if (!opened && String(url).endsWith(SOCKET)) watch(this, String(url));
    }
  };

  /** Follow one attempt to open the pages' websocket. @param {WebSocket} socket @param {string} url */
  function watch(socket, url) {
    let over = false;
    socket.addEventListener("open", () => {
      over = opened = true;
      notice?.remove();
    });
    socket.addEventListener("close", async () => {
      if (over) return;
      over = true;
      if (!(await serverAnswers()) || ++refused < REFUSALS) return;
      setTimeout(async () => {
        if (await serverAnswers()) tellBlocked(url);
      }, REFUSED_MS);
    });
    setTimeout(async () => {
      while (!over && !opened) {
        if ((await serverAnswers()) && !over && !opened) tellBlocked(url);
        await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
      }
    }, OPEN_MS);
  }

  /**
   * Whether the server answers an ordinary request promptly. It is one that waits for the same
   * things as the websocket does, so a server that is slow does not count as one that is blocked.
   */
  async function serverAnswers() {
    const asked = { headers: { Accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) };
    return fetch(here, asked).then((answer) => answer.ok, () => false);
  }

  /** @param {string} url */
  function tellBlocked(url) {
    if (opened || notice) return;
    notice = show("The websocket to Lossboard is blocked", [
      `Ordinary requests reach Lossboard, but the websocket that its pages need does not open: ${url}. ` +
        "Something between this browser and Lossboard refuses it: most often a reverse proxy, else a VPN or a web filter.",
      "Who runs the proxy: pass the headers Upgrade, Connection and Host on (nginx: proxy_http_version 1.1 and " +
        'proxy_set_header; Caddy does so by itself). See docs/OPERATIONS.md, "Behind a proxy".',
      "This page goes on by itself as soon as the websocket opens.",
    ]);
  }

  /** @param {string} added */
  function tellUnknownPath(added) {
    const set = basePath ? `it is set to ${basePath}` : "it is not set";
    show("Lossboard does not know its path", [
      `A proxy serves Lossboard under ${added || "/"}, which it must be told in LOSSBOARD_BASE_PATH; ${set}.`,
      `Start the API and the dashboard with LOSSBOARD_BASE_PATH=${added}. See docs/OPERATIONS.md, "Behind a proxy".`,
    ]);
  }

  /** @param {string} title @param {string[]} paragraphs */
  function show(title, paragraphs) {
    const box = document.createElement("div");
    box.setAttribute("role", "alert");
    box.dataset.testid = "connection-notice";
    box.style.cssText =
      "color-scheme: light dark; position: fixed; inset: 5rem 0 auto; margin: auto; width: min(38rem, calc(100% - 3rem));" +
      "box-sizing: border-box; padding: 1.25rem 1.5rem; border-radius: 0.75rem; z-index: 2147483647;" +
      "border: 1px solid light-dark(#a3260f, #ff9d87); background: light-dark(#ffffff, #1a212a);" +
      "color: light-dark(#1c242d, #e4e9ee); box-shadow: 0 1rem 2.5rem -1rem rgb(0 0 0 / 45%);" +
      'font: 1rem/1.5 "Source Sans", "Segoe UI", system-ui, sans-serif; overflow-wrap: anywhere';
    const heading = document.createElement("strong");
    heading.textContent = title;
    box.append(heading);
    for (const text of paragraphs) {
      const paragraph = document.createElement("p");
      paragraph.textContent = text;
      paragraph.style.margin = "0.6rem 0 0";
      box.append(paragraph);
    }
    const add = () => document.body.append(box);
    if (document.body) add();
    else addEventListener("DOMContentLoaded", add);
    return box;
  }
})();
