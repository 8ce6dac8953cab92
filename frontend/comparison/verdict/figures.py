"""The figures of one row of a verdict as texts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from frontend.ui import numbers
from frontend.ui.numbers import format_number, format_signed, short_number

Json = Mapping[str, Any]

MIN_REPLICATES: Final = 3
"""With fewer replicates there is no interval: they are shown alone."""
NONE: Final = "–"


def row_label(row: Json) -> str:
    """Return the name of a metric and the part of the training at which it was read."""
    label, part = str(row["label"]), str(row["part"])
    if not part:
        return label
    return f"{label.removesuffix(' (test)').removesuffix(' (test, last epoch)')}, {part}"


def simultaneous(row: Json) -> tuple[float, float] | None:
    """Return the simultaneous interval of a row; None where there is none."""
    return _pair(row["simultaneous"])


def plain(row: Json) -> tuple[float, float] | None:
    """Return the 95 % interval of a row; None where there is none."""
    return _pair(row["interval"])


def bounds(row: Json) -> tuple[float, float] | None:
    """Return the practical bounds of a row, in units of its difference; None without any."""
    return _pair(row["bounds"])


def robust_rows(claim: Json) -> Sequence[Json]:
    """Return the rows on which the word rests."""
    return list(claim["evidence"])


def reported_rows(claim: Json) -> Sequence[Json]:
    """Return the rows of the measure as the paper took it."""
    return list(claim["reported_evidence"])


def reports_something_else(claim: Json) -> bool:
    """Return whether the measure as reported has other metrics, or another word, than the claim."""
    reported = {row["metric"] for row in reported_rows(claim)}
    same = reported <= {row["metric"] for row in robust_rows(claim)}
    return bool(reported) and not (same and claim["as_reported"]["word"] == claim["verdict"])


def difference_text(row: Json) -> str:
    """Return the mean difference of a row with its sign, as exact as its interval; a dash without
    one."""
    value = row["mean_difference"]
    return NONE if value is None else format_signed(value, _decimals(row))


def interval_text(ends: Sequence[float] | None) -> str:
    """Return an interval of differences, each end with its sign; a dash without one."""
    return NONE if ends is None else numbers.interval_text(ends[0], ends[1], signed=True)


def bounds_text(row: Json) -> str:
    """Return the practical bounds of a row, as they were given; a dash without any."""
    ends = bounds(row)
    return NONE if ends is None else f"{short_number(ends[0])} … +{short_number(ends[1])}"


def mean_text(row: Json, arm: str) -> str:
    """Return the mean of arm "a" or "b" of a row, as exact as the interval; a dash without one."""
    value = row[f"mean_{arm}"]
    return NONE if value is None else format_number(value, _decimals(row))


def p_text(value: float | None) -> str:
    """Return a p-value; a dash without one."""
    return NONE if value is None else short_number(value)


def effect_text(row: Json) -> str:
    """Return the effect size of a row with its sign; a dash without one."""
    value = row["effect_size"]
    return NONE if value is None else format_signed(value, 2)


def _decimals(row: Json) -> int | None:
    ends = plain(row) or simultaneous(row)
    half_width = (ends[1] - ends[0]) / 2 if ends else None
    known = [row[key] for key in ("mean_difference", "mean_a", "mean_b") if row[key] is not None]
    return numbers.shared_decimals(known, [half_width])


def ratio_text(row: Json) -> str:
    """Return the ratio of the two arms with its interval and practical bounds; "" without one."""
    if row["ratio"] is None:
        return ""
    ends = _pair(row["ratio_simultaneous"])
    half_width = (ends[1] - ends[0]) / 2 if ends else None
    decimals = numbers.shared_decimals([row["ratio"]], [half_width])
    text = f"ratio {format_number(row['ratio'], decimals)}"
    if ends:
        text += f" [{numbers.interval_text(*ends)}]"
    if limits := _pair(row["ratio_bounds"]):
        text += f", level within {short_number(limits[0])} … {short_number(limits[1])}"
    return text


def rule_text(verdict: Json) -> str:
    """Return how a word is decided, and what varied between replicates unless it is said before."""
    said, rule = str(verdict["replicates"]["said"]), str(verdict["rule"])
    known = said in rule or f"over {said}" in verdict["summary"]
    return rule if known else f"Over {said}. {rule}"


def not_trained(verdict: Json) -> list[str]:
    """Return a sentence for each state for which an arm was not trained.

    States of arms that were trained stand among the caveats.
    """
    return [str(one["said"]) for one in verdict["arm_states"] if one["not_trained"]]


def summary_text(verdict: Json) -> str:
    """Return the summary without the sentences of `not_trained`, which are shown beside it."""
    summary = str(verdict["summary"])
    for said in not_trained(verdict):
        summary = summary.removeprefix(said).lstrip()
    return summary


def count_text(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def noun(verdict: Json) -> str:
    """Return what a replicate of this verdict is called: seed, draw or split."""
    return str(verdict["replicates"]["noun"])


def _pair(found: Sequence[float] | None) -> tuple[float, float] | None:
    return None if found is None else (found[0], found[1])
