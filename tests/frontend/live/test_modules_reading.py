"""What is read off the charts: zoom, values at a place, labels at the ends of lines."""

from itertools import pairwise
from typing import Any

import pytest

from frontend.ui.assets import Assets
from tests.frontend.live.test_modules import Run, run

__all__ = ["run"]

FOLDER = Assets.load().main_url.rsplit("/", 1)[0]


def test_an_address_keeps_the_zoom_and_leaves_out_what_makes_no_sense(run: Run) -> None:
    code = "return m.parseZoom(a)"
    there = ["x:120~480", "dynamics.loss:0.1~0.5", "geometry.uniformity:-3.5~-1e-3"]
    zoom = run("zoom", code, there)
    assert zoom == {
        "x": [120, 480],
        "y": {"dynamics.loss": [0.1, 0.5], "geometry.uniformity": [-3.5, -0.001]},
    }
    assert run("zoom", "return m.formatZoom(a)", zoom)[:2] == there[:2]
    wrong = ["", "x", "x:1", "x:5~1", "x:a~b", "x:~3", "x:1~Infinity", "<b>:1~2"]
    assert run("zoom", code, wrong) == {"x": None, "y": {}}
    long = run("zoom", "return m.formatZoom(a)", {"x": [120.123456, 480.98765], "y": {}})
    assert long == ["x:120.1~481"], "rounded to a part of the range that cannot be seen"
    tiny = run("zoom", "return m.formatZoom(a)", {"x": None, "y": {"k": [1.0001234, 1.0001299]}})
    assert tiny == ["k:1.0001234~1.0001299"]


@pytest.mark.parametrize(
    ("update", "logarithmic", "expected"),
    [
        ({"xaxis.range[0]": 10, "xaxis.range[1]": 20}, False, {"x": [10, 20], "y": {"k": [1, 2]}}),
        ({"xaxis.range": [3, 4]}, False, {"x": [3, 4], "y": {"k": [1, 2]}}),
        ({"yaxis.range[0]": -1, "yaxis.range[1]": 2}, True, {"x": [0, 9], "y": {"k": [0.1, 100]}}),
        ({"xaxis.autorange": True, "yaxis.autorange": True}, False, {"x": None, "y": {}}),
        ({"yaxis.autorange": True}, True, {"x": [0, 9], "y": {}}),
        ({"width": 300}, False, {"x": [0, 9], "y": {"k": [1, 2]}}),
    ],
)
def test_a_drag_changes_the_common_range_of_x_and_the_panels_own_of_y(
    run: Run, update: dict[str, Any], logarithmic: bool, expected: dict[str, Any]
) -> None:
    zoom = {"x": [0, 9], "y": {"k": [1, 2], "other": [5, 6]}}
    argument = {"zoom": zoom, "update": update, "log": logarithmic}
    found = run("zoom", "return m.zoomedBy(a.zoom, 'k', a.update, a.log)", argument)
    assert found["x"] == expected["x"]
    assert found["y"].keys() == {*expected["y"], "other"}
    for key, values in expected["y"].items():
        assert found["y"][key] == pytest.approx(values)


def test_a_range_of_x_alone_shows_the_lines_in_it_from_end_to_end(run: Run) -> None:
    code = """
      const figure = await import(a + '/figure.js');
      const line = (x, y) => [{visible: true, x, y}];
      const drawn = line([0, 10, 20, 30], [8, 4, 2, 1]);
      const zoom = {x: [9, 21], y: {}};
      const shown = (zoom) => figure.extent(drawn, zoom.x);
      const none = {x: [11, 12], y: {}};
      return [m.rangesOf(zoom, 'k', false, shown(zoom)), m.rangesOf(zoom, 'k', true, shown(zoom)),
              m.rangesOf(m.WHOLE, 'k', false, shown(m.WHOLE)), shown(none).lines,
              m.rangesOf({x: null, y: {k: [0, 100]}}, 'k', true, shown(m.WHOLE)).y];
    """
    linear, logarithmic, whole, none, from_zero = run("zoom", code, FOLDER)
    assert linear["x"] == [9, 21]
    assert linear["y"] == pytest.approx([2 - 0.24, 4 + 0.24])
    assert logarithmic["y"] == pytest.approx([0.301 - 0.036, 0.602 + 0.036], abs=1e-3)
    assert whole == {"x": None, "y": None}
    assert none == [1, 8], "without a point in it the axis shows all"
    assert from_zero == pytest.approx([0, 2]), "a logarithmic axis begins at the lowest line"


@pytest.mark.parametrize(
    ("at", "found"),
    [(0, 0), (4, 0), (6, 1), (10, 1), (29, 2), (50, 2), (51, -1), (-10, 0), (-11, -1)],
)
def test_the_nearest_point_is_no_farther_than_points_are_apart(
    run: Run, at: float, found: int
) -> None:
    assert run("lookup", "return m.nearest([0, 10, 30], a)", at) == found


def test_values_are_those_at_one_place_and_gaps_have_none(run: Run) -> None:
    code = """
      const lines = [{x: [0, 10, 20], y: [1, 2, 3]}, {x: [0, 10], y: [5, NaN]}, {x: [], y: []}];
      const place = m.nearestPlace(lines, 11);
      return [place, m.valuesAt(lines, place), m.valuesAt(lines, 20),
              m.nearestPlace([lines[2]], 3) ?? null, m.endValue(lines, 0, 20),
              m.endValue(lines, 0, 9), m.endValue(lines, 12, 15) ?? null];
    """
    assert run("lookup", code) == [10, [2], [3], None, (3 + 5) / 2, (1 + 5) / 2, None]


@pytest.mark.parametrize(
    "wanted",
    [[50.0], [10, 11, 12], [0, 0, 0, 90], [95, 99, 100], [20, 25, 60, 61, 62, 99], [6] * 8],
)
def test_labels_never_overlap_and_stay_inside(run: Run, wanted: list[float]) -> None:
    places = run("labels", "return m.placed(a, 100, 12)", sorted(wanted))
    assert len(places) == len(wanted)
    assert all(after - before > 11.99 for before, after in pairwise(places))
    assert places[0] >= 6
    assert places[-1] <= 94
    if len(wanted) == 1:
        assert places == wanted, "one that has room stays at its line's end"


def test_labels_stand_where_there_is_room_and_else_the_legend_does(run: Run) -> None:
    def planned(arms: int, width: int, height: int = 188) -> Any:
        names = [f"arm {at}, with a name that goes on and on" for at in range(arms)]
        code = """
          const plan = m.planned(a.names.map((name) => ({name})), a.width, a.height, 'sans-serif');
          return plan && {room: plan.room, names: [...plan.names.values()]};
        """
        return run("labels", code, {"names": names, "width": width, "height": height})

    seven = planned(7, 420)
    assert len(set(seven["names"])) == 7
    assert seven["room"] < 0.3 * 420
    assert planned(16, 420) is None, "higher than the chart"
    assert planned(16, 420, 392) is not None, "a panel as wide as the page is higher too"
    assert planned(7, 250) is None
    assert planned(1, 420) is None, "one arm needs no name"


POINT = """
  const [{ Panel }, { Table }, { loadPlotly }] = await Promise.all(
    ['panel', 'store', 'look'].map((name) => import(`${a.folder}/${name}.js`)));
  const plotly = await loadPlotly(a.plotly);
  let reacts = 0;
  const counting = {...plotly, react: (...all) => { reacts += 1; return plotly.react(...all); }};
  const names = [...Array(14).keys()].map((at) => `arm ${at}`);
  const arms = names.map((name) => ({name, color: '#0072b2', dash: 'solid'}));
  const runs = names.map((arm) => ({id: arm, arm, seed: 0, steps_per_epoch: 100}));
  const look = {background: '#fff', text: '#000', muted: '#555', grid: '#ddd', font: 'sans-serif'};
  const options = {x: 'step', seeds: 'mean', smooth: 0, log: [], hide: ['arm 13'], wide: [],
                   pin: [], zoom: {x: null, y: {}}};
  const steps = (gap) => [...Array(10000 / gap + 1).keys()].map((at) => at * gap);
  const panels = [];
  for (const [key, gap] of [['dynamics.loss', 1], ['dynamics.norm', 1], ['geometry.rank', 500]]) {
    const table = new Table();
    names.forEach((name, at) => {
      const own = steps(gap).filter((step) => name !== 'arm 1' || step <= 5000);
      table.append(name, own, own.map((step) => step + at / 100));
    });
    const metric = {key, label: key, unit: '', meaning: '', better: null, log: false};
    const panel = new Panel(counting, metric, {});
    panel.width = 500;
    document.body.append(panel.element);
    await panel.draw(table, {arms, runs, options, look, clock: undefined}, '');
    panels.push(panel);
  }
  const values = () => panels.map(({ reading }) => Object.fromEntries(
    [...reading.values.children].map((chip) =>
      [chip.title, chip.querySelector('b').textContent + ('marked' in chip.dataset ? ' *' : '')])));
  const said = () => panels.map(({ reading }) => reading.axis.textContent);
  const before = {reacts, values: values(), said: said()};
  let inSight = panels;
  const crosshair = new m.Crosshair(() => inSight);
  panels.forEach((panel) => crosshair.watch(panel));
  const plot = panels[0].reading.plot;
  const box = plot.getBoundingClientRect();
  const {_offset, _length} = panels[0].element.querySelector('.lb-chart')._fullLayout.xaxis;
  plot.dispatchEvent(new PointerEvent('pointermove',
    {clientX: box.left + _offset + 0.72 * _length, clientY: box.top + 60}));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const pointed = {values: values(), said: said(),
    crosses: panels.map(({ element }) => !element.querySelector('.lb-cross').hidden)};
  inSight = []; // another tab is shown
  plot.dispatchEvent(new PointerEvent('pointerleave'));
  inSight = panels;
  const left = {values: values(), said: said()};
  const at = {clientX: box.left + _offset + 0.16 * _length, clientY: box.top + 60};
  for (const type of ['pointerdown', 'pointerup', 'pointerleave']) {
    plot.dispatchEvent(new PointerEvent(type, {pointerType: 'touch', ...at}));
  }
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const touched = said();
  plot.blur();
  touched.push(said()[0]);
  plot.dispatchEvent(new KeyboardEvent('keydown', {key: 'Home'}));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const pressed = {said: said(), told: plot.getAttribute('aria-valuetext').slice(0, 24)};
  return {before, pointed, left, touched, pressed, redrawn: reacts - before.reacts};
"""


def test_pointing_at_one_panel_tells_the_values_of_all_arms_in_all_panels(run: Run) -> None:
    assets = Assets.load()
    found = run("crosshair", POINT, {"folder": FOLDER, "plotly": assets.plotly_url})
    before, pointed, left = found["before"], found["pointed"], found["left"]
    assert before["said"] == ["step"] * 3
    assert before["values"][2]["arm 3"] == "10000", "the newest value"
    assert pointed["crosses"] == [True] * 3
    assert pointed["said"] == ["step 7,200", "step 7,200", "step 7,000"]
    for values, step in zip(pointed["values"], (7200, 7200, 7000), strict=True):
        assert values.keys() == {f"arm {at}" for at in range(13)}, "the last one is hidden"
        assert values["arm 1"] == "–", "it had ended before"
        assert int(values["arm 3"]) == pytest.approx(step, abs=10), "the mean of its bucket"
    assert sum("*" in text for text in pointed["values"][1].values()) == 1, "the line pointed at"
    assert left == {"values": before["values"], "said": before["said"]}
    stays = "what a finger has touched stays until it touches elsewhere"
    assert found["touched"] == ["step 1,600", "step 1,600", "step 1,500", "step"], stays
    assert found["pressed"]["said"][0] == "step 0"
    assert found["pressed"]["told"].startswith("step 0: arm 0")
    assert found["redrawn"] == 0, "no chart is drawn anew for it"


SEEDS = """
  const chart = Object.assign(document.createElement('div'), {_fullLayout:
    {xaxis: {range: [0, 10]}, yaxis: {type: 'linear', range: [0, 1]}}});
  const reading = new m.Reading(chart, 'Loss', document.createElement('p'));
  const arms = [{name: 'x', color: '#000000', dash: 'solid'}];
  const told = (values, smoothed) => {
    const lines = values.map((value) => ({meta: 'x', visible: true, x: [0, 10], y: [1, value]}));
    reading.take(lines, {arms, newest: new Map(), axis: 'step', smoothed,
                         width: 300, height: 216, font: 'sans-serif'});
    reading.redraw();
    reading.showAt(9);
    return [reading.values.querySelector('b').textContent, reading.axis.textContent];
  };
  const found = [told([0.5, 0.2, 0.9, 0.4], true), told([0.5, 0.2, 0.9], false)];
  reading.showAt(null);
  return [...found, reading.plot.getAttribute('aria-valuetext')];
"""


def test_many_seeds_are_told_by_the_lowest_and_the_highest_and_smoothing_is_named(run: Run) -> None:
    many, few, at_rest = run("reading", SEEDS)
    assert many == ["0.200 … 0.900", "step 10 · smoothed"]
    assert few == ["0.500 0.200 0.900", "step 10"]
    assert at_rest is None, "nothing is said of a place that is not pointed at any more"


def test_the_keyboard_keeps_its_place_when_the_zoom_is_reset(run: Run) -> None:
    code = """
      const {WHOLE} = await import(a + '/zoom.js');
      const options = {x: 'step', seeds: 'mean', smooth: 0.8, hide: [], zoom: {x: [1, 2], y: {}}};
      const toolbar = new m.Toolbar(({zoom}) => toolbar.draw([], {...options, zoom}));
      document.body.replaceChildren(toolbar.element);
      toolbar.draw([], options);
      const button = toolbar.element.querySelector('[data-testid=zoom-out]');
      button.focus();
      button.click();
      return [button.isConnected, document.activeElement.dataset.testid];
    """
    assert run("toolbar", code, FOLDER) == [False, "smooth"]


def test_a_panel_that_comes_into_sight_during_a_redraw_is_drawn(run: Run) -> None:
    code = """
      const asked = [];
      await new Promise((done) => {
        const painter = new m.Painter(async (keys) => {
          asked.push([...keys]);
          if (asked.length > 1) return done() ?? new Set();
          await null;
          painter.mark(['below']); // it is seen now
          setTimeout(done, 2000);
          return new Set(['below']); // it was not
        });
        painter.mark(['first', 'below']);
      });
      return asked;
    """
    assert run("painter", code) == [["first", "below"], ["below"]]
