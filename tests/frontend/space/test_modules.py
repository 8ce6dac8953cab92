"""The embedding panels' JavaScript functions, run in a real browser."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from frontend.ui.assets import Assets
from tests.support.browser import browser_page
from tests.support.serving import serving

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Evaluates JavaScript with a module's exports as `m` and an argument as `a`."""
    assets = Assets.load()

    async def blank(_request: object) -> HTMLResponse:
        return HTMLResponse("<!doctype html><title>modules</title>")

    app = Starlette(routes=[Route("/", blank), *assets.routes()])
    with serving(app) as url, browser_page() as page:
        page.goto(url)

        def evaluate(module: str, code: str, argument: Any = None) -> Any:
            load = f"const m = await import('{assets.module_url(f'{module}.js', 'space')}');"
            return page.evaluate(f"async (a) => {{ {load} {code} }}", argument)

        yield evaluate


def scattered(n: int = 400) -> tuple[list[float], list[float]]:
    points = np.random.default_rng(5).uniform(0, 300, (2, n)).round(3)
    return points[0].tolist(), points[1].tolist()


PLACES = "const x = Float32Array.from(a.x), y = Float32Array.from(a.y);"


def test_the_nearest_point_is_the_one_that_a_full_search_finds(run: Run) -> None:
    x, y = scattered()
    asked = [[px, py] for px in range(0, 300, 17) for py in range(0, 300, 23)]
    code = f"{PLACES} const g = new m.Grid(x, y, 300, 300);" + (
        "return a.asked.map(([px, py]) => g.nearest(px, py, 10));"
    )
    found = run("pick", code, {"x": x, "y": y, "asked": asked})
    expected = []
    for px, py in asked:
        away = [math.dist((px, py), point) for point in zip(x, y, strict=True)]
        best = int(np.argmin(away))
        expected.append(best if away[best] <= 10 else -1)
    assert found == expected
    assert -1 in found
    assert max(found) > 0


def test_a_point_outside_the_panel_is_not_found(run: Run) -> None:
    code = f"{PLACES} return new m.Grid(x, y, 300, 300).nearest(299, 150, 10);"
    assert run("pick", code, {"x": [302.0], "y": [150.0]}) == -1


def test_a_lasso_selects_the_points_inside_even_if_it_is_concave(run: Run) -> None:
    x, y = scattered()
    hollow = [[0, 0], [200, 0], [200, 200], [150, 200], [150, 50], [50, 50], [50, 200], [0, 200]]
    code = f"{PLACES} return m.inside(x, y, a.outline);"
    found = run("pick", code, {"x": x, "y": y, "outline": hollow})

    def within(px: float, py: float) -> bool:
        return px < 200 and py < 200 and not (50 < px < 150 and py > 50)

    expected = [i for i, point in enumerate(zip(x, y, strict=True)) if within(*point)]
    assert found == expected
    assert len(found) > 20


def test_arrow_keys_find_the_next_point_in_their_direction_or_stay(run: Run) -> None:
    places = {"x": [0.0, 10.0, 11.0, 0.0], "y": [0.0, 1.0, 40.0, 30.0]}
    code = f"{PLACES} return [[1, 0], [0, 1], [-1, 0]].map(([dx, dy]) => m.next(x, y, 0, dx, dy));"
    assert run("pick", code, places) == [1, 3, 0]


CAMERA = """
  const camera = new m.Camera();
  camera.fit({centre: a.centre, half: a.half});
  const out = {x: new Float32Array(a.n), y: new Float32Array(a.n), depth: new Float32Array(a.n)};
  const place = () => {
    camera.place(Float32Array.from(a.points), 400, 300, out);
    return [...out.x].map((x, i) => [x, out.y[i]]);
  };
"""


def test_the_box_of_all_points_fits_and_both_axes_have_one_scale(run: Run) -> None:
    argument = {"centre": [1, 2], "half": [2, 1], "n": 3, "points": [1, 2, 3, 2, 1, 3]}
    middle, right, top = run("camera", CAMERA + "return place();", argument)
    assert middle == [200, 150]
    assert right[0] - 200 == pytest.approx(180), "nine tenths of the width"
    assert 150 - top[1] == pytest.approx(90), "half as long as the other axis, and upwards"


def test_the_point_under_the_pointer_stays_while_zooming(run: Run) -> None:
    argument = {"centre": [0, 0], "half": [1, 1], "n": 2, "points": [0.5, 0.2, -0.3, 0.4]}
    code = (
        CAMERA
        + """
      const before = place();
      camera.zoomAt(3, before[0][0], before[0][1], 400, 300);
      const after = place();
      camera.pan(10, -5, 400, 300);
      return [before, after, place(), camera.origin(400, 300)];
    """
    )
    before, after, panned, origin = run("camera", code, argument)
    assert after[0] == pytest.approx(before[0], abs=1e-3)
    gap = [math.dist(*pair) for pair in (before, after)]
    assert gap[1] == pytest.approx(3 * gap[0], rel=1e-4)
    assert panned[1] == pytest.approx([after[1][0] + 10, after[1][1] - 5], abs=1e-3)
    scale = gap[1] / math.dist((0.5, 0.2), (-0.3, 0.4))
    assert panned[0] == pytest.approx([origin[0] + 0.5 * scale, origin[1] - 0.2 * scale], abs=1e-2)


def test_a_turned_cloud_keeps_its_middle_and_its_axes_stay_at_right_angles(run: Run) -> None:
    argument = {"centre": [0, 0, 0], "half": [1, 1, 1], "n": 1, "points": [0, 0, 0]}
    code = (
        CAMERA
        + """
      for (let step = 0; step < 50; step++) camera.rotate(7 * step % 11, 3);
      const tips = camera.tips();
      return [place()[0], tips];
    """
    )
    middle, tips = run("camera", code, argument)
    assert middle == [200, 150]
    across = np.array(tips).T
    np.testing.assert_allclose(across @ across.T, np.eye(2), atol=1e-9)


def test_fitting_an_epoch_fills_the_panel_with_its_box(run: Run) -> None:
    argument = {"centre": [0, 0], "half": [4, 4], "n": 2, "points": [1, 1, 2, 1]}
    code = CAMERA + "camera.frame({centre: [1, 1], half: [1, 1]}); return place();"
    middle, right = run("camera", code, argument)
    assert middle == [200, 150]
    assert right[0] == pytest.approx(200 + 135)


def test_the_box_is_around_all_arms_and_epochs(run: Run) -> None:
    clouds = [[0, 5, 1, 6], [-3, 4]]
    box = run("camera", "return m.boxOf(a.map((c) => Float32Array.from(c)), 2);", clouds)
    assert box == {"centre": [-1, 5], "half": [2, 1]}


STAGE = """
  const projection = {n: 2, dims: 2, epochs: [0, 5, 9], arms: ['x', 'y']};
  const stage = new m.Stage(projection, Float32Array.from(Array(24).keys()));
  const out = new Float32Array(4);
"""


def test_samples_move_straight_from_one_epoch_to_the_next(run: Run) -> None:
    code = STAGE + (
        "return a.map(([arm, time]) => { stage.at(arm, time, out); return [...out]; });"
    )
    found = run("stage", code, [["x", 0], ["x", 0.25], ["y", 2], ["y", 1.5]])
    assert found == [[0, 1, 2, 3], [1, 2, 3, 4], [20, 21, 22, 23], [18, 19, 20, 21]]


def test_coordinates_that_do_not_fit_are_refused(run: Run) -> None:
    code = (
        "try { new m.Stage({n: 2, dims: 3, epochs: [0], arms: ['x']}, new Float32Array(5)); }"
        "catch (error) { return error.message; }"
    )
    assert run("stage", code) == "5 coordinates came where 6 were due"


def test_the_address_keeps_the_choices_and_its_other_parameters(run: Run) -> None:
    there = "?id=c1&x=time&space-seed=2&space-method=tsne&space-dims=3&space-colour=distance"
    there += "&space-epoch=0&space-sample=7&space-arms=a%26b&space-arms=c"
    there += "&space-density=c&space-tuples=suspects&space-pair=c&space-pair=a%26b"
    choices = run("choices", "return m.parseChoices(a)", there)
    assert choices == {
        "seed": 2,
        "method": "tsne",
        "dims": 3,
        "colour": "distance",
        "epoch": 0,
        "sample": 7,
        "arms": ["a&b", "c"],
        "density": ["c"],
        "tuples": "suspects",
        "pair": ["c", "a&b"],
    }
    code = "return m.formatChoices('?id=c1&x=time&space-epoch=4', a)"
    assert run("choices", code, choices) == there
    assert run("choices", "return m.formatChoices('?space-dims=3', m.DEFAULTS)") == ""


@pytest.mark.parametrize("search", ["", "?space-dims=4&space-method=umap&space-epoch=-1"])
def test_an_address_without_sense_is_the_default(run: Run, search: str) -> None:
    defaults = run("choices", "return m.DEFAULTS")
    assert run("choices", "return m.parseChoices(a)", search) == defaults


def test_sixty_classes_differ_in_hue_or_sign(run: Run) -> None:
    code = "return [...Array(60).keys()].map((g) => JSON.stringify(m.groupStyle(g, a)))"
    for dark in (False, True):
        assert len(set(run("colouring", code, dark))) == 60
    ten = run("colouring", "return [...Array(10).keys()].map((g) => m.groupStyle(g, false))")
    assert {style["shape"] for style in ten} == {"disc"}


def test_wrong_samples_are_crosses_above_the_others(run: Run) -> None:
    code = "const c = m.byCorrect(a, false);" + (
        "return [[...c.index].map((at) => c.styles[at].shape), [...c.above]];"
    )
    assert run("colouring", code, [1, 0, None]) == [["disc", "cross", "diamond"], [0, 1, 0]]


def test_distances_of_all_arms_share_a_scale_that_outliers_do_not_stretch(run: Run) -> None:
    near = [place / 100 for place in range(100)]
    assert run("colouring", "return m.spanOf(a)", [near, [50.0]]) == [0, 0.98]
    code = "return [...m.byDistance(a, [0, 1]).index]"
    found = run("colouring", code, [0, 0.5, 1, 7])
    assert found[0] == 0
    assert found[2] == found[3] == max(found)
    assert found[0] < found[1] < found[2]


def test_a_stamp_covers_its_middle_and_is_cut_off_at_the_edge(run: Run) -> None:
    code = """
      const made = m.stamp('disc', 3, [200, 100, 50], [0, 0, 0], 0.8, 1);
      const pixels = new Uint32Array(20 * 20).fill(m.pixel([255, 255, 255]));
      m.press(pixels, 20, 20, made, 10, 10);
      m.press(pixels, 20, 20, made, -1, 0);
      m.press(pixels, 20, 20, made, 19, 25);
      const bytes = new Uint8Array(pixels.buffer);
      const at = (x, y) => [...bytes.slice(4 * (20 * y + x), 4 * (20 * y + x) + 4)];
      return [at(10, 10), at(0, 0), at(15, 10), at(13, 10), at(19, 3)];
    """
    middle, corner, outside, edge, wrapped = run("stamps", code)
    assert middle == [200, 100, 50, 255]
    assert corner == middle, "what reaches in from beyond the edge is drawn"
    assert outside == wrapped == [255, 255, 255, 255]
    assert edge[3] == 255
    assert max(edge[:3]) < 255


@pytest.mark.parametrize(("radius", "size"), [(1.0, 3), (1.9, 5), (4.5, 9)])
def test_a_stamp_has_no_empty_rim(run: Run, radius: float, size: int) -> None:
    """Each of a hundred thousand points costs the time of all its pixels."""
    stamp = "m.stamp('disc', radius, [200, 100, 50], [0, 0, 0], 0.2 * radius, 1)"
    rim = "[...made.rest].filter((_, at) => Math.floor(at / made.size) === 0)"
    code = f"const [radius] = a; const made = {stamp}; return [made.size, Math.min(...{rim})]"
    found, clearest = run("stamps", code, [radius])
    assert found == size
    assert clearest < 256


def test_chosen_points_lie_over_wrong_ones_and_these_over_the_rest(run: Run) -> None:
    code = """
      const places = {x: new Float32Array(4), depth: Float32Array.from([0.5, -0.5, 0, 0.9])};
      const colouring = {above: Uint8Array.from([0, 1, 0, 0])};
      return [
        [...m.drawingOrder(places, colouring, null, true)],
        [...m.drawingOrder(places, colouring, Uint8Array.from([1, 0, 0, 0]), true)],
        [...m.drawingOrder(places, colouring, null, false)],
      ];
    """
    assert run("canvas", code) == [[0, 2, 3, 1], [2, 3, 1, 0], [1, 2, 0, 3]]


def test_the_scale_is_a_round_number_of_enough_pixels(run: Run) -> None:
    found = run("overlay", "return a.map(m.roundLength)", [1, 37, 0.002, 4100])
    assert [each["value"] for each in found] == pytest.approx([100, 2, 50_000, 0.02])
    assert all(60 <= each["pixels"] < 150.1 for each in found)


def test_a_selection_names_its_classes_the_most_frequent_first(run: Run) -> None:
    samples = {"n": 2000, "labels": [0, 1, 1, 2], "classes": ["cat", "dog"], "ids": [0, 1, 2, 3]}
    code = "return [m.selectedText(a, [0, 1, 2, 3]), m.selectedText(a, [0])]"
    assert run("selection", code, samples) == [
        "4 of 2,000 selected: dog: 2, cat: 1, class 2: 1",
        "1 of 2,000 selected: cat: 1",
    ]


def test_the_worst_queries_come_first_and_those_without_a_precision_never(run: Run) -> None:
    code = "return m.worst(a, 3)"
    assert run("inside", code, [0.5, None, 0.1, 0.9, 0.1]) == [2, 4, 0]


def test_only_epochs_that_all_arms_have_are_new(run: Run) -> None:
    runs = [{"epochs": [0, 1, 2]}, {"epochs": []}, {"epochs": [0, 2, 3]}]
    assert run("main", "return m.commonEpochs(a)", runs) == [0, 2]
    assert run("main", "return m.commonEpochs([])") == []


def test_a_colour_that_the_data_lack_gives_way_to_the_class(run: Run) -> None:
    samples = {"fine": None, "modality": [0, 1]}
    code = "return ['fine', 'modality', 'distance'].map((by) => m.possible(by, a))"
    assert run("encoding", code, samples) == ["class", "modality", "distance"]


def test_the_legend_has_class_names_that_are_numbers_in_their_order(run: Run) -> None:
    samples = {"labels": [0, 1, 2, 1], "classes": ["1", "10", "2"], "n": 4}
    code = """
        const seen = [];
        const drawn = m.legend("class", a, [0, 1], false, (labels, group) => seen.push(group));
        for (const entry of drawn.children) entry.click();
        return [[...drawn.children].map((entry) => entry.textContent), seen];
    """
    assert run("legend", code, samples) == [["1", "2", "10"], [0, 2, 1]]


def test_suggestions_are_classes_by_name_then_samples_by_id(run: Run) -> None:
    samples = {
        "classes": ["10", "1", "cat", "wild cat"],
        "labels": [0, 1, 1, 2, 3],
        "ids": [7, 12, 1, 104, 31],
        "modality": [0, 0, 1, 1, 1],
        "modalities": ["audio", "visual"],
    }
    code = "return m.suggestions(a.samples, a.text, 4).map((one) => [one.kind, one.at, one.more]);"

    def found(text: str) -> Any:
        return run("search", code, {"samples": samples, "text": text})

    assert found(" Cat") == [["class", 2, "1 sample"], ["class", 3, "1 sample"]]
    assert found("1") == [
        ["class", 1, "2 samples"],
        ["class", 0, "1 sample"],
        ["sample", 2, "1, visual"],
        ["sample", 1, "1, audio"],
    ]
    assert found("sample 104") == [["sample", 3, "cat, visual"]]
    assert found("") == found("dog") == []


def test_the_density_is_the_points_spread_over_cells_around(run: Run) -> None:
    places = {"x": [150.0, 151.0, 63.0, -5.0], "y": [150.0, 150.0, 63.0, 3.0]}
    code = f"{PLACES} const d = m.densityOf(x, y, 300, 300);" + (
        "return { values: [...d.values], columns: d.columns, rows: d.rows, most: d.most };"
    )
    found = run("density", code, places)
    values = np.array(found["values"]).reshape(found["rows"], found["columns"])
    assert values.sum() == pytest.approx(3, rel=1e-4), "the one outside does not count"
    assert values[25, 25] == values.max() == pytest.approx(found["most"])
    assert values[25, 25] == pytest.approx(2 * values[10, 10], rel=0.01)
    assert values[25, 18] == 0 < values[25, 20]
    np.testing.assert_allclose(values[25, 20:31], values[25, 30:19:-1], rtol=1e-4)


def test_an_answer_to_cancel_that_comes_after_another_question_counts_no_more(run: Run) -> None:
    code = """
      const told = [];
      let answer;
      const source = {
        cancel: () => new Promise((done) => { answer = done; }),
        projection: async ({ method }) => ({ method, state: 'failed', coordinates: null }),
      };
      const note = ({ method, state }) => told.push(`${method} ${state}`);
      const projecting = new m.Projecting(source, () => true, { state: note });
      projecting.cancel({ method: 'tsne' });
      projecting.start({ method: 'pca' });
      answer({ method: 'tsne', state: 'cancelled', coordinates: null });
      await new Promise((done) => setTimeout(done));
      return told;
    """
    assert run("polling", code) == ["pca failed"]


def test_classes_that_moved_between_other_arms_are_not_shown(run: Run) -> None:
    code = """
      const moved = new m.MovedClasses({});
      const found = { epoch: 1, a: 'x', b: 'y', k: 10, kept: 0.5, chance: 0.1, cka: 1,
                      cka_biased: 1, among: 9, classes: [{ label: 0, n: 9, kept: 0.5 }] };
      const samples = { classes: ['zero'], labels: [0] };
      return [['x', 'y'], ['x', 'z']].map((pair) => {
        moved.draw({ samples, dark: false, arms: ['x', 'y', 'z'], pair, found, trouble: '' });
        const [text, rows] = ['text', 'classes'].map((part) =>
          moved.element.querySelector(`[data-testid=space-moved-${part}]`));
        return [text.textContent.slice(0, 9), rows.hidden];
      });
    """
    assert run("moved", code) == [["Share of ", False], ["Comparing", True]]


def test_only_the_last_coordinates_are_kept(run: Run) -> None:
    code = """
      const asked = [];
      const usual = window.fetch;
      window.fetch = async (url) => {
        asked.push(url.at(-1));
        return new Response(new ArrayBuffer(8));
      };
      const source = new m.Source('c');
      for (const at of '001234561') await source.coordinates(`/at${at}`);
      await source.coordinates('/at0');
      window.fetch = usual;
      return asked.join('');
    """
    assert run("source", code) == "01234560", "a seventh takes the place of the first"


def test_texts_stand_in_the_place_of_pictures_shortened_and_as_text(run: Run) -> None:
    samples = {
        "texts": ["x " * 119 + "end", "<b>bold</b> & brief"],
        "classes": ["cat"],
        "labels": [0, 0],
        "fine": [1, -1],
        "fine_names": ["asks", "tells"],
        "ids": [4, 7],
    }
    code = """
        const shown = (sample, side) => m.picture(a, sample, side, false);
        const html = shown(1, 52);
        return { lengths: [96, 52, 40].map((side) => shown(0, side).textContent.length),
                 end: shown(0, 40).textContent.at(-1), inner: html.innerHTML, name: html.className,
                 words: m.wordsOf(a, 1), bare: m.wordsOf({ ...a, texts: null }, 1) };
    """
    found = run("picture", code, samples)
    assert found["end"] == "…"
    assert all(own <= most for own, most in zip(found["lengths"], (200, 110, 72), strict=True))
    assert sorted(found["lengths"], reverse=True) == found["lengths"]
    assert (found["inner"], found["name"]) == (
        "&lt;b&gt;bold&lt;/b&gt; &amp; brief",
        "lb-sp-sentence",
    )
    assert (found["words"], found["bare"]) == ("“<b>bold</b> & brief” (cat)", "cat")
    about = "return [0, 1].map((sample) => m.aboutText(a, sample));"
    assert run("inside", about, samples) == ["sample 4 · tells", "sample 7"]
