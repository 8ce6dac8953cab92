/**
 * Keyboard shortcuts of all pages, and the button that lists them: / searches, n is a new comparison,
 * digits are the tabs of a comparison, ? is help. They are off while somebody types or a dialog is open.
 */
const SEARCH = '[data-testid="stTextInput"] input[aria-label="Search"]';
const TABS = '.st-key-comparison_tab [role="tab"]';
const WIDGETS = 'input, textarea, select, [contenteditable="true"], [role="textbox"], [role="combobox"]';
const GRID = '[data-testid="stDataFrame"]'; // moves by keys of its own
const LINES = [
  ["/", "Search comparisons"],
  ["n", "New comparison"],
  ["1 … 9", "Tabs of a comparison, from the left"],
  ["?", "This help"],
  ["Esc", "Close"],
];
const PATIENCE_MS = 5_000;

/** @type {(event: KeyboardEvent) => void} */
let listening;

export default function shortcuts({ parentElement, setTriggerValue }) {
  let button = parentElement.querySelector("button");
  if (!button) {
    const help = dialog();
    button = document.createElement("button");
    button.type = "button";
    button.className = "lb-keys";
    button.textContent = "?";
    button.title = "Keyboard shortcuts (?)";
    button.setAttribute("aria-label", "Keyboard shortcuts");
    button.addEventListener("click", () => help.showModal());
    parentElement.append(button, help);
  }
  const help = parentElement.querySelector("dialog");
  document.removeEventListener("keydown", listening);
  listening = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = /** @type {Element} */ (event.target);
    if (target.closest(WIDGETS) || target.closest(GRID)) return;
    if (document.querySelector('[role="dialog"], dialog[open]')) return;
    if (!act(event.key, help, (page) => setTriggerValue("go", page))) return;
    event.preventDefault();
  };
  document.addEventListener("keydown", listening);
}

/** @param {string} key @param {HTMLDialogElement} help @param {(page: string) => void} go */
function act(key, help, go) {
  if (key === "?") help.showModal();
  else if (key === "n") go("new");
  else if (key === "/") search(() => go("board"));
  else if (/^[1-9]$/.test(key)) return turn(Number(key) - 1);
  else return false;
  return true;
}

/** Go to the search, on another page to the board's. @param {() => void} toBoard */
function search(toBoard) {
  if (focus()) return;
  toBoard();
  const seen = new MutationObserver(() => focus() && seen.disconnect());
  seen.observe(document.body, { childList: true, subtree: true });
  setTimeout(() => seen.disconnect(), PATIENCE_MS);
}

function focus() {
  const input = /** @type {HTMLInputElement|null} */ (document.querySelector(SEARCH));
  input?.focus();
  input?.select();
  return Boolean(input);
}

/** @param {number} place */
function turn(place) {
  const tab = /** @type {HTMLElement|undefined} */ (document.querySelectorAll(TABS)[place]);
  tab?.click();
  tab?.focus();
  return Boolean(tab);
}

function dialog() {
  const help = document.createElement("dialog");
  help.className = "lb-keys-help";
  help.setAttribute("aria-labelledby", "lb-keys-title");
  const rows = LINES.map(([key, what]) => `<dt><kbd>${key}</kbd></dt><dd>${what}</dd>`).join("");
  help.innerHTML = `<form method="dialog"><h2 id="lb-keys-title">Keyboard shortcuts</h2><dl>${rows}</dl><button>Close</button></form>`;
  help.addEventListener("click", (event) => event.target === help && help.close());
  return help;
}
