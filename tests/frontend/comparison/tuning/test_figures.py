"""The figures of a search, with names as hostile as people may type."""

from typing import Any

import pytest

from frontend.comparison.tuning.importance_figure import has_importance, importance_figure
from frontend.comparison.tuning.parallel_figure import drawable, parallel_figure
from frontend.comparison.tuning.sensitivity_figure import caption, sensitivity_figure
from frontend.ui.theme import arm_styles
from tests.support.searches import search, searched

EVIL = "<b>x</b>%{y}"
STYLES = arm_styles(["contrastive", "triplet", EVIL])
TITLES = {"loss.margin": "Margin", "training.optimizer.lr": "Learning rate"}


def along(found: Any, *, log: bool = True, **changes: Any) -> Any:
    """The answer of .../tuning/sensitivity for the margins of a search."""
    return {
        "path": "loss.margin",
        "log": log,
        "arms": [
            {
                "name": arm["name"],
                "points": [
                    {
                        **{"trial": one["number"], "value": one["value"], "state": one["state"]},
                        "x": one["params"].get("loss.margin", 1.0),
                    }
                    for one in arm["trials"]
                ],
                "default": 1.0,
                "published": None,
            }
            for arm in found["arms"]
        ],
        **changes,
    }


def by_name(drawn: Any, name: str) -> list[Any]:
    return [trace for trace in drawn.data if trace.name == name and trace.x != (None,)]


class TestSensitivity:
    def test_every_trial_is_a_dot_and_best_written_and_failed_are_marked(self) -> None:
        found: Any = search()
        drawn = sensitivity_figure(along(found), found, STYLES, title="Margin", label="MAP@R")
        [dots] = by_name(drawn, "contrastive")
        assert list(dots.x) == pytest.approx([1.0, 0.1, 0.2, 0.3, 0.5])
        assert list(dots.y) == [0.7, 0.6, 0.9, 0.8, 0.75]
        assert dots.marker.color == STYLES["contrastive"].light
        [other] = by_name(drawn, "triplet")
        assert other.marker.symbol != dots.marker.symbol
        [crosses] = by_name(drawn, "failed")
        assert list(crosses.x) == pytest.approx([0.4])
        assert crosses.y[0] < 0.5
        assert [(list(one.x), list(one.y)) for one in by_name(drawn, "best")] == [
            ([pytest.approx(0.2)], [0.9]),
            ([pytest.approx(0.3)], [0.85]),
        ]
        assert [list(one.y) for one in by_name(drawn, "as written")] == [[0.7], [0.8]]
        assert drawn.layout.xaxis.type == "log"
        assert [trace.name for trace in drawn.data if trace.x == (None,)] == [
            "best",
            "as written",
            "failed",
        ]

    def test_what_a_benchmark_found_best_is_a_line_within_the_axis(self) -> None:
        found: Any = search()
        points = along(found)
        assert "dotted" not in caption(points)
        points["arms"][0]["published"] = 7.5
        assert "what Musgrave et al. 2020 found best on these data" in caption(points)
        drawn = sensitivity_figure(points, found, STYLES, title="Margin", label="MAP@R")
        [line] = by_name(drawn, "Musgrave et al. 2020")
        assert (list(line.x), list(line.y)) == ([7.5, 7.5], [0.5, 0.9])
        assert line.line.color == STYLES["contrastive"].light
        assert "best in Musgrave et al. 2020, 7.5" in line.hovertemplate
        assert drawn.data[-1].name == "Musgrave et al. 2020"
        assert drawn.layout.xaxis.type == "log"
        low, high = drawn.layout.xaxis.range or (0, 1)
        assert low < 0.875 <= high  # the logarithm of 7.5
        points["arms"][1]["points"].clear()
        points["arms"][0]["points"].clear()
        sensitivity_figure(points, found, STYLES, title="Margin", label="MAP@R")

    def test_where_low_is_better_failed_trials_stand_on_top(self) -> None:
        found: Any = search()
        drawn = sensitivity_figure(
            along(found), found, STYLES, title="m", label="l", lower_better=True
        )
        assert by_name(drawn, "failed")[0].y[0] > 0.9

    def test_an_axis_that_has_0_is_not_logarithmic_and_names_are_categories(self) -> None:
        found: Any = search(arms=[searched(EVIL, [0.5, 0.6])])
        points = along(found)
        points["arms"][0]["points"][0]["x"] = 0.0
        drawn = sensitivity_figure(points, found, STYLES, title=EVIL, label=EVIL)
        assert drawn.layout.xaxis.type is None
        points["arms"][0]["points"][0]["x"] = "semi_hard"
        drawn = sensitivity_figure(points, found, STYLES, title=EVIL, label=EVIL)
        assert drawn.layout.xaxis.type == "category"
        assert "semi hard" in drawn.data[0].x
        assert "<b>" not in drawn.to_json().replace("\\u003c", "<").replace("&lt;", "")
        assert "%{y}" not in [drawn.data[0].name, *drawn.data[0].text]

    def test_trials_that_all_failed_and_trials_that_wait_are_no_error(self) -> None:
        found: Any = search(arms=[searched("contrastive", [None, None], waiting=2)])
        drawn = sensitivity_figure(along(found), found, STYLES, title="m", label="l")
        assert list(by_name(drawn, "failed")[0].x) == pytest.approx([1.0, 0.1])


class TestParallel:
    def test_trials_are_lines_and_the_best_lie_on_top(self) -> None:
        [arm, _] = search()["arms"]
        drawn = parallel_figure(arm, TITLES, STYLES["contrastive"], label="MAP@R")
        others, best = drawn.data
        assert len([x for x in others.x if x is None]) == 3  # a gap after each line
        assert best.name == "the best, trial 2"
        assert best.y[2] == 1.0
        assert list(drawn.layout.xaxis.ticktext) == ["<br>Margin", "<br>Learning rate", "<br>MAP@R"]
        ends = [note.text for note in drawn.layout.annotations]
        assert ends == ["0.02", "2", "0.0001", "0.01", "0.6", "0.9"]

    def test_the_scale_of_an_axis_is_that_of_its_space(self) -> None:
        arm = searched("contrastive", [0.7, 0.6, 0.9])
        arm["space"] = {"loss.margin": {"choices": [1.0, 0.1, 0.2]}}
        drawn = parallel_figure(arm, TITLES, STYLES["contrastive"], label="l")  # type: ignore[arg-type]
        best = drawn.data[-1]
        assert best.y[0] == 0.5  # 0.2 lies between 0.1 and 1.0
        arm["space"] = {"loss.margin": {"low": 0.02, "high": 2.0, "log": True}}
        drawn = parallel_figure(arm, TITLES, STYLES["contrastive"], label="l")  # type: ignore[arg-type]
        assert drawn.data[-1].y[0] == pytest.approx(0.5)
        lower = parallel_figure(
            arm,  # type: ignore[arg-type]
            TITLES,
            STYLES["contrastive"],
            label="l",
            lower_better=True,
        )
        assert lower.data[-1].name == "the best, trial 1"

    def test_the_arm_as_it_is_written_and_failed_trials_are_left_out(self) -> None:
        [arm, _] = search()["arms"]
        assert [trial["number"] for trial in drawable(arm)] == [1, 5, 3, 2]


class TestImportance:
    def test_the_setting_that_matters_most_is_on_top_and_arms_are_in_order(self) -> None:
        found: Any = search()
        drawn = importance_figure(found, STYLES, TITLES)
        assert [bar.name for bar in drawn.data] == ["triplet", "contrastive"]  # from below
        assert list(drawn.data[0].y) == ["Learning rate", "Margin"]
        assert list(drawn.data[0].x) == [25, 75]  # per cent
        assert drawn.data[1].marker.color == STYLES["contrastive"].light

    def test_arms_with_too_few_trials_are_left_out(self) -> None:
        few = searched("contrastive", [0.5], importance=None)
        found: Any = search(arms=[few, searched("triplet", [0.5, 0.6])])
        assert has_importance(found)
        assert [bar.name for bar in importance_figure(found, STYLES, TITLES).data] == ["triplet"]
        alone: Any = search(arms=[few])
        assert not has_importance(alone)
