/**
 * One live stream for the tab: read with fetch, resumed from the last id, closed while the tab is
 * hidden. What it says about its state is what is so: "live" only while events can arrive.
 */
import { signIn } from "./signin.js";
import { EventParser } from "./sse.js";

/** @typedef {"connecting"|"live"|"reconnecting"|"paused"|"ended"|"missing"} StreamState */

const SILENCE_MS = 40_000; // the server pings every 15 s
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 8_000;

export class LiveStream {
  #url;
  #onEvent;
  #onState;
  /** @type {string|null} */
  #lastId = null;
  /** @type {AbortController|null} */
  #connection = null;
  #wanted = false;
  #wait = FIRST_WAIT_MS;
  /** @type {number|undefined} */
  #retry;
  #onVisibility = () => this.#follow();

  /**
   * @param {string} url
   * @param {(event: string, data: any, arrived: number) => void} onEvent
   * @param {(state: StreamState) => void} onState
   */
  constructor(url, onEvent, onState) {
    this.#url = url;
    this.#onEvent = onEvent;
    this.#onState = onState;
  }

  /** Open the stream, now or as soon as the tab is seen; again is harmless. */
  start() {
    if (this.#wanted) return;
    this.#wanted = true;
    document.addEventListener("visibilitychange", this.#onVisibility);
    this.#follow();
  }

  /**
   * Close it for good.
   * @param {StreamState} state why
   */
  stop(state) {
    this.#wanted = false;
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#disconnect();
    this.#onState(state);
  }

  /** Ask for the whole history again. */
  reload() {
    this.#lastId = null;
    this.#disconnect();
    this.#follow();
  }

  #follow() {
    if (!this.#wanted) return;
    if (document.hidden) {
      this.#disconnect();
      this.#onState("paused");
    } else if (!this.#connection) {
      this.#disconnect();
      this.#connect(this.#lastId === null ? "connecting" : "reconnecting");
    }
  }

  #disconnect() {
    clearTimeout(this.#retry);
    this.#connection?.abort();
    this.#connection = null;
  }

  /** @param {StreamState} state */
  async #connect(state) {
    const connection = new AbortController();
    this.#connection = connection;
    this.#onState(state);
    let missing = false;
    try {
      missing = await this.#read(connection);
    } catch (error) {
      if (connection.signal.aborted && this.#connection !== connection) return;
      console.info("lossboard: live stream interrupted:", error);
    }
    if (this.#connection !== connection) return;
    this.#connection = null;
    if (missing) {
      this.stop("missing");
    } else {
      this.#onState("reconnecting");
      this.#retry = setTimeout(() => this.#follow(), this.#wait * (0.75 + Math.random() / 2));
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
    }
  }

  /**
   * Read until the connection ends.
   * @param {AbortController} connection
   * @returns {Promise<boolean>} whether the comparison does not exist
   */
  async #read(connection) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "text/event-stream" };
    if (this.#lastId !== null) headers["Last-Event-ID"] = this.#lastId;
    const { signal } = connection;
    const response = await fetch(this.#url, { headers, signal, cache: "no-store" });
    if (response.status === 404) return true;
    if (response.status === 401) signIn();
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const parser = new EventParser();
    for (;;) {
      const silence = setTimeout(() => connection.abort(new Error("silence")), SILENCE_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(silence));
      if (done) return false;
      const arrived = performance.timeOrigin + performance.now();
      this.#onState("live");
      for (const { event, data, id } of parser.push(decoder.decode(value, { stream: true }))) {
        if (this.#connection !== connection) return false;
        if (id !== null) this.#lastId = id; // before the handler, which may ask for a reload
        this.#wait = FIRST_WAIT_MS;
        this.#onEvent(event, JSON.parse(data), arrived);
      }
    }
  }
}
