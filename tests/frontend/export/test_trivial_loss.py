"""The trivial loss in the report's chart of the loss."""

from typing import Any, cast

import pytest

from frontend.api.types import ArmCurve
from frontend.export.trivial_loss import Line, arm_means, lines, sentence, traces
from frontend.ui.theme import arm_styles

STYLES = arm_styles(["one", "t<w>o", "none"])


def test_the_mean_is_over_all_points_of_an_arm() -> None:
    curves: list[dict[str, Any]] = [
        {"arm": "one", "mean": [1.0, None, 4.0]},
        {"arm": "none", "mean": [None]},
    ]
    assert arm_means(cast(list[ArmCurve], curves)) == {"one": 2.5}


def test_arms_with_one_value_share_a_line() -> None:
    assert lines({"one": 1.0, "t<w>o": 1.005}) == [Line(1.0, ("one", "t<w>o"))]
    assert lines({"one": 1.0, "t<w>o": 0.5}) == [Line(1.0, ("one",)), Line(0.5, ("t<w>o",))]
    assert lines({"one": 0.0}) == [], "a logarithmic axis has no place for it"


def test_near_lines_are_drawn_and_named() -> None:
    shown = [Line(0.5, ("one", "none")), Line(0.9, ("t<w>o",)), Line(2.1, ("one",))]
    shared, own = traces(shown, 10, 1.0, STYLES)
    assert (list(shared.x), list(shared.y)) == ([0, 10], [0.5, 0.5])
    assert shared.name == "trivial loss, one, none"
    assert own.name == "trivial loss, t&lt;w&gt;o"
    assert own.line.color == STYLES["t<w>o"].light
    assert shared.line.color not in {style.light for style in STYLES.values()}
    [all_arms] = traces([Line(0.5, tuple(STYLES))], 10, 1.0, STYLES)
    assert all_arms.name == "trivial loss"


@pytest.mark.parametrize(
    ("trivial", "pull", "text"),
    [
        ({}, {}, ""),
        ({"a": 1.0, "b": 1.0}, {}, "Trivial loss (all embeddings in one point): 1."),
        (
            {"a": 0.9, "b": 1.0},
            {},
            "Trivial loss (all embeddings in one point): 0.9 (a), 1 (b).",
        ),
        ({}, {"a": 0.0978}, "Share of the loss's weight that pulls: 9.8 % (a)."),
    ],
)
def test_the_sentence(trivial: dict[str, float], pull: dict[str, float], text: str) -> None:
    assert sentence(trivial, pull, 2) == text
