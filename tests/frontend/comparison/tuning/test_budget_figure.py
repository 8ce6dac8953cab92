"""The budget curve."""

from typing import Any

from frontend.comparison.tuning.budget_figure import budget_figure, caption, has_curve
from frontend.ui.theme import arm_styles
from tests.support.searches import search, searched

STYLES = arm_styles(["contrastive", "triplet"])


def test_each_arm_has_a_curve_with_its_band_and_its_default_at_0() -> None:
    found: Any = search()
    drawn = budget_figure(found, STYLES, "MAP@R")
    lines = [trace for trace in drawn.data if trace.mode and trace.mode.startswith("lines+")]
    assert [list(line.x) for line in lines] == [[1, 2, 3, 4], [1, 2, 3, 4, 5]]
    assert [line.line.color for line in lines] == [style.light for style in STYLES.values()]
    diamonds = [trace for trace in drawn.data if trace.marker.symbol == "diamond-open"]
    assert [(list(one.x), list(one.y)) for one in diamonds] == [([0], [0.7]), ([0], [0.8])]
    assert sum(trace.fill == "toself" for trace in drawn.data) == 2
    assert "80 % of searches" in caption(found)
    assert "as it is written" in caption(found)


def test_with_tpe_and_without_the_default_the_caption_says_so() -> None:
    arm = searched("contrastive", [0.5, 0.6], default=None)
    found: Any = search(arms=[arm], sampler="tpe")
    assert caption(found) == "Best validation value of the first n trials."
    assert len(budget_figure(found, STYLES, "MAP@R").data) == 2


def test_with_tpe_the_arm_as_it_is_written_is_the_first_of_the_trials() -> None:
    found: Any = search(sampler="tpe")
    drawn = budget_figure(found, STYLES, "MAP@R")
    diamonds = [trace for trace in drawn.data if trace.marker.symbol == "diamond-open"]
    assert [list(one.x) for one in diamonds] == [[1], [1]]
    assert drawn.layout.xaxis.range[0] > 0


def test_without_a_complete_trial_there_is_no_curve() -> None:
    found: Any = search("search", [searched("contrastive", [None], waiting=2)])
    assert not has_curve(found)
