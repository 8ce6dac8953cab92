/** Reads server-sent events out of text that arrives in pieces of any size. */

/** @typedef {{event: string, data: string, id: string|null}} ServerEvent */

export class EventParser {
  #rest = "";
  #event = "";
  /** @type {string[]} */
  #data = [];
  /** @type {string|null} */
  #id = null;

  /**
   * @param {string} text
   * @returns {ServerEvent[]} events that are complete with this piece; comments are passed over
   */
  push(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    const events = [];
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line === "") {
        if (this.#data.length) {
          const data = this.#data.join("\n");
          events.push({ event: this.#event || "message", data, id: this.#id });
        }
        this.#event = "";
        this.#data = [];
      } else if (!line.startsWith(":")) {
        this.#field(line);
      }
    }
    return events;
  }

  /** @param {string} line */
  #field(line) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id") this.#id = value;
  }
}
