from typing import Any

import pytest

from frontend.results import figure, sections


def row(arm: str, mean: float | None, **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"n": 3, "sd": 0.01, "low": None, "high": None, "values": []}
    return {"arm": arm, "mean": mean, **base, **more}


def summary(better: str | None, *arms: dict[str, Any], key: str = "retrieval.recall_at_1") -> Any:
    return {"metrics": [{"key": key, "label": "Recall@1", "better": better, "arms": list(arms)}]}


def marks(data: Any) -> list[str]:
    [section] = sections(data, ["a", "b"])
    [line] = section.lines
    return [cell.mark if cell else "-" for cell in line.cells]


@pytest.mark.parametrize(
    ("better", "expected"), [("higher", ["", "best"]), ("lower", ["best", ""]), (None, ["", ""])]
)
def test_the_best_is_marked_in_the_metrics_direction(
    better: str | None, expected: list[str]
) -> None:
    one = row("a", 0.5, low=0.4, high=0.6)
    other = row("b", 0.8, low=0.7, high=0.9)
    assert marks(summary(better, one, other)) == expected


def test_intervals_that_meet_do_not_tell_arms_apart() -> None:
    one = row("a", 0.5, low=0.4, high=0.75)
    other = row("b", 0.8, low=0.7, high=0.9)
    assert marks(summary("higher", one, other)) == ["", "ahead"]


def test_one_seed_tells_nothing_apart() -> None:
    alone = {"n": 1, "sd": None}
    data = summary("higher", row("a", 0.5, **alone), row("b", 0.8, **alone))
    assert marks(data) == ["", "ahead"]
    cell = sections(data, ["a", "b"])[0].lines[0].cells[0]
    assert cell is not None
    assert (cell.mean, cell.spread, cell.interval, cell.count) == ("0.5", "", "", 1)


def test_equal_means_and_single_arms_are_not_marked() -> None:
    assert marks(summary("higher", row("a", 0.5), row("b", 0.5))) == ["", ""]
    assert marks(summary("higher", row("a", 0.5), row("b", None))) == ["", "-"]


def test_the_test_split_comes_first_and_empty_lines_are_left_out() -> None:
    metrics = [
        summary("lower", row("a", 1.0), key="dynamics.loss")["metrics"][0],
        summary("higher", row("a", 1.0))["metrics"][0],
        summary("higher", key="retrieval.map_at_r")["metrics"][0],
        summary("higher", row("a", 1.0), key="test.retrieval.recall_at_1")["metrics"][0],
    ]
    found = sections({"metrics": metrics}, ["a", "b"])
    assert [[line.key for line in section.lines] for section in found] == [
        ["test.retrieval.recall_at_1"],
        ["retrieval.recall_at_1"],
        ["dynamics.loss"],
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.96543, "0.9654"), (1.4999, "1.5"), (0.0123456, "0.0123"), (1e-5, "1.00e-05"), (0.0, "0")],
)
def test_figures_are_short(value: float, text: str) -> None:
    assert figure(value) == text
