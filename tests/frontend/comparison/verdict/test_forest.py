"""A line of the forest plot: what is drawn where, and what is said of it."""

import re
from typing import Any

import pytest

from frontend.comparison.verdict.forest import legend_html, span_of, track_html
from tests.support.verdicts import evidence, not_measured

ARMS = {"a": "a <b>", "b": "other"}


def stretch(kind: str, picture: str) -> tuple[float, float]:
    """Both ends of a bar in per cent."""
    [(left, width)] = re.findall(rf"{kind}' style='left: ([\d.]+)%; width: ([\d.]+)%", picture)
    return float(left), float(left) + float(width)


def dots(picture: str) -> list[float]:
    return [float(at) for at in re.findall(r"lb-seed' style='left: ([\d.]+)%", picture)]


def test_zero_is_in_the_middle_and_everything_keeps_to_the_frame() -> None:
    picture = track_html(evidence(differences=[-0.1, -0.05, 0.02]), ARMS)
    assert dots(picture) == pytest.approx([2.0, 26.0, 59.6], abs=0.11)
    assert stretch("lb-wide", picture) == pytest.approx((11.6, 40.4), abs=0.11)
    assert stretch("lb-narrow", picture) == pytest.approx((16.4, 35.6), abs=0.11)
    assert stretch("lb-bounds", picture) == pytest.approx((45.2, 54.8), abs=0.11)
    assert ">−0.1</small>" in picture
    assert ">+0.1</small>" in picture
    assert picture.index("lb-bounds") < picture.index("lb-wide") < picture.index("lb-narrow")


def test_a_scale_ends_at_a_number_of_two_digits_beyond_all_that_is_drawn() -> None:
    assert span_of(evidence(differences=[0.0837])) == pytest.approx(0.084)
    assert span_of(evidence(mean_difference=0.001, interval=None, simultaneous=None)) == (
        pytest.approx(0.013)  # so the bounds of 0.01 are seen
    )
    nothing = evidence(mean_difference=0.0, interval=[0, 0], simultaneous=[0, 0], bounds=None)
    assert span_of(nothing) == 1.0
    assert span_of({**nothing, "mean_difference": -12345.0}) == 13000


@pytest.mark.parametrize("replicates", [1, 2])
def test_below_three_replicates_the_seeds_stand_alone(replicates: int) -> None:
    picture = track_html(evidence(n=replicates, differences=[-0.05] * replicates), ARMS)
    assert len(dots(picture)) == replicates
    for mark in ("lb-wide", "lb-narrow", "lb-dot"):
        assert mark not in picture
    assert "interval" not in picture
    assert "lb-dot" in track_html(evidence(n=replicates), ARMS), "the mean, where no seed is known"


def test_the_claimed_side_is_marked() -> None:
    assert "lb-claimed lb-left" in track_html(evidence(), ARMS)
    assert "lb-claimed lb-right" in track_html(evidence(expected="greater"), ARMS)


def test_the_picture_says_all_that_it_shows_and_escapes_names() -> None:
    picture = track_html(evidence(label="<Recall'> (test)"), ARMS, "split")
    [said] = re.findall(r"role='img' aria-label='([^']*)'", picture)
    assert said == (
        "&lt;Recall&#x27;&gt;, best epoch: a &lt;b&gt; minus other −0.050; "
        "simultaneous interval −0.080 … −0.020; 95 % interval −0.070 … −0.030; "
        "practical bounds −0.01 … +0.01; 10 splits; claimed: below 0; supported"
    )


def test_without_a_difference_nothing_is_drawn() -> None:
    assert track_html(not_measured(), ARMS) == ""


@pytest.mark.parametrize("values", [{"mean_difference": 5e-324}, {"mean_difference": 3e11}])
def test_extreme_differences_have_a_scale(values: dict[str, Any]) -> None:
    row = evidence(**values, interval=None, simultaneous=None, bounds=None)
    assert "left: 98.0%" in track_html(row, ARMS) or span_of(row) == 1.0


def test_the_legend_names_every_mark() -> None:
    legend = legend_html("split")
    assert "one split's difference" in legend
    for mark in ("lb-seed", "lb-dot", "lb-wide", "lb-narrow", "lb-bounds", "lb-claimed"):
        assert f"class='{mark}'" in legend
    assert "its own scale" in legend
