"""The figures of one row of a verdict as texts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from frontend.comparison.results_table import format_number, format_signed

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


def interval_text(ends: Sequence[float] | None) -> str:
    """Return an interval of differences, each end with its sign; a dash without one."""
    return NONE if ends is None else f"{format_signed(ends[0])} … {format_signed(ends[1])}"


def number_text(value: float | None) -> str:
    """Return a number; a dash without one."""
    return NONE if value is None else format_number(value)


def signed_text(value: float | None) -> str:
    """Return a number with its sign; a dash without one."""
    return NONE if value is None else format_signed(value)


def ratio_text(row: Json) -> str:
    """Return the ratio of the two arms with its interval and practical bounds; "" without one."""
    if row["ratio"] is None:
        return ""
    text = f"ratio {format_number(row['ratio'])}"
    if ends := _pair(row["ratio_simultaneous"]):
        text += f" [{format_number(ends[0])} … {format_number(ends[1])}]"
    if limits := _pair(row["ratio_bounds"]):
        text += f", level within {format_number(limits[0])} … {format_number(limits[1])}"
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
