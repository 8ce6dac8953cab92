/** A button that copies a text, or the address as it is now: the page with its tab, filters and zoom. */
const SAID_MS = 2000;

export default function show({ parentElement, data }) {
  let button = parentElement.querySelector("button");
  if (!button) {
    button = document.createElement("button");
    button.type = "button";
    button.className = "lb-copy";
    if (!data.text) button.title = "Copy the address of exactly this view";
    parentElement.append(button);
  }
  button.dataset.testid = data.text ? "copy-text" : "copy-link";
  say(button, data.label);
  button.onclick = async () => {
    const copied = await copy(data.text || location.href);
    say(button, copied ? "Copied" : data.text ? "Select and copy it" : "Copy it from the address bar");
    clearTimeout(button.lbTimer);
    button.lbTimer = setTimeout(() => say(button, data.label), SAID_MS);
  };
}

/** @param {HTMLButtonElement} button @param {string} text */
function say(button, text) {
  button.setAttribute("aria-live", "polite");
  if (button.textContent !== text) button.textContent = text;
}

/** @param {string} text @returns {Promise<boolean>} whether it is in the clipboard */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // a page that came over plain http has no clipboard
  }
}

/** @param {string} text @returns {boolean} */
function copyBySelection(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.setAttribute("aria-hidden", "true");
  field.style.cssText = "position: fixed; opacity: 0";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}
