"""The order of the arms of one metric, and what their ranks are called."""

from collections.abc import Sequence

from frontend.api.types import Leaderboard, LeaderboardArm, LeaderboardMetric
from frontend.ui.training_states import NAMES


def ordered(metric: LeaderboardMetric) -> list[LeaderboardArm]:
    """Return the arms, the best mean first; then those that did not train, then without values."""
    sign = 1 if metric["better"] == "lower" else -1

    def place(arm: LeaderboardArm) -> tuple[bool, bool, float]:
        return (arm["mean"] is None, bool(arm["state"]), sign * (arm["mean"] or 0.0))

    return sorted(metric["arms"], key=place)


def rank_text(arm: LeaderboardArm, *, width: int = 1) -> str:
    """Return the places that an arm may have, "1" or "2–4"; "" without a rank.

    Args:
        arm: the arm.
        width: digits of the first place at least; shorter ones are filled with spaces, so that
            texts sort as numbers do.
    """
    if arm["rank"] is None:
        return ""
    first, last = arm["rank"]
    shown = str(first) if first == last else f"{first}–{last}"
    return shown.rjust(len(shown) + width - len(str(first)))


def state_text(arm: LeaderboardArm) -> str:
    """Return why an arm has no rank, in a word or two; "" if it trained."""
    return NAMES.get(arm["state"], arm["state"])


def main_metric(keys: Sequence[str], asked: str) -> str:
    """Return the metric that was asked for, or the main one if it was not measured."""
    return asked if asked in keys else keys[0]


def progress_text(found: Leaderboard) -> str:
    """Return how many runs the leaderboard rests on, where some are missing; else "" ."""
    finished, total, still_open = found["runs_finished"], found["runs_total"], found["runs_open"]
    if still_open:
        verb = "is" if still_open == 1 else "are"
        return (
            f"{still_open} of {total} runs {verb} not finished: ranks may still change. Only "
            "finished runs count."
        )
    if finished < total:
        lost = total - finished
        return (
            f"{lost} of {total} runs failed or {'was' if lost == 1 else 'were'} cancelled and "
            f"{'does' if lost == 1 else 'do'} not count."
        )
    return ""
