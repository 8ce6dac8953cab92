/** The button that saves a chart, and the choice of format and size that it opens. */
import { h, setText } from "../../live/js/dom.js";
import { pictureServer } from "./server.js";
import { filePart, keepPicture, lastPicture, PICTURE_SIZES, PX_MM } from "./sizes.js";

/** @typedef {import("./sizes.js").Size} Size */
/**
 * @typedef {Object} Picture
 * @property {string} svg @property {number} width mm @property {number} height mm
 */
/**
 * @typedef {Object} Subject
 * @property {string} title of the chart
 * @property {string} comparison name; "" where the chart is of several
 * @property {string} file the chart in a file's name
 */

const FORMAT_LABELS = { svg: "SVG", pdf: "PDF", png: "PNG" };

/**
 * @param {() => Subject} subject asked at each use, as names change
 * @param {(size: Size) => Promise<Picture|null>} draw null: there is nothing to be saved
 * @param {string} [look] class of the button
 * @returns {HTMLElement[]} the button, and what it opens
 */
export function saveMenu(subject, draw, look = "lb-small") {
  const formats = pictureServer ? ["svg", "pdf", "png"] : ["svg", "png"];
  const said = h("p", { class: "lb-save-said", role: "status" });
  const form = h("form", { class: "lb-save", popover: "auto", "aria-label": "Save as a picture" });
  const shut = () => form.hidePopover();
  const follow = () => { // the page scrolls below it, or has taken it away
    if (form.isConnected) place(form, button);
    else removeEventListener("scroll", follow, true);
  };
  const open = () => {
    const { format, size } = lastPicture(formats);
    setText(said, "");
    form.replaceChildren(
      choice("Format", "format", formats.map((name) => [name, FORMAT_LABELS[name]]), format),
      choice("Size", "size", PICTURE_SIZES.map(({ name, label }) => [name, label]), size.name),
      h("button", { type: "submit", class: "lb-save-do" }, "Save"),
      said,
    );
    form.showPopover();
    place(form, button);
    form.querySelector("input:checked")?.focus();
    addEventListener("scroll", follow, true);
  };
  const { title } = subject();
  const label = `Save “${title}” as a picture`;
  const button = h(
    "button",
    { type: "button", class: look, title: label, "aria-label": label, "aria-haspopup": "dialog", "data-save": "" },
    "Save",
  );
  button.addEventListener("click", () => (form.matches(":popover-open") ? shut() : open()));
  form.addEventListener("toggle", () => {
    if (!form.matches(":popover-open")) removeEventListener("scroll", follow, true);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.ariaBusy === "true") return;
    const { format, size } = Object.fromEntries(new FormData(/** @type {any} */ (form)));
    keepPicture(format, size);
    form.ariaBusy = "true";
    setText(said, "Drawing …");
    try {
      await save(format, PICTURE_SIZES.find(({ name }) => name === size), subject(), draw);
      shut();
      button.focus();
    } catch (error) {
      setText(said, error instanceof Error ? error.message : String(error));
    } finally {
      form.ariaBusy = null;
    }
  });
  return [button, form];
}

/** @param {string} format @param {Size} size @param {Subject} subject @param {(size: Size) => Promise<Picture|null>} draw */
async function save(format, size, { title, comparison, file }, draw) {
  await pictureServer?.letters();
  const picture = await draw(size);
  if (!picture) throw new Error("Nothing is drawn yet.");
  const name = [comparison, file].map(filePart).filter(Boolean).join("-") || "chart";
  const whole = { ...picture, dpi: size.dpi, title: [comparison, title].filter(Boolean).join(" · ") };
  const plain = new Blob([picture.svg], { type: "image/svg+xml" });
  const blob = format === "svg" ? plain : await (pictureServer ? pictureServer.convert(format, whole) : painted(plain, whole));
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: `${name}.${format}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A PNG without a server: the browser paints it. @param {Blob} svg @param {{width: number, height: number, dpi: number}} picture */
async function painted(svg, { width, height, dpi }) {
  const url = URL.createObjectURL(svg);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    const scale = (PX_MM * dpi) / 96;
    [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** @param {string} legend @param {string} name @param {string[][]} options @param {string} chosen */
function choice(legend, name, options, chosen) {
  const inputs = options.map(([value, label]) =>
    h("label", {}, h("input", { type: "radio", name, value, checked: value === chosen }), label),
  );
  return h("fieldset", {}, h("legend", {}, legend), ...inputs);
}

/** Put it below the button, or above where there is no room. @param {HTMLElement} form @param {HTMLElement} button */
function place(form, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = form;
  const left = Math.max(8, Math.min(at.right - width, innerWidth - width - 8));
  const below = at.bottom + 4 + height <= innerHeight;
  form.style.left = `${left}px`;
  form.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - 4 - height)}px`;
}
