"""The JavaScript that draws pictures, run in a real browser."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from frontend.comparison.verdict.picture import forest_data
from frontend.ui.assets import Assets
from frontend.ui.theme import arm_styles
from tests.support.browser import browser_page
from tests.support.serving import serving
from tests.support.verdicts import claim, evidence, not_measured, verdict

Run = Callable[..., Any]
NAME: Final = "{http://www.w3.org/2000/svg}"
LOOK: Final = {
    "dark": True,
    **{"background": "#11161c", "text": "#e6ebf0", "muted": "#9aa6b2", "grid": "#26303a"},
}


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Evaluates JavaScript with modules of pictures and panels as `m` and an argument as `a`."""
    assets = Assets.load()

    async def blank(_request: object) -> HTMLResponse:
        return HTMLResponse("<!doctype html><title>modules</title>")

    app = Starlette(routes=[Route("/", blank), *assets.routes()])
    folder = assets.main_url.rsplit("/", 3)[0]
    modules = [f"pictures/js/{name}" for name in ("letters", "sizes", "sheet", "forest", "menu")]
    modules += [f"space/js/{name}" for name in ("drawing", "stage", "camera")]
    with serving(app) as url, browser_page() as page:
        page.goto(url)

        def evaluate(code: str, argument: Any = None) -> Any:
            load = f"""const names = {modules};
              const own = await Promise.all(names.map((n) => import(`{folder}/${{n}}.js`)));
              const m = Object.assign({{}}, ...own);
              const size = (name) => m.PICTURE_SIZES.find((each) => each.name === name);"""
            return page.evaluate(f"async (a) => {{ {load} {code} }}", argument)

        yield evaluate


def texts(svg: str) -> list[str]:
    """Return all texts of a drawing, which must be XML."""
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{NAME}text")]


def test_lines_are_broken_between_words_or_within_long_ones(run: Run) -> None:
    width = run("return m.textWidth('a margin of', 10)")
    code = "return m.textLines(a.text, 10, a.width, a.how)"
    asked = {"text": "a margin of 0.5 and more", "width": width + 1, "how": {}}
    lines = run(code, asked)
    assert lines[0] == "a margin of"
    assert " ".join(lines) == asked["text"]
    assert all(run("return m.textWidth(a, 10)", line) <= width + 1 for line in lines)
    long = run(code, {**asked, "text": "m" * 60})
    assert len(long) > 1
    assert "".join(long) == "m" * 60
    cut = run(code, {**asked, "text": "m " * 60, "how": {"most": 2}})
    assert len(cut) == 2
    assert cut[1].endswith("…")


def test_a_file_is_named_after_comparison_and_chart(run: Run) -> None:
    names = ["Größe / α β", "../../etc", "", "Recall@1 (test)", "x" * 99]
    found = run("return a.map(m.filePart)", names)
    assert found == ["größe-α-β", "etc", "", "recall-1-test", "x" * 60]


@pytest.mark.parametrize("size", ["column", "page", "slide"])
def test_a_long_legend_stays_within_its_page(run: Run, size: str) -> None:
    code = """
      const look = { kind: "line", color: "#123456", dash: "7px,3px" };
      const entries = a.names.map((name) => ({ name, ...look }));
      const body = async (width, height) => ({ svg: "<g/>", height: height || 99 });
      const chosen = size(a.size);
      const page = { size: chosen, width: chosen.width * m.PX_MM, ink: m.PAPER, entries, body };
      return m.sheet({ ...page, title: a.title, under: "c\\u0000" });
    """
    names = [f"Multi-similarity loss with semi-hard mining, margin {i}" for i in range(14)]
    made = run(code, {"size": size, "names": names, "title": "<b>Loss</b> & more " * 9})
    root = ET.fromstring(made["svg"])
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    assert root.attrib["width"] == f"{made['width']:g}mm" or size == "slide"
    for text in root.iter(f"{NAME}text"):
        words, letters = "".join(text.itertext()), float(text.attrib["font-size"])
        weight = text.attrib.get("font-weight") == "bold"
        wide = run(
            "return m.textWidth(a.words, a.letters, a.weight)",
            {"words": words, "letters": letters, "weight": weight},
        )
        assert float(text.attrib["x"]) + wide <= width
        assert float(text.attrib["y"]) <= height
    shown = " ".join(texts(made["svg"]))
    assert all(f"margin {i}" in shown for i in range(14)), "nothing is left out"
    assert "<b>Loss</b> & more" in shown


def test_the_forest_plot_is_on_paper_with_every_claim(run: Run) -> None:
    rows = [evidence(differences=[-0.05, -0.06, -0.03]), not_measured(label="Detail")]
    found = verdict(*(claim(number, *rows) for number in range(1, 10)))
    data = forest_data(found, arm_styles(["a <b>", "other"]), "digits")
    code = "return m.forestPicture(size(a.size), a.data, a.look, 900)"
    for size in ("column", "page", "slide"):
        made = run(code, {"size": size, "data": data, "look": LOOK})
        shown = " ".join(texts(made["svg"]))
        assert all(f"{number}. claim {number} of <i>b</i>" in shown for number in range(1, 10))
        for words in ("Verdict: a <b> minus other", "digits", "Supported", "−0.080 … −0.020"):
            assert words in shown
        assert LOOK["background"] not in made["svg"]
        if size == "slide":
            tops = [float(y) for y in re.findall(r"translate\([\d.]+ ([\d.]+)\)", made["svg"])]
            assert max(tops) < 540, "all claims are on the slide"


SPACE: Final = """
  const n = a.n;
  const points = Float32Array.from({ length: 2 * 2 * n }, (_, at) => Math.sin(at * 7.1));
  const projection = { method: "pca", dims: 2, seed: 3, n, epochs: [5], arms: ["one", "two"] };
  const stage = new m.Stage(projection, points);
  const camera = new m.Camera();
  camera.fit(stage.box(["one", "two"]));
  const labels = Array.from({ length: n }, (_, at) => at % a.classes);
  const classes = labels.slice(0, a.classes).map((each) => `class ${each}`);
  const samples = { n, total: 2 * n, labels, classes };
  const line = { color: "#ffffff", light: "#0072b2", dash: "solid" };
  const arms = ["one", "two"].map((name) => ({ name, ...line }));
  return m.drawnSpace(size(a.size), {
    ...{ comparison: "digits", stage, camera, time: 0, epoch: 5, selected: null, chosen: 0 },
    ...{ samples, arms, colour: "class", density: ["two"], facts: null, look: a.look, width: 900 },
  });
"""


@pytest.mark.parametrize("size", ["column", "slide"])
def test_panels_are_drawn_with_all_classes(run: Run, size: str) -> None:
    made = run(SPACE, {"n": 200, "classes": 40, "size": size, "look": LOOK})
    shown = texts(made["svg"])
    assert all(f"class {label}" in shown for label in range(40))
    assert {"one", "two", "Embedding space, epoch 5"} <= set(shown)
    assert "digits · PCA · seed 3 · 200 of 400 held-out samples" in " ".join(shown)
    root = ET.fromstring(made["svg"])
    panels = [panel for panel in root.iter(f"{NAME}svg") if panel is not root]
    assert len(panels) == 2
    for panel in panels:
        [points] = [group for group in panel if len(group) > 100]
        assert len(points) == 200
    assert LOOK["background"] not in made["svg"]


def test_very_many_points_are_an_image_within_the_drawing(run: Run) -> None:
    made = run(SPACE, {"n": 15_000, "classes": 3, "size": "page", "look": LOOK})
    assert made["svg"].count("data:image/png;base64,") == 3
    assert "class 2" in texts(made["svg"])
    assert len(made["svg"]) < 4_000_000
    many = run(SPACE, {"n": 300, "classes": 100, "size": "page", "look": LOOK})
    assert "and 41 more" in texts(many["svg"])


def test_a_menu_that_is_taken_away_while_it_is_open_follows_the_page_no_more(run: Run) -> None:
    code = """
      const following = new Set();
      const [add, remove] = [window.addEventListener, window.removeEventListener];
      window.addEventListener = (type, ...more) => {
        following.add(type);
        add.call(window, type, ...more);
      };
      window.removeEventListener = (type, ...more) => {
        following.delete(type);
        remove.call(window, type, ...more);
      };
      const parts = m.saveMenu(() => ({title: 'x', comparison: '', file: 'x'}), () => null);
      document.body.append(...parts);
      parts[0].click();
      const open = [...following];
      for (const part of parts) part.remove();
      dispatchEvent(new Event('scroll'));
      [window.addEventListener, window.removeEventListener] = [add, remove];
      return [open, [...following]];
    """
    assert run(code) == [["scroll"], []]
