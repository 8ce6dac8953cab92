"""Decide evidence and claims from paired values, and give the reasons as a sentence.

Pure functions.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from backend.metrics.measurements import Observation, PairedValues
from contract.catalogue.claims import Evidence
from contract.metrics import METRICS

Decision = Literal["supported", "contradicted", "undecided", "not_measured"]

_DETAIL_METRIC: Final = "test.detail.recall_at_1"

ALPHA: Final = 0.05
"""If censored values allow no interval, the p-value of the sign-flip test must be below this."""


@dataclass(frozen=True)
class JudgedEvidence:
    """One piece of evidence with the two arms' values."""

    evidence: Evidence
    paired: PairedValues
    p_holm: float | None
    """The p-value, adjusted by Holm over all evidence of a verdict; None without a pair."""

    @property
    def decision(self) -> Decision:
        """Decided by the 95 % interval of the difference, or by the p-value if a value is censored.

        Fewer than two pairs decide nothing.
        """
        difference = self.paired.difference
        if difference is None:
            return "undecided" if self.paired.dropped else "not_measured"
        if difference.n < 2:
            return "undecided"
        low = high = difference.mean_difference
        if difference.interval:
            low, high = difference.interval
        elif difference.p_value >= ALPHA:
            return "undecided"
        if low <= 0 <= high:
            return "undecided"
        return "supported" if (low > 0) == (self.evidence.expected == "greater") else "contradicted"

    @property
    def mean_a(self) -> float | None:
        """Mean of the first arm over the pairs; None if a value is censored, or without a pair."""
        return _mean(self.paired.values_a)

    @property
    def mean_b(self) -> float | None:
        """The same of the second arm."""
        return _mean(self.paired.values_b)


def claim_decision(judged: Sequence[JudgedEvidence]) -> Decision:
    """Return the decision on a claim: that of its measured evidence if all of it agrees."""
    decisions = {one.decision for one in judged} - {"not_measured"}
    if not decisions:
        return "not_measured"
    return decisions.pop() if len(decisions) == 1 else "undecided"


def reason(judged: Sequence[JudgedEvidence], a: str, b: str) -> str:
    """Return the figures behind a claim's decision as a sentence; a and b are the arms' names."""
    known = [one for one in judged if one.decision != "not_measured"]
    missing = [
        METRICS[one.evidence.metric].label for one in judged if one.decision == "not_measured"
    ]
    if not known:
        said = f"No seed has a value of {' or '.join(missing)} in both arms"
        if judged[0].evidence.metric == _DETAIL_METRIC:
            said += ": it needs fine labels, and the data have none"
        return f"{said}."
    said = "; ".join(_describe(one, a, b) for one in known)
    if len({one.decision for one in known}) > 1:
        said = f"The metrics do not agree: {said}"
    if missing:
        said += f"; not measured: {', '.join(missing)}"
    return f"{said}."


def _describe(one: JudgedEvidence, a: str, b: str) -> str:
    label = METRICS[one.evidence.metric].label
    paired, difference = one.paired, one.paired.difference
    if difference is None:
        return (
            f"{label}: not reached in the epochs trained, so no pair (of {paired.dropped}) says "
            "which arm is ahead"
        )
    means = (
        ""
        if one.mean_a is None or one.mean_b is None
        else (f"{one.mean_a:.3g} in {a} against {one.mean_b:.3g} in {b}, ")
    )
    figure = f"{label}: {means}a mean difference of {difference.mean_difference:+.3g}"
    over = f"over {_count(difference.n, 'seed')}"
    if paired.censored:
        return (
            f"{figure} {over}, with {_count(paired.censored, 'pair')} censored"
            f"{f' ({paired.dropped} dropped)' if paired.dropped else ''}; without an interval the "
            f"sign-flip p = {difference.p_value:.3g} decides, {_conclusion(one)}"
        )
    if difference.interval is None:
        return f"{figure} {over}; {_conclusion(one)}"
    low, high = difference.interval
    return f"{figure} (95 % interval {low:+.3g} to {high:+.3g}) {over}, {_conclusion(one)}"


def _conclusion(one: JudgedEvidence) -> str:
    difference = one.paired.difference
    if one.decision == "supported":
        return "as claimed"
    if one.decision == "contradicted":
        return "the other way round than claimed"
    if difference is None or difference.n < 2:
        return "a single pair decides nothing"
    if difference.interval is None:
        return f"and is not below {ALPHA}"
    low, high = difference.interval
    if low == high:
        return "no difference at all"
    return "which contains zero"


def _mean(values: Sequence[Observation]) -> float | None:
    if not values or any(one.censored for one in values):
        return None
    return statistics.fmean(one.value for one in values)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
