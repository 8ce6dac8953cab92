"""Rank the arms of one metric: the best, groups without clear differences, each arm's places.

Pure functions.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from string import ascii_lowercase

from backend.verdict.wording import listed_arms, named
from contract.metrics import Better

Pair = tuple[str, str]


@dataclass(frozen=True)
class Ranking:
    """The order of the arms in one metric as far as the runs show it."""

    best: list[str]
    """The arms with the best mean; empty where neither direction is better."""
    not_told_apart: list[Pair]
    """The better mean first."""
    groups: list[list[str]]
    """Largest sets of which no two are clearly different, sorted by their members' means."""
    places: dict[str, tuple[int, int]]
    """Arm -> first and last place that it may have; empty where neither direction is better."""

    @property
    def letters(self) -> dict[str, str]:
        """Return a letter for each group that an arm is in, from a for the best one's.

        Arms that share a letter are not clearly different. Empty if there are more groups than
        letters.
        """
        if len(self.groups) > len(ascii_lowercase):
            return {}
        found: dict[str, str] = {}
        for letter, group in zip(ascii_lowercase, self.groups, strict=False):
            for arm in group:
                found[arm] = found.get(arm, "") + letter
        return found


def rank(means: Mapping[str, float], better: Better, ahead: Collection[Pair]) -> Ranking:
    """Rank arms by their means.

    Args:
        means: mean by arm, of the arms that are ranked.
        better: which direction is better; None where neither is.
        ahead: pairs that are clearly different, the better one first; over the seeds that both
            have, so that with missing seeds it may be the one with the worse mean.
    """
    sign = -1 if better == "lower" else 1
    order = sorted(means, key=lambda arm: -sign * means[arm])
    told = {frozenset(pair) for pair in ahead}
    alike = [pair for pair in combinations(order, 2) if frozenset(pair) not in told]
    groups = sorted(
        (sorted(group, key=order.index) for group in _cliques(order, alike)),
        key=lambda group: [order.index(arm) for arm in group],
    )
    if better is None or not order:
        return Ranking([], alike, groups, {})
    above, below = (Counter(pair[place] for pair in ahead) for place in (1, 0))
    first = [arm for arm in order if not above[arm]] or order
    return Ranking(
        best=[arm for arm in first if means[arm] == means[first[0]]],
        not_told_apart=alike,
        groups=groups,
        places={arm: (1 + above[arm], len(order) - below[arm]) for arm in order},
    )


def said(ranking: Ranking, pairs: int, level: Collection[str] = ()) -> str:
    """Return the best arm, those not clearly different and those level with it, in sentences.

    Args:
        ranking: the arms in one metric.
        pairs: how many pairs of arms share replicates enough to be compared.
        level: arms whose difference to the best one is too small to matter.
    """
    sentence = _best(ranking, pairs)
    if not (pairs and level):
        return sentence
    one = len(level) == 1
    return (
        f"{sentence} {listed_arms([arm for arm in ranking.places if arm in level])} "
        f"{'is' if one else 'are'} level with it: the difference{'' if one else 's'} "
        f"{'is' if one else 'are'} too small to matter."
    )


def _best(ranking: Ranking, pairs: int) -> str:
    arms = list(ranking.places)
    if not arms:
        return "Neither direction is better." if ranking.groups else "No arm has a value yet."
    if len(arms) == 1:
        return f"Only {named(arms[0])} has values."
    first = ranking.best[0]
    best = named(first)
    if not pairs:
        return f"{best} has the best mean; too few runs to compare arms."
    alike = {other for pair in ranking.not_told_apart if first in pair for other in pair} - {first}
    near = [arm for arm in arms if arm in alike]
    if not near:
        rest = [arm for arm in arms if arm != first]
        others = f"all {len(rest)} others" if len(rest) > 2 else listed_arms(rest)
        return f"Best: {best}; clear difference to {others}."
    if len(near) > 2 and len(near) == len(arms) - 1:
        return f"Best: {best}; no clear difference to any of the {len(near)} others."
    return f"Best: {best}; no clear difference to {listed_arms(near)}."


def _cliques(arms: Sequence[str], alike: Collection[Pair]) -> Iterator[set[str]]:
    """Yield the largest sets of arms that are pairwise alike (Bron & Kerbosch 1973)."""
    near: dict[str, set[str]] = {arm: set() for arm in arms}
    for one, other in alike:
        near[one].add(other)
        near[other].add(one)

    def grow(chosen: set[str], open_: set[str], done: set[str]) -> Iterator[set[str]]:
        if not open_ and not done:
            if chosen:
                yield chosen
            return
        pivot = max(open_ | done, key=lambda arm: len(near[arm] & open_))
        for arm in open_ - near[pivot]:
            yield from grow(chosen | {arm}, open_ & near[arm], done & near[arm])
            open_ = open_ - {arm}
            done = done | {arm}

    yield from grow(set(), set(arms), set())
