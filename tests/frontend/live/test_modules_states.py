"""The banners of states, and what the loss chart says of the trivial loss, in a real browser."""

from typing import Any

import pytest

from tests.frontend.live.test_modules import Run, run

__all__ = ["run"]


def told(arm: str, seed: int, state: str, **states: str) -> dict[str, Any]:
    noticed = [{"state": name, "step": 1, "message": text} for name, text in states.items()]
    return {"id": f"{arm}{seed}", "arm": arm, "seed": seed, "state": state, "states": noticed}


def test_states_come_by_kind_the_most_serious_first(run: Run) -> None:
    runs = [
        told("a", 0, "succeeded", below_backbone="worse"),
        told("a", 1, "running", collapsed="a point", below_backbone="worse too"),
        told("a", 2, "queued"),
        told("b", 0, "succeeded", collapsed="also"),
        told("c", 0, "succeeded"),
    ]
    code = """return m.found(a).map((one) => [one.state, m.armsText(one.arms), one.message])"""
    assert run("states", code, runs) == [
        ["collapsed", "a in 1 of 2 runs, b", "a point"],
        ["below_backbone", "a in 2 of 2 runs", "worse"],
    ]
    assert run("states", "return m.found([])") == []
    assert run("states", "return m.marks(a)", runs[1]) == "⚠ collapsed, ↓ below the raw backbone"
    kinds = [run("states", "return m.severity(a)", runs[place]) for place in (0, 1, 4)]
    assert kinds == ["mild", "serious", None]


def test_names_are_shown_as_text(run: Run) -> None:
    code = """
      const states = new m.States();
      states.draw(a);
      const [banner] = states.element.children;
      return [banner.textContent, banner.querySelectorAll("b").length, banner.dataset.state];
    """
    text, tags, state = run("states", code, [told("<b>x", 0, "failed", overflow="<b>too large")])
    assert "⚠ overflow" in text
    assert "<b>x, seed 0: <b>too large" in text
    assert (tags, state) == (0, "overflow")


ARMS = [
    {"name": "one", "color": "#111111", "dash": "solid"},
    {"name": "two", "color": "#222222", "dash": "dash"},
    {"name": "none", "color": "#333333", "dash": "dot"},
]
RUNS = [{"id": "r1", "arm": "one"}, {"id": "r2", "arm": "one"}, {"id": "r3", "arm": "two"}]


def means(run: Run, rows: list[Any]) -> list[list[Any]]:
    code = """
      const track = (values) => ({ mean: values, count: values.map(() => 2) });
      const table = { tracks: new Map(a.rows.map(([run, values]) => [run, track(values)])) };
      return [...m.means(table, a.arms, a.runs)];
    """
    found: list[list[Any]] = run("trivial", code, {"rows": rows, "arms": ARMS, "runs": RUNS})
    return found


def test_the_mean_is_over_all_steps_of_an_arms_runs(run: Run) -> None:
    assert means(run, [["r1", [1.0, 2.0]], ["r2", [6.0]], ["r3", [4.0]]]) == [
        ["one", 3.0],
        ["two", 4.0],
    ]
    assert means(run, []) == []
    assert run("trivial", "return [...m.means(undefined, a, [])]", ARMS) == []


LINES = "const lines = m.trivialLines(new Map(a.values), a.arms);"


def lines(run: Run, values: dict[str, float]) -> list[dict[str, Any]]:
    code = f"{LINES} return lines"
    found: list[dict[str, Any]] = run(
        "trivial", code, {"values": list(values.items()), "arms": ARMS}
    )
    return found


def test_arms_with_one_value_share_a_grey_line(run: Run) -> None:
    [both] = lines(run, {"one": 1.0, "two": 1.005})
    assert (both["arms"], both["color"], both["value"]) == (["one", "two"], None, 1.0)
    one, two = lines(run, {"one": 1.0, "two": 0.5})
    assert (one["color"], two["color"]) == ("#111111", "#222222")
    assert lines(run, {"one": 0.0}) == [], "a logarithmic axis has no place for it"


@pytest.mark.parametrize(("value", "top"), [(1.5, 1.62), (0.5, 1.0), (5.0, 1.0)])
def test_the_axis_reaches_up_to_a_near_line_only(run: Run, value: float, top: float) -> None:
    argument = {"values": [["one", value]], "arms": ARMS}
    found = run("trivial", f"{LINES} return m.highest(1, lines)", argument)
    assert found == pytest.approx(top)


def test_labels_lie_on_either_axis(run: Run) -> None:
    argument = {"values": [["one", 0.1], ["two", 1.0]], "arms": ARMS}
    code = f"{LINES} return [false, true].map((log) => m.trivialLabels(lines, '#000', log, 3, 1))"
    linear, logarithmic = run("trivial", code, argument)
    assert [label["y"] for label in linear] == [1.0, 0.1]
    assert [label["y"] for label in logarithmic] == [0.0, -1.0]
    assert [label["text"] for label in linear] == ["trivial loss, two", "trivial loss, one"]
    code = f"{LINES} return [2, 3].map((n) => m.trivialLabels(lines, '#000', false, n, 1)[0].text)"
    argument = {"values": [["one", 1.0], ["two", 1.0]], "arms": ARMS}
    assert run("trivial", code, argument) == ["trivial loss", "trivial loss, one, two"]


def test_labels_of_near_lines_do_not_overlap(run: Run) -> None:
    argument = {"values": [["one", 0.21], ["two", 0.2]], "arms": ARMS}
    code = f"{LINES} return [0.2, 0.1].map((h) => m.trivialLabels(lines, '#000', false, 3, h))"
    near, far = run("trivial", code, argument)
    assert [label["yanchor"] for label in near] == ["bottom", "top"]
    assert [label["yanchor"] for label in far] == ["bottom", "bottom"]


def test_three_near_lines_have_one_label(run: Run) -> None:
    argument = {"values": [["one", 0.22], ["two", 0.21], ["none", 0.2]], "arms": ARMS}
    code = f"{LINES} return m.trivialLabels(lines, '#000', false, 5, 0.5)"
    [label] = run("trivial", code, argument)
    assert (label["text"], label["y"]) == ("trivial loss, 3 arms", 0.22)


@pytest.mark.parametrize(
    ("trivial", "pull", "text"),
    [
        ({}, {}, ""),
        ({"one": 1, "two": 1, "none": 1}, {}, "Trivial loss (all embeddings in one point): 1."),
        (
            {"one": 0.9, "two": 1},
            {},
            "Trivial loss (all embeddings in one point): 0.9 (one), 1 (two).",
        ),
        ({}, {"one": 0.0978}, "Share of the loss's weight that pulls: 9.8 % (one)."),
    ],
)
def test_the_sentence_under_the_chart(
    run: Run, trivial: dict[str, float], pull: dict[str, float], text: str
) -> None:
    code = "return m.underLoss(new Map(a.trivial), new Map(a.pull), a.arms)"
    argument = {"trivial": list(trivial.items()), "pull": list(pull.items()), "arms": ARMS}
    assert run("trivial", code, argument) == text


def test_seeds_that_failed_alike_are_told_once(run: Run) -> None:
    def failed(arm: str, seed: int, step: int | None, message: str = "too large") -> dict[str, Any]:
        error = {"message": message, "cause": None, "step": step}
        return {**told(arm, seed, "failed"), "error": error}

    runs = [
        failed("a", 0, 7),
        failed("b", 0, None),
        failed("a", 1, 8),
        failed("a", 2, 7),
        {**told("c", 0, "succeeded"), "error": None},
    ]
    assert run("runs", "return m.failures(a)", runs) == [
        ["a · seeds 0, 2 failed at step 7", "too large", ""],
        ["b · seed 0 failed", "too large", ""],
        ["a · seed 1 failed at step 8", "too large", ""],
    ]
