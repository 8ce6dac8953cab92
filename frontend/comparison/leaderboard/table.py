"""The ranks of all arms in one metric as a table: as HTML for the report, as rows for the page."""

from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from typing import Any, Final

from frontend.api.types import LeaderboardArm, LeaderboardMetric, ToBest
from frontend.comparison.leaderboard.texts import ordered, rank_text, state_text
from frontend.comparison.tables_html import swatch
from frontend.ui.numbers import (
    format_number,
    format_signed,
    interval_text,
    mean_and_spread,
    shared_decimals,
    short_number,
)
from frontend.ui.table_html import table_html
from frontend.ui.theme import ArmStyle, Theme

NOT_TRAINED: Final = "did not train"
_HEADS: Final = (
    ("Rank", "Possible ranks: arms without a clear difference share ranks"),
    ("Mean", "Mean ± standard deviation over runs"),
    ("Interval", "95 % that the intervals of all arms hold at once"),
    ("Runs", "Runs that have succeeded"),
    (
        "Difference to best",
        "Mean difference to the best arm, paired, with its simultaneous interval",
    ),
    ("Clear difference", "To the best arm, by Holm over all pairs; level: too small to matter"),
    ("Letters", "Arms that share a letter are not clearly different"),
)


def ranks_html(metric: LeaderboardMetric, styles: Mapping[str, ArmStyle], theme: Theme) -> str:
    """Return a table with one row an arm, the best first, every text escaped."""
    heads = "".join(
        f"<th scope='col' title='{escape(meaning, quote=True)}'>{title}</th>"
        for title, meaning in _HEADS
    )
    body = "".join(
        f"<tr><th scope='row'>{swatch(styles[arm['arm']], theme)}{escape(arm['arm'])}</th>"
        + "".join(f"<td>{cell or '–'}</td>" for cell in _cells(arm))
        + "</tr>"
        for arm in ordered(metric)
    )
    name = f"Ranks by {metric['label']}"
    return table_html(name, f"<td></td>{heads}", body, kind="lb-ranks")


def rank_rows(metric: LeaderboardMetric) -> list[dict[str, Any]]:
    """Return the rows of a table that can be sorted by any column."""
    width = len(str(len(metric["arms"])))
    return [
        {
            "Rank": rank_text(arm, width=width) or state_text(arm),
            "Arm": arm["arm"],
            "Mean": arm["mean"],
            "Low": arm["low"],
            "High": arm["high"],
            "sd": arm["sd"],
            "Runs": arm["n"],
            "Difference to best": arm["to_best"] and arm["to_best"]["mean_difference"],
            "p": arm["to_best"] and arm["to_best"]["p_holm"],
            "Clear difference": _clear_text(arm["to_best"]),
            "Letters": arm["letters"],
        }
        for arm in ordered(metric)
    ]


def number_texts(metric: LeaderboardMetric) -> dict[str, Callable[[float], str]]:
    """Return how the numbers of those rows are written: with the decimals of the spreads."""
    known = [arm for arm in metric["arms"] if arm["mean"] is not None]
    decimals = shared_decimals(
        [arm["mean"] for arm in known if arm["mean"] is not None], [arm["sd"] for arm in known]
    )
    return {
        **dict.fromkeys(("Mean", "Low", "High", "sd"), partial(format_number, decimals=decimals)),
        "Difference to best": partial(format_signed, decimals=decimals),
        "p": short_number,
    }


def _cells(arm: LeaderboardArm) -> list[str]:
    behind = arm["to_best"]
    return [
        rank_text(arm) or escape(_why_no_rank(arm)),
        _mean(arm),
        _range(arm["low"], arm["high"], signed=False),
        str(arm["n"]),
        ""
        if behind is None
        else f"<b>{to_best_text(behind)}</b>"
        f"<small>{_range(behind['low'], behind['high'], signed=True)}</small>",
        _clear_text(behind),
        escape(arm["letters"]),
    ]


def _range(low: float | None, high: float | None, *, signed: bool) -> str:
    if low is None or high is None:
        return ""
    return interval_text(low, high, signed=signed)


def _mean(arm: LeaderboardArm) -> str:
    return "" if arm["mean"] is None else f"<b>{mean_and_spread(arm['mean'], arm['sd'])}</b>"


def to_best_text(behind: ToBest) -> str:
    """Return the difference to the best arm with its sign, as exact as its interval."""
    low, high = behind["low"], behind["high"]
    half_width = None if low is None or high is None else (high - low) / 2
    decimals = shared_decimals([behind["mean_difference"]], [half_width])
    return format_signed(behind["mean_difference"], decimals)


def _why_no_rank(arm: LeaderboardArm) -> str:
    return f"{NOT_TRAINED}: {state_text(arm)}" if arm["state"] else ""


def _clear_text(behind: ToBest | None) -> str:
    if behind is None:
        return ""
    told = "yes" if behind["told_apart"] else "no"
    return f"{told}, level" if behind["level"] else told
