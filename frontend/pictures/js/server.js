/** What only a page of our own server has: the letters that it draws with, and its conversion. */
import { ownAddress } from "../../live/js/address.js";
import { signIn } from "../../live/js/signin.js";

const FACES = { "Liberation Sans": { normal: "Regular", bold: "Bold" } };

/** @type {Promise<any>|undefined} */
let faces;

export const pictureServer = {
  /** Load the letters, so that lines are measured as the server will draw them. */
  letters() {
    faces ??= Promise.all(
      Object.entries(FACES).flatMap(([family, weights]) =>
        Object.entries(weights).map(async ([weight, file]) => {
          const url = new URL(`../fonts/${family.replace(" ", "")}-${file}.ttf`, import.meta.url);
          document.fonts.add(await new FontFace(family, `url("${url}")`, { weight }).load());
        }),
      ),
    ).catch(() => {
      faces = undefined; // Arial has the same widths
    });
    return faces;
  },

  /**
   * @param {string} format pdf or png
   * @param {{svg: string, width: number, height: number, dpi: number, title: string}} picture mm
   * @returns {Promise<Blob>}
   */
  async convert(format, { svg, width, height, dpi, title }) {
    const asked = { width, height, dpi };
    const query = new URLSearchParams(Object.entries(asked).map(([name, value]) => [name, String(value)]));
    query.set("title", title);
    const sent = { method: "POST", body: svg, headers: { "Content-Type": "image/svg+xml" } };
    const answer = await fetch(`${ownAddress("/pictures")}/${format}?${query}`, sent).catch(() => {
      throw new Error("The server does not answer. Try again, or save as SVG.");
    });
    if (answer.ok) return answer.blob();
    if (answer.status === 401) signIn();
    const said = await answer.json().catch(() => null);
    throw new Error(said?.message ?? `The server answered ${answer.status}. Save as SVG instead.`);
  },
};
