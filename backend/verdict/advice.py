"""Say which arms to use for what, as a sentence about all arms of a comparison.

Pure functions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from backend.verdict.ranking import Pair
from backend.verdict.wording import listed, listed_arms, named

MIN_SEEDS: Final = 6
"""Fewer are called few: the sign-flip test cannot reach 0.05 with them."""
_USES: Final = "\0"
"""Stands for the uses in a clause; no name has it."""


@dataclass(frozen=True)
class Found:
    """What the runs say about one use of embeddings."""

    use: str
    arms: tuple[str, ...]
    """The arms that are ranked, the best mean of the use's first metric first; at least two."""
    ahead: frozenset[Pair]
    """Pairs that differ clearly in all metrics of the use, the better first; no level ones."""
    level: frozenset[frozenset[str]]
    """Pairs that are level in all metrics of the use."""
    half_width: float | None = None
    """Within which level arms are level."""
    leaning: bool = False
    """Of two arms: whether they differ by the 95 % interval of this use alone only."""
    in_part: bool = False
    """Whether a pair is clearly different only in some metrics of the use."""
    leaders: Mapping[str, str] | None = None
    """Of two arms that are each ahead in another metric: the label of that metric, by arm."""

    @property
    def first(self) -> tuple[str, ...]:
        """The arms that no other arm is ahead of."""
        behind = {other for _, other in self.ahead}
        return tuple(arm for arm in self.arms if arm not in behind)


@dataclass(frozen=True)
class Reservation:
    """What limits the advice."""

    replicates: int
    """Runs of the arm that has fewest."""
    differing: Sequence[str] = ()
    """Settings, apart from the loss, in which the arms differ."""
    noun: str = "seed"
    """What one replicate is called."""
    still_open: int = 0
    """Runs that have not ended."""
    trials: int | None = None
    """Of each arm, if the comparison is tuned."""


def advice(found: Sequence[Found], untrained: Mapping[str, str], reservation: Reservation) -> str:
    """Return which arms to use for what, and with what reservation, in a few short sentences.

    Args:
        found: each use that was measured, the main one first.
        untrained: why arms did not train, by arm: these are not ranked.
        reservation: what to bear in mind.
    """
    sentences = _not_trained(untrained)
    if untrained and not found:
        return " ".join([*sentences, "So these runs do not say which arm to use."])
    uses_by_clause: dict[str, list[str]] = {}
    for one in found:  # uses of which the same is said go together
        clause = _clause(one, _USES, all_ranked=not untrained)
        uses_by_clause.setdefault(clause, []).append(one.use)
    said = "; ".join(clause.replace(_USES, listed(uses)) for clause, uses in uses_by_clause.items())
    if not said:
        said = "these runs measured nothing that says which arm to use"
    return " ".join([f"{said[0].upper()}{said[1:]}.", *sentences, _caution(reservation)])


def _clause(one: Found, uses: str, *, all_ranked: bool) -> str:
    first, others = one.first, [arm for arm in one.arms if arm not in one.first]
    if one.leaders:
        parts = [f"{named(arm)} in {label}" for arm, label in one.leaders.items()]
        return f"for {uses} it depends on the metric: {listed(parts)}"
    if not others:
        return f"for {uses} {_alike(one, all_ranked=all_ranked)}"
    if len(one.arms) == 2:
        if one.leaning:
            return f"for {uses} these runs lean towards {named(first[0])}"
        return f"use {named(first[0])} for {uses}"
    return f"for {uses} use {listed_arms(first, 'or')} ({_why(one, first, others)})"


def _alike(one: Found, *, all_ranked: bool) -> str:
    arms = one.arms
    if _all_level(one, arms):
        within = f" within {one.half_width:g}" if one.half_width is not None else ""
        return f"{listed_arms(arms)} are level{within}"
    if one.in_part:
        who = "neither arm is ahead" if len(arms) == 2 else "no arm is ahead of another"
        return f"{who} in all metrics"
    between = "" if all_ranked else f" between {listed_arms(arms)}"
    return f"there is no clear difference{between}"


def _why(one: Found, first: Sequence[str], others: Sequence[str]) -> str:
    behind_all = all((lead, other) in one.ahead for lead in first for other in others)
    named = f"all {len(others)} others" if len(others) > 3 else listed_arms(others)
    if len(first) == 1:
        return f"ahead of {named}" if behind_all else "no other arm is clearly better"
    if _all_level(one, first):
        alike = f"level within {one.half_width:g}"
    else:
        alike = "no clear difference between them"
    if behind_all:
        return f"{alike}; ahead of {named}"
    return f"{alike}; each of the others is clearly worse than one of them"


def _all_level(one: Found, arms: Sequence[str]) -> bool:
    return all(frozenset(pair) in one.level for pair in combinations(arms, 2))


def _not_trained(untrained: Mapping[str, str]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for arm, reason in untrained.items():
        by_reason.setdefault(reason, []).append(arm)
    return [f"{listed_arms(arms)} did not train ({reason})." for reason, arms in by_reason.items()]


def _caution(reservation: Reservation) -> str:
    n, noun = reservation.replicates, reservation.noun
    parts = []
    if reservation.still_open:
        is_or_are = "run has" if reservation.still_open == 1 else "runs have"
        parts.append(f"{reservation.still_open} {is_or_are} not finished")
    if n < MIN_SEEDS:
        parts.append(f"only {n} {noun}{'' if n == 1 else 's'}")
    if reservation.trials is None:
        parts.append("margins were not tuned")
    else:
        trials = "1 trial" if reservation.trials == 1 else f"{reservation.trials} trials"
        parts.append(f"each arm's settings are the best of {trials}")
    if reservation.differing:
        parts.append(f"the arms also differ in {listed(reservation.differing)}")
    return f"Caution: {listed(parts)}."
