"""Two arms' values, paired by seed, where some may be known only to be more than a bound."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from contract.statistics import PairedDifference, compare


class Known(NamedTuple):
    """A value; where censored, a whole number that the real value exceeds."""

    value: float
    censored: bool = False


@dataclass(frozen=True)
class Paired:
    """What the pairs of two arms say."""

    difference: PairedDifference | None
    """None if no pair is left. Without interval and effect size where a value is censored: its
    bound took its place."""
    values_a: list[Known]
    """Of the pairs that are left, in the order of the first arm's seeds."""
    values_b: list[Known]
    censored: int = 0
    """Pairs with a censored value, dropped ones among them."""
    dropped: int = 0
    """Pairs that say nothing: nobody knows which of the two is more."""


def pair(a: Mapping[int, Known], b: Mapping[int, Known]) -> Paired:
    """Pair two arms' values by seed.

    Where one of a pair is censored and its bound is not below the other value, the sign of their
    difference is known, and the bound stands for the value; where the two are equal the censored
    one is taken as 1 more, the least it can be. A pair whose sign is not known is dropped: both
    are censored, or the bound lies below the other value, since that arm was trained for less.
    """
    both = [(a[seed], b[seed]) for seed in a if seed in b]
    kept = [values for values in both if _sign_is_known(*values)]
    censored = sum(x.censored or y.censored for x, y in both)
    difference = _difference(kept)
    if difference and censored:
        difference = replace(difference, interval=None, effect_size=None)
    return Paired(
        difference,
        [x for x, _ in kept],
        [y for _, y in kept],
        censored,
        dropped=len(both) - len(kept),
    )


def _sign_is_known(a: Known, b: Known) -> bool:
    if a.censored and b.censored:
        return False
    if a.censored:
        return a.value >= b.value
    return not b.censored or b.value >= a.value


def _difference(pairs: list[tuple[Known, Known]]) -> PairedDifference | None:
    if not pairs:
        return None
    ties = [a.value == b.value for a, b in pairs]
    return compare(
        [a.value + (tie and a.censored) for (a, _), tie in zip(pairs, ties, strict=True)],
        [b.value + (tie and b.censored) for (_, b), tie in zip(pairs, ties, strict=True)],
    )
