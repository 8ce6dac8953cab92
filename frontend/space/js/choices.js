/** What the viewer chose, and how the page's address keeps it. */

/**
 * @typedef {Object} Choices
 * @property {number|null} seed null: the first there is
 * @property {"pca"|"tsne"|"pacmap"} method
 * @property {2|3} dims
 * @property {import("./colouring.js").By} colour
 * @property {number|null} epoch null: the last
 * @property {number|null} sample that is looked into
 * @property {string[]} arms shown; none: the first four
 * @property {string[]} density arms whose panels are shaded
 * @property {"triplets"|"positives"|"negatives"|"suspects"} tuples of the strip
 * @property {string[]} pair the two arms that are compared; none: the first two
 */

/** @type {Choices} */
export const DEFAULTS = {
  seed: null,
  method: "pca",
  dims: 2,
  colour: "class",
  epoch: null,
  sample: null,
  arms: [],
  density: [],
  tuples: "triplets",
  pair: [],
};

export const METHODS = { pca: "PCA", tsne: "t-SNE", pacmap: "PaCMAP" };

const COLOURS = ["class", "fine", "correct", "distance", "modality"];
const TUPLES = ["triplets", "positives", "negatives", "suspects"];
const PREFIX = "space-";

/**
 * The choices that an address asks for; what it does not say, or says wrongly, is the default.
 * @param {string} search
 * @returns {Choices}
 */
export function parseChoices(search) {
  const query = new URLSearchParams(search);
  const read = (/** @type {string} */ name) => query.get(PREFIX + name);
  const count = (/** @type {string} */ name) => {
    const text = read(name);
    return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
  };
  return {
    seed: count("seed"),
    method: pick(read("method"), Object.keys(METHODS), DEFAULTS.method),
    dims: pick(count("dims"), [2, 3], DEFAULTS.dims),
    colour: pick(read("colour"), COLOURS, DEFAULTS.colour),
    epoch: count("epoch"),
    sample: count("sample"),
    arms: query.getAll(`${PREFIX}arms`),
    density: query.getAll(`${PREFIX}density`),
    tuples: pick(read("tuples"), TUPLES, DEFAULTS.tuples),
    pair: query.getAll(`${PREFIX}pair`).slice(0, 2),
  };
}

/**
 * The address's query with these choices in it; other parameters stay, defaults are left out.
 * @param {string} search @param {Choices} choices
 */
export function formatChoices(search, choices) {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(choices)) {
    query.delete(PREFIX + name);
    if (Array.isArray(value)) value.forEach((item) => query.append(PREFIX + name, item));
    else if (value !== DEFAULTS[/** @type {keyof Choices} */ (name)]) query.set(PREFIX + name, String(value));
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}

/** A list with or without a name. @param {string[]} names @param {string} name */
export function toggled(names, name) {
  return names.includes(name) ? names.filter((each) => each !== name) : [...names, name];
}

/** @param {any} value @param {any[]} allowed @param {any} fallback */
function pick(value, allowed, fallback) {
  return allowed.includes(value) ? value : fallback;
}
