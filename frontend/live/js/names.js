/** Arms' names where there is little room. */

const MARK = "…";

/**
 * Names of at most so many characters, cut in the middle, each still unlike all others.
 * @param {string[]} names unlike one another @param {number} most at least 8
 * @returns {Map<string, string>} name -> what stands for it
 */
export function shortened(names, most) {
  const short = new Map(names.map((name) => [name, cut(name, most)]));
  /** @type {Map<string, string[]>} */
  const alike = new Map();
  for (const [name, text] of short) alike.set(text, [...(alike.get(text) ?? []), name]);
  for (const group of alike.values()) {
    if (group.length > 1) for (const name of group) short.set(name, around(name, differAt(group), most));
  }
  return short;
}

/** Beginning and end of a name. @param {string} name @param {number} most */
function cut(name, most) {
  if (name.length <= most) return name;
  const tail = Math.floor((most - 1) / 2);
  return name.slice(0, most - 1 - tail).trimEnd() + MARK + name.slice(-tail).trimStart();
}

/** The first character at which names differ. @param {string[]} names */
function differAt([first, ...others]) {
  let at = 0;
  while (at < first.length && others.every((name) => name[at] === first[at])) at += 1;
  return at;
}

/** The beginning of a name and what stands at a place in it. @param {string} name @param {number} at @param {number} most */
function around(name, at, most) {
  const head = name.slice(0, Math.floor(most / 3)).trimEnd();
  const room = most - head.length - 2;
  const from = Math.max(head.length, Math.min(at - Math.floor(room / 3), name.length - room));
  const end = from + room < name.length ? MARK : "";
  return head + MARK + name.slice(from, from + room).trim() + end;
}
