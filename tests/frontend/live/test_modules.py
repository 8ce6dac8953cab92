"""The live component's JavaScript functions, run in a real browser."""

import math
import statistics
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scipy import stats
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
    folder = assets.main_url.rsplit("/", 1)[0]
    with serving(app) as url, browser_page() as page:
        page.goto(url)

        def evaluate(module: str, code: str, argument: Any = None) -> Any:
            load = f"const m = await import('{folder}/{module}.js');"
            return page.evaluate(f"async (a) => {{ {load} {code} }}", argument)

        yield evaluate


def test_the_interval_over_seeds_is_students(run: Run) -> None:
    seeds = [[1.0, 2.0, 4.0, 3.0], [1.5, 2.5, 5.0], [2.5, 2.0]]
    lines = [{"steps": list(range(len(values))), "values": values} for values in seeds]
    band = run("stats", "return m.meanBand(a)", lines)
    assert band["steps"] == [0, 1, 2, 3]
    assert band["count"] == [3, 3, 2, 1]
    for step in (0, 1):
        values = [values[step] for values in seeds]
        half = stats.t.ppf(0.975, 2) * statistics.stdev(values) / math.sqrt(3)
        assert band["mean"][step] == pytest.approx(statistics.mean(values))
        assert band["half"][step] == pytest.approx(half, rel=1e-3)
    assert all(math.isnan(half) for half in band["half"][2:]), "two seeds have no interval"


def test_every_seed_counts_between_its_points_and_a_gap_stays_one(run: Run) -> None:
    code = """
      return m.meanBand([{steps: [0, 10, 20], values: [0, 10, 20]},
                         {steps: [0, 5, 20], values: [2, 7, 22]},
                         {steps: [0, 10, 15], values: [1, NaN, 9]}]);
    """
    band = run("stats", code)
    assert band["steps"] == [0, 5, 10, 15, 20]
    assert band["mean"] == pytest.approx([1, 6, 11, (15 + 17 + 9) / 3, 21])
    assert band["count"] == [3, 2, 2, 3, 2]


def test_t_quantiles_agree_with_scipy(run: Run) -> None:
    degrees = [1, 2, 3, 5, 10, 30, 31, 60, 99]
    found = run("stats", "return a.map(m.tQuantile)", degrees)
    assert found == pytest.approx([stats.t.ppf(0.975, d) for d in degrees], rel=2e-3)


def test_smoothing_is_a_debiased_average_that_counts_points(run: Run) -> None:
    values = [3.0, 1.0, 4.0, 1.0, 5.0]
    found = run("stats", "return m.smoothed(a, a.map(() => 1), 0.8)", values)
    expected = []
    for end in range(1, 6):
        weights = [0.8 ** (end - 1 - i) for i in range(end)]
        weighted = sum(w * v for w, v in zip(weights, values, strict=False))
        expected.append(weighted / sum(weights))
    assert found == pytest.approx(expected)
    assert run("stats", "return m.smoothed(a, [1], 0.99)", [7.0]) == [7.0]
    assert run("stats", "return m.smoothed(a, [1, 1], 0)", [7.0, 8.0]) == [7.0, 8.0]
    gap = run("stats", "return m.smoothed([1, NaN, 3], [1, 1, 1], 0.5).map(Number.isNaN)")
    assert gap == [False, True, False]
    wide = run("stats", "return m.smoothed([1, 5], [4, 4], 0.5)")
    assert wide[1] == pytest.approx((0.5**4 * 1 + 5) / (0.5**4 + 1))


def test_points_come_once_and_a_table_has_a_bound(run: Run) -> None:
    code = """
      const t = new m.Table();
      const steps = [...Array(20000).keys()];
      t.append("r", steps, steps);
      t.append("r", [5, 19999, 20000], [-9, -9, 20000]);
      const {steps: s, mean, min, max, count} = t.track("r");
      return {width: t.width, size: s.length, last: t.last, starts: s.slice(0, 3),
              aligned: s.every(step => step % t.width === 0), mean: mean[1], min: min[1],
              max: max[1], points: count.reduce((x, y) => x + y), limit: m.LIMIT};
    """
    found = run("store", code)
    assert found["width"] == 32
    assert found["size"] <= found["limit"]
    assert found["aligned"]
    assert found["starts"] == [0, 32, 64]
    assert (found["min"], found["mean"], found["max"]) == (32, 47.5, 63)
    assert found["points"] == 20001, "each step once, whatever came twice"
    assert found["last"] == 20000


def test_thinned_history_and_new_points_meet_in_one_bucket(run: Run) -> None:
    code = """
      const t = new m.Table();
      t.load({run: "r", key: "k", total: 10, steps: [0, 4, 8], values: [1, 2, 3],
              min: [0, 1, 3], max: [2, 3, 3]});
      t.append("r", [9, 10, 11, 12], [3, 5, 7, 9]);
      const {steps, mean, min, max} = t.track("r");
      return {width: t.width, steps, mean, min, max, last: t.last};
    """
    found = run("store", code)
    assert found["width"] == 4
    assert found["steps"] == [0, 4, 8, 12]
    assert found["max"] == [2, 3, 7, 9]
    assert found["last"] == 12


def test_seeds_of_a_table_share_their_buckets(run: Run) -> None:
    code = """
      const t = new m.Table();
      t.append("short", [0, 1, 2, 3], [1, 1, 1, 1]);
      const steps = [...Array(3000).keys()];
      t.append("long", steps, steps);
      return [t.width, t.track("short").steps, t.track("short").count];
    """
    assert run("store", code) == [4, [0], [4]]


def test_a_new_attempt_cuts_exactly_or_says_that_it_cannot(run: Run) -> None:
    code = """
      const t = new m.Table();
      t.append("r", [0, 1, 2, 3], [1, 2, 3, 4]);
      const exact = t.drop("r", 1);
      const kept = [...t.track("r").steps];
      t.append("r", [2], [9]);
      const wide = new m.Table();
      wide.load({run: "r", key: "k", total: 8, steps: [0, 4], values: [1, 2], min: [0, 1],
                 max: [2, 3]});
      return [exact, kept, t.track("r").mean, wide.drop("r", 0), wide.drop("unknown", 0)];
    """
    assert run("store", code) == [True, [0, 1], [1, 2, 9], False, True]


def test_values_that_are_not_finite_leave_a_gap(run: Run) -> None:
    code = """
      const t = new m.Table();
      t.append("r", [0, 1, 2], [1, null, 3]);
      return [t.track("r").mean.map(Number.isNaN), t.last];
    """
    assert run("store", code) == [[False, True, False], 2]


def test_time_is_read_between_its_points(run: Run) -> None:
    code = "return a.map((step) => m.valueAt({steps: [10, 20], mean: [1, 3]}, step))"
    assert run("store", code, [0, 10, 15, 20, 99]) == [0, 1, 2, 3, 3]


def test_events_are_read_from_pieces_of_any_size(run: Run) -> None:
    text = ': ping\r\n\r\nid: 4-1\nevent: points\ndata: {"a":\ndata: 1}\n\ndata: x\n\nevent: cut'
    code = """
      const parser = new m.EventParser();
      const events = [];
      for (let i = 0; i < a.text.length; i += a.size) {
        events.push(...parser.push(a.text.slice(i, i + a.size)));
      }
      return events;
    """
    whole = [
        {"event": "points", "data": '{"a":\n1}', "id": "4-1"},
        {"event": "message", "data": "x", "id": "4-1"},
    ]
    for size in (1, 3, 7, 1000):
        assert run("sse", code, {"text": text, "size": size}) == whole


def test_the_address_keeps_the_options_and_its_other_parameters(run: Run) -> None:
    there = (
        "?id=c1&x=time&seeds=each&smooth=0.95&log=dynamics.loss&hide=a%26b&hide=c"
        "&wide=dynamics.loss&pin=geometry.uniformity&zoom=x%3A120%7E480"
    )
    options = run("options", "return m.parseOptions(a)", there)
    assert options == {
        "x": "time",
        "seeds": "each",
        "smooth": 0.95,
        "log": ["dynamics.loss"],
        "hide": ["a&b", "c"],
        "wide": ["dynamics.loss"],
        "pin": ["geometry.uniformity"],
        "zoom": {"x": [120, 480], "y": {}},
    }
    code = "return m.formatOptions('?id=c1&x=epoch&hide=z', a)"
    assert run("options", code, options) == there
    assert run("options", "return m.formatOptions('?id=c1&x=time', m.DEFAULTS)") == "?id=c1"


@pytest.mark.parametrize("search", ["", "?x=year&seeds=all&smooth=2", "?smooth=abc&smooth="])
def test_an_address_without_sense_is_the_default(run: Run, search: str) -> None:
    assert run("options", "return m.parseOptions(a)", search) == run("options", "return m.DEFAULTS")


FIGURE = """
  const store = await import(a.folder + '/store.js');
  const t = new store.Table();
  for (const [run, values] of Object.entries(a.values)) t.append(run, [...values.keys()], values);
  const arms = [{name: 'x', color: '#0072b2', dash: 'solid'},
                {name: 'y', color: '#d55e00', dash: 'dash'}];
  const runs = Object.keys(a.values).map((id) =>
    ({id, arm: id[0], seed: Number(id[1]), steps_per_epoch: 2}));
  return m.traces(t, a.clock && t, arms, runs, {...a.options}, true);
"""


@pytest.fixture
def draw(run: Run) -> Callable[..., list[dict[str, Any]]]:
    folder = Assets.load().main_url.rsplit("/", 1)[0]

    def drawn(**options: Any) -> list[dict[str, Any]]:
        chosen = {"x": "step", "seeds": "mean", "smooth": 0.0, "log": [], "hide": [], **options}
        values = {"x0": [1, 2, 3, 4], "x1": [3, 4, 5], "y0": [9, 9, 9], "y1": [7, 7, 7]}
        argument = {"folder": folder, "values": values, "options": chosen, "clock": True}
        found: list[dict[str, Any]] = run("figure", FIGURE, argument)
        return found

    return drawn


def test_hiding_an_arm_changes_no_other_arms_mean(
    draw: Callable[..., list[dict[str, Any]]],
) -> None:
    both, alone = draw(), draw(hide=["x"])
    assert [trace["visible"] for trace in alone] == [False] * 3 + [True] * 3
    assert [trace["y"] for trace in both] == [trace["y"] for trace in alone]
    assert both[2]["y"] == [2, 3, 4, 4], "the mean of the seeds that are there"
    assert both[5]["line"]["dash"] == "dash"


def test_the_axis_can_be_epochs_and_each_seed_has_a_line(
    draw: Callable[..., list[dict[str, Any]]],
) -> None:
    traces = draw(x="epoch", seeds="each", smooth=0.5)
    lines = [trace for trace in traces if trace.get("meta")]
    assert [trace["name"] for trace in lines] == [
        f"{arm} · seed {seed}" for arm in "xy" for seed in (0, 1)
    ]
    assert lines[0]["x"] == [0, 0.5, 1, 1.5]
    behind = traces[0]
    assert behind["y"] == [1, 2, 3, 4], "the raw curve stays behind the smoothed one"


def test_the_mean_over_seeds_never_goes_back_in_time(
    draw: Callable[..., list[dict[str, Any]]],
) -> None:
    line = draw(x="time")[2]
    assert line["x"] == [2, 3, 4, 5], "after its last step the slower seed goes on as the other"
    assert [trace["x"] for trace in draw(x="time", seeds="each")[1:4:2]] == [
        [1, 2, 3, 4],
        [3, 4, 5],
    ]


def test_the_remaining_time_is_estimated_from_finished_runs(run: Run) -> None:
    def one(state: str, **more: Any) -> dict[str, Any]:
        base = {"id": "r", "arm": "x", "seed": 0, "attempt": 1, "progress": 0, "eta_s": None}
        return {**base, "state": state, "started_at": None, "ended_at": None, **more}

    done = one(
        "succeeded",
        progress=1,
        started_at="2026-01-01T00:00:00Z",
        ended_at="2026-01-01T00:00:10Z",
    )
    running = one("running", progress=0.5, eta_s=4)
    runs = [done, running, one("queued"), one("queued")]
    left = run("progress", "return m.overallEta(a)", runs)
    assert left == pytest.approx(4 + 2 * (10 + 8) / 2)
    assert run("progress", "return m.overallEta(a)", [one("queued")]) is None
    assert run("progress", "return m.overallProgress(a)", runs) == pytest.approx(1.5 / 4)
    cut_short = [done, one("failed", progress=0.5), one("cancelled"), one("cancelled")]
    assert run("progress", "return m.overallProgress(a)", cut_short) == pytest.approx(1.5 / 4)
    assert run("progress", "return m.overallState(a)", runs) == "running"
    assert run("progress", "return m.overallState(a)", [done]) == "succeeded"
    assert run("progress", "return m.overallState(a)", [done, one("failed")]) == "failed"
    between = [done, one("queued")]
    assert run("progress", "return [m.overallState(a), m.isWaiting(a)]", between) == [
        "running",
        True,
    ]
    assert run("progress", "return m.isWaiting(a)", runs) is False


@pytest.mark.parametrize(
    ("states", "place", "said"),
    [
        ([], (1, None, "auto"), "The runs start by themselves as soon as one is."),
        (["lost"], (1, None, "auto"), "The runs start by themselves as soon as one is."),
        (["busy"], (38, 720.0, "auto"), "is 38th in the queue; it starts in about 12 min."),
        (["busy"], (2, None, "auto"), "is 2nd in the queue; its start is not known yet."),
        (["busy", "idle"], (1, 0.0, "cpu"), "A worker is about to start the first run."),
        (["idle"], (1, None, "cuda"), "Queued for a GPU slot, and none is connected."),
        (["busy"], None, "Queued."),
    ],
)
def test_a_queued_comparison_says_its_place(
    run: Run, states: list[str], place: tuple[int, float | None, str] | None, said: str
) -> None:
    queue = {"workers": [{"state": state, "device": "cpu"} for state in states]}
    names = ("position", "starts_in_s", "wants")
    first = None if place is None else dict(zip(names, place, strict=True))
    code = "return m.waitingText(a.queue, a.first ?? undefined)"
    assert run("queue", code, {"queue": queue, "first": first}).endswith(said)
    assert "does not answer" in run("queue", "return m.waitingText(null, undefined)", None)


def test_places_are_read_as_people_say_them(run: Run) -> None:
    places = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111, 1203]
    assert run("format", "return a.map(m.ordinal)", places) == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th", "1,203rd"]
    )
    waiting = {"id": "r", "state": "queued", "attempt": 1}
    place = {"position": 38, "starts_in_s": 720.0}
    text = run("queue", "return m.placeText(a)", place)
    assert text == "38th, in about 12 min"
    assert run("queue", "return m.placeText(a)", {"position": 2, "starts_in_s": None}) == "2nd"
    said = run("runs", "return m.describe(a.run, a.text)", {"run": waiting, "text": text})
    assert said == "queued 38th, in about 12 min"
    lacking = {**place, "waits_for": "waits for a worker with siglip; none is available"}
    assert run("queue", "return m.placeText(a)", lacking) == lacking["waits_for"]
    queue = {"workers": [{"state": "idle", "device": "cpu"}]}
    code = "return m.waitingText(a.queue, a.first)"
    text = run("queue", code, {"queue": queue, "first": {**lacking, "wants": "auto"}})
    assert text == f"Queued. The next run {lacking['waits_for']}."


def test_numbers_and_times_are_short(run: Run) -> None:
    numbers = [0, 0.123456, 1234.5, 0.00001, 250000, None]
    said = run("format", "return a.map(m.number)", numbers)
    assert said == ["0", "0.123", "1235", "1.0 × 10⁻⁵", "2.5 × 10⁵", "–"]
    zeros = run("format", "return a.map(m.number)", [0.5, -1.5, 20])
    assert zeros == ["0.500", "−1.500", "20"]
    assert run("format", "return a.map(m.shortNumber)", [0.5, -1.5, 20]) == ["0.5", "−1.5", "20"]
    spans = run("format", "return a.map(m.duration)", [3.2, 65, 3700, 200000, None])
    assert spans == ["3 s", "1 min 05 s", "1 h 01 min", "2 days", "–"]
    assert run("format", "return [m.percent(0.999), m.percent(1)]") == ["99 %", "100 %"]


def test_amounts_are_shown_in_their_unit(run: Run) -> None:
    asked = [[45e6, 170.5e6, "bytes"], [2310, 6000, "images"], [7, None, "items"]]
    said = run("format", "return a.map(([d, t, u]) => m.amount(d, t, u))", asked)
    assert said == ["45 of 171 MB", "2,310 of 6,000 images", "7 items"]


STRIP = """
  const strip = new m.RunStrip();
  document.body.replaceChildren(strip.element);
  const drawn = a.steps.map((runs) => {
    strip.draw(runs, a.arms);
    const cell = strip.element.querySelector('.lb-cell');
    return {
      label: cell.querySelector('.lb-cell-label').textContent,
      width: cell.querySelector('.lb-bar i').style.width,
      measured: cell.dataset.preparing ?? null,
      lines: [...strip.element.querySelectorAll('.lb-preparing > div')].map((l) => l.textContent),
    };
  });
  return drawn;
"""


def test_a_run_shows_its_preparation_before_the_first_step(run: Run) -> None:
    def one(preparing: dict[str, Any] | None, **more: Any) -> list[dict[str, Any]]:
        own = {"id": "r", "arm": "x", "seed": 0, "state": "running", "attempt": 1, "progress": 0}
        return [{**own, "eta_s": None, "preparing": preparing, **more}]

    load = {"what": "downloading a.zip", "done": 45e6, "total": 180e6, "unit": "bytes", "eta_s": 65}
    look = {"what": "looking", "done": 0, "total": None, "unit": "items", "eta_s": None}
    steps = [one(load), one(look), one(None, progress=0.5), one(load, state="queued")]
    arms = [{"name": "x", "color": "#0072b2", "dash": "solid"}]
    first, unknown, begun, waits = run("runs", STRIP, {"steps": steps, "arms": arms})
    assert first == {
        "label": "preparing 25 %",
        "width": "25%",
        "measured": "measured",
        "lines": ["x · seed 0: downloading a.zip, 45 of 180 MB, 1 min 05 s left"],
    }
    assert (unknown["label"], unknown["measured"]) == ("preparing", "unmeasured")
    assert unknown["lines"] == ["x · seed 0: looking"]
    assert (begun["label"], begun["width"], begun["measured"]) == ("50 %", "50%", None)
    assert begun["lines"] == []
    assert waits["lines"] == [], "only what runs is prepared"


def test_a_comparison_is_being_prepared_until_its_first_step(run: Run) -> None:
    states: list[list[tuple[str, dict[str, Any] | None]]]
    states = [[("running", {})], [("running", {}), ("running", None)], [("queued", None)], []]
    runs = [[{"state": state, "preparing": ahead} for state, ahead in own] for own in states]
    assert run("progress", "return a.map(m.isPreparing)", runs) == [True, False, False, False]
