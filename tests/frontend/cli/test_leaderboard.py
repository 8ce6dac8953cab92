"""The leaderboard as lines of text."""

from typing import Any

from frontend.cli.leaderboard import leaderboard_lines


def test_each_metric_has_a_line_for_every_arm_the_best_first() -> None:
    behind = {"best": "b", "mean_difference": -0.1, "low": -0.2, "high": -0.05, "p_holm": 0.01}
    figures = {"n": 3, "sd": 0.01, "letters": "a", "values": []}
    arms = [
        {"arm": "a", "mean": 0.8, "low": 0.7, "high": 0.9, "rank": [2, 2], "state": "", **figures}
        | {"to_best": {**behind, "n": 3, "told_apart": True, "level": False}},
        {"arm": "b", "mean": 0.9, "low": None, "high": None, "rank": [1, 1], "state": ""}
        | {"to_best": None, **figures},
        {"arm": "flat", "mean": 0.95, "low": None, "high": None, "rank": None}
        | {"state": "collapsed", "to_best": None, **figures},
        {"arm": "none", "mean": None, "low": None, "high": None, "rank": None, "state": ""}
        | {"to_best": None, **figures},
    ]
    metric = {"label": "MAP@R (test)", "said": "Best: b.", "better": "higher", "arms": arms}
    found: Any = {"advice": "Use b.", "metrics": [metric]}
    found |= {"runs_finished": 9, "runs_total": 12, "runs_open": 3}
    lines = list(leaderboard_lines(found))
    assert lines[:4] == [
        "Use b.",
        "3 of 12 runs are not finished: ranks may still change. Only finished runs count.",
        "",
        "MAP@R (test): Best: b.",
    ]
    assert [line.split() for line in lines[4:]] == [
        ["1", "0.900", "±", "0.010", "b"],
        ["2", "0.800", "±", "0.010", "[0.70", "…", "0.90]", "−0.100", "apart", "a"],
        ["collapsed", "0.950", "±", "0.010", "flat"],
        ["-", "no", "value", "none"],
    ]


def test_before_anything_is_measured_a_line_says_so() -> None:
    found: Any = {"advice": "", "metrics": []}
    found |= {"runs_finished": 0, "runs_total": 0, "runs_open": 0}
    assert list(leaderboard_lines(found)) == ["No run has measured the test split yet."]
