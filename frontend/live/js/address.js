/**
 * Where our own server is reached. Modules are served at <base path>/lossboard-js/<digest>/<part>/js/,
 * so that the address of this one tells the base path: "" or, behind a proxy, one such as "/lossboard".
 */
const BASE_PATH = new URL("../../../..", import.meta.url).pathname.replace(/\/$/, "");

/** @param {string} path as the server knows it, beginning with a slash */
export function ownAddress(path) {
  return BASE_PATH + path;
}
