"""The leaderboard's figure and table, with names as hostile as people may type."""

import re
from typing import Any

import pytest

from frontend.api.types import LeaderboardMetric
from frontend.comparison.leaderboard.figure import caption, leaderboard_figure, note, references
from frontend.comparison.leaderboard.table import rank_rows, ranks_html
from frontend.comparison.leaderboard.texts import ordered, progress_text, rank_text
from frontend.ui.theme import arm_styles

EVIL = "<script>alert(1)</script>&%{x}"
KEY = "test.retrieval.map_at_r"


def arm(name: str, mean: float | None, **more: Any) -> Any:
    known = mean is not None
    middle = mean or 0.0
    return {
        "arm": name,
        "n": 3 if known else 0,
        "mean": mean,
        "sd": 0.01 if known else None,
        "low": middle - 0.02 if known else None,
        "high": middle + 0.02 if known else None,
        "values": [{"seed": seed, "value": mean} for seed in range(3) if known],
        "rank": [1, 2] if known else None,
        "letters": "a" if known else "",
        "state": "",
        "to_best": None,
        **more,
    }


def behind(difference: float, **more: Any) -> dict[str, Any]:
    figures = {"best": EVIL, "mean_difference": difference, "low": None, "high": None}
    return {**figures, "p_holm": None, "n": 3, "told_apart": False, "level": False, **more}


def metric(*arms: Any, **more: Any) -> LeaderboardMetric:
    made: Any = {
        "key": KEY,
        "label": "MAP@R (test)",
        "better": "higher",
        "arms": list(arms),
        "best": [arms[0]["arm"]],
        "not_told_apart": [],
        "groups": [],
        "said": "",
        "pairs": 3,
        "practical": 0.01,
        "untrained": None,
        "raw_backbone": None,
        "chance": None,
        **more,
    }
    found: LeaderboardMetric = made
    return found


COLLAPSED = arm("flat", 0.95, rank=None, state="collapsed", low=None, high=None, letters="")
ALL = metric(
    arm("low", 0.6, rank=[3, 3], letters="b", to_best=behind(-0.3, told_apart=True, p_holm=0.01)),
    arm("none", None),
    COLLAPSED,
    arm(EVIL, 0.9),
    arm("near", 0.895, to_best=behind(-0.005, level=True, low=-0.008, high=-0.002)),
)
STYLES = arm_styles(one["arm"] for one in ALL["arms"])


def test_the_best_comes_first_and_those_without_a_rank_last() -> None:
    assert [one["arm"] for one in ordered(ALL)] == [EVIL, "near", "low", "flat", "none"]
    turned = metric(*ALL["arms"], better="lower")
    assert [one["arm"] for one in ordered(turned)][:3] == ["low", "near", EVIL]


def test_the_table_escapes_names_and_has_the_state_in_the_place_of_a_rank() -> None:
    html = ranks_html(ALL, STYLES, "light")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    rows = re.findall(r"<tr><th scope='row'>.*?</tr>", html)
    assert len(rows) == 5
    assert "<td>1–2</td>" in rows[0]
    assert "<td>no, level</td>" in rows[1]
    assert "−0.0080 … −0.0020" in rows[1]
    assert "<td>3</td>" in rows[2]
    assert "<td>yes</td>" in rows[2]
    assert "did not train: collapsed" in rows[3]
    assert rows[4].count("<td>–</td>") == 6
    for name, style in STYLES.items():
        if name != EVIL:
            assert style.light in next(row for row in rows if f">{name}</th>" in row)


def test_the_rows_sort_by_rank_as_numbers_do() -> None:
    twenty = [arm(f"m{place}", 1.0 - place / 100, rank=[place, 20]) for place in range(1, 21)]
    ranks = [row["Rank"] for row in rank_rows(metric(*twenty))]
    assert sorted(ranks) == ranks
    assert [rank.strip() for rank in ranks][:2] == ["1–20", "2–20"]
    assert rank_text(arm("x", 0.5, rank=[2, 2])) == "2"
    assert [row["Rank"] for row in rank_rows(ALL)][3] == "collapsed", "short: the column is narrow"


def test_the_figure_has_a_row_for_each_arm_with_a_value() -> None:
    figure = leaderboard_figure(ALL, STYLES)
    names = figure.layout.yaxis.ticktext
    assert len(names) == 4
    assert all("<script>" not in name for name in names)
    assert names[-1] == "flat (collapsed)"
    means = [one for one in figure.data if (one.hovertemplate or "").startswith("mean")]
    assert [one.x[0] for one in means] == [0.9, 0.895, 0.6, 0.95]
    assert [one.y[0] for one in means] == [0, 1, 2, 3]
    assert [one.marker.color for one in means] == [
        STYLES[name].light for name in (EVIL, "near", "low", "flat")
    ]
    assert means[-1].marker.symbol != means[0].marker.symbol
    bars = [one for one in figure.data if one.line.width == 4]
    assert [list(bar.x) for bar in bars] == [
        pytest.approx([mean - 0.02, mean + 0.02]) for mean in (0.9, 0.895, 0.6)
    ]


def test_references_near_the_arms_are_lines_and_far_ones_are_said() -> None:
    close = metric(arm("a", 0.8), arm("b", 0.7), untrained=0.65, raw_backbone=0.75, chance=0.001)
    figure = leaderboard_figure(close, arm_styles(["a", "b"]))
    lines = {one.name: one.x[0] for one in figure.data if one.name}
    assert lines == {
        "untrained network (validation) 0.65": 0.65,
        "raw backbone 0.75": 0.75,
    }
    low, high = figure.layout.xaxis.range
    assert 0.5 < low < 0.65
    assert 0.82 < high < 0.9
    assert note(close, "seed").endswith(" Outside the figure: chance 0.001.")
    assert [one.value for one in references(close)] == [0.65, 0.75, 0.001]


def test_the_caption_says_what_varies_and_nothing_of_bars_that_are_not_there() -> None:
    assert caption(ALL, "split") == (
        "Dots are means, bars 95 % intervals for all arms at once, small dots splits."
    )
    assert note(ALL, "split").startswith("Arms share their splits: ")
    bare = metric(arm("a", 0.8, low=None, high=None), arm("b", 0.7, low=None, high=None), pairs=0)
    assert caption(bare, "seed") == "Dots are means, small dots seeds."
    assert not note(bare, "seed")


def test_equal_values_have_a_figure() -> None:
    same = metric(arm("a", 0.5, low=0.5, high=0.5), arm("b", 0.5, low=0.5, high=0.5))
    low, high = leaderboard_figure(same, arm_styles(["a", "b"])).layout.xaxis.range
    assert low < 0.5 < high


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((6, 6, 0), ""),
        (
            (3, 6, 3),
            "3 of 6 runs are not finished: ranks may still change. Only finished runs count.",
        ),
        (
            (5, 6, 1),
            "1 of 6 runs is not finished: ranks may still change. Only finished runs count.",
        ),
        ((5, 6, 0), "1 of 6 runs failed or was cancelled and does not count."),
        ((3, 6, 0), "3 of 6 runs failed or were cancelled and do not count."),
    ],
)
def test_the_runs_that_are_missing(counts: tuple[int, int, int], said: str) -> None:
    finished, total, still_open = counts
    found: Any = {"runs_finished": finished, "runs_total": total, "runs_open": still_open}
    assert progress_text(found) == said


def test_an_arm_that_did_not_train_does_not_press_the_others_together() -> None:
    flat = arm("flat", 0.1, rank=None, state="collapsed", low=None, high=None)
    found = metric(arm("a", 0.8), arm("b", 0.7), flat)
    low, _ = leaderboard_figure(found, arm_styles(["a", "b", "flat"])).layout.xaxis.range
    assert low > 0.6
    assert note(found, "seed").endswith(" Outside the figure: flat (collapsed) 0.1.")
