"""The leaderboard as lines of text."""

from collections.abc import Iterator

from frontend.api.types import Leaderboard, LeaderboardArm
from frontend.comparison.leaderboard.table import to_best_text
from frontend.comparison.leaderboard.texts import ordered, progress_text, rank_text, state_text
from frontend.ui.numbers import interval_text, mean_and_spread


def leaderboard_lines(found: Leaderboard) -> Iterator[str]:
    """Yield the advice, then each metric with a line for every arm, the best first."""
    for said in (found["advice"], progress_text(found)):
        if said:
            yield said
    if not found["metrics"]:
        yield "No run has measured the test split yet."
    for metric in found["metrics"]:
        yield ""
        yield f"{metric['label']}: {metric['said']}"
        for arm in ordered(metric):
            yield f"  {_rank(arm):>7}  {_figures(arm)}  {arm['arm']}"


def _rank(arm: LeaderboardArm) -> str:
    return rank_text(arm) or state_text(arm) or "-"


def _figures(arm: LeaderboardArm) -> str:
    if arm["mean"] is None:
        return f"{'no value':52}"
    shown = mean_and_spread(arm["mean"], arm["sd"])
    if arm["low"] is not None and arm["high"] is not None:
        shown += f" [{interval_text(arm['low'], arm['high'])}]"
    behind = arm["to_best"]
    if behind is not None:
        word = "apart" if behind["told_apart"] else "not apart"
        word += ", level" if behind["level"] else ""
        shown += f" {to_best_text(behind)} {word}"
    return f"{shown:52}"
