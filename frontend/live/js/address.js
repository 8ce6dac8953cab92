/**
 * Where our own server is reached. Modules are served at <base path>/lossboard-js/<digest>/<part>/js/,
 * so that the address of this one tells the base path: "" or, behind a proxy, one such as "/lossboard".
 */
const BASE_PATH = new URL("../../../..", import.meta.url).pathname.replace(/\/$/, "");

/** @param {string} path as the server knows it, beginning with a slash */
export function ownAddress(path) {
  return BASE_PATH + path;
}

/**
 * Where the live stream is: of a comparison's final runs, or of one run of a trial.
 * @param {{id: string, run: string}} data @param {string[]} keys of the series that are wanted
 */
export function liveAddress({ id, run }, keys) {
  const asked = run ? `&run=${encodeURIComponent(run)}` : "";
  return `${ownAddress("/api/v1/comparisons")}/${encodeURIComponent(id)}/live?keys=${keys.join(",")}${asked}`;
}
