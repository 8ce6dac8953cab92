"""Any number of arms by one metric: intervals of their means, and which of them are told apart."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from contract.statistics.claims import Replication
from contract.statistics.intervals import (
    ALPHA,
    FEWEST,
    Limits,
    bounded_interval,
    deviation,
    limits_of_difference,
    mean_interval,
    t_test_p,
    within,
)
from contract.statistics.p_values import holm, sign_flip_p, sign_test_p, smallest_p
from contract.statistics.samples import finite_numbers, is_constant


@dataclass(frozen=True)
class ArmMean:
    """One arm's values of a metric."""

    n: int
    mean: float
    sd: float | None
    """None for a single value."""
    interval: tuple[float, float] | None
    """Of the mean, simultaneous over the arms (95 % that all hold), within the metric's bounds;
    None below 3 replicates, and where only signs count."""


@dataclass(frozen=True)
class ArmPair:
    """Two arms over the replicates that both have."""

    a: str
    b: str
    n: int
    mean_difference: float
    """Mean of a - b."""
    interval: tuple[float, float] | None
    """Of the mean difference, simultaneous over all pairs of arms (Bonferroni); None below 3
    replicates, where only signs count, and where all differences are the same (but for 0 in enough
    pairs)."""
    p: float
    """Of this pair alone, see `told_apart`; 1 below 3 replicates."""
    p_holm: float
    """Adjusted by Holm over all pairs of arms with 3 replicates or more."""
    told_apart: bool

    @property
    def greater(self) -> str | None:
        """The arm that has the greater mean, if the two are told apart."""
        if not self.told_apart:
            return None
        return self.a if self.mean_difference > 0 else self.b


@dataclass(frozen=True)
class ArmsCompared:
    """All arms by one metric, and all pairs of them."""

    arms: dict[str, ArmMean]
    """Arms with at least one value, in the order given."""
    pairs: list[ArmPair]
    """Pairs of arms with a common replicate, a before b in the order given."""

    def not_told_apart_from(self, arm: str) -> list[str]:
        """Return the other arms that are not told apart from this one, in the order given.

        Those without a common replicate are among them.
        """
        apart = {
            pair.b if pair.a == arm else pair.a
            for pair in self.pairs
            if pair.told_apart and arm in (pair.a, pair.b)
        }
        return [other for other in self.arms if other != arm and other not in apart]


def told_apart(
    values: Mapping[str, Mapping[int, float]],
    replication: Replication | None = None,
    *,
    bounds: Limits = (None, None),
    signs_only: bool = False,
) -> ArmsCompared:
    """Compare all arms by one metric, each pair over the replicates that both have.

    The family are all pairs of arms with 3 common replicates or more; fewer tell nothing apart.
    Without any difference, the probability that one or more pairs are told apart is at most .05.
    Two arms are told apart if the pair's p, adjusted by Holm over the family, is below .05. That p
    is the larger of Student's t-test and the sign-flip test, the latter wherever the number of
    common replicates can reach .05 in this family. Where only signs count it is that of the exact
    sign test; with dependent splits that of the corrected t-test, and signs tell nothing apart.

    The intervals of the arms' means say nothing of differences: arms share their replicates, so
    arms whose intervals overlap may well be told apart.

    Args:
        values: arm -> seed -> value; arms need not have the same seeds.
        replication: what differs between replicates; by default independent seeds.
        bounds: smallest and largest value that the metric can have.
        signs_only: whether only the sign of a difference has a meaning (whole numbers, censored
            values).

    Raises:
        SampleError: a value is not finite; names the arm.
    """
    replication = replication or Replication()
    for arm, of_arm in values.items():
        if of_arm:
            finite_numbers(f"values of {arm}", list(of_arm.values()))
    known = {arm: of_arm for arm, of_arm in values.items() if of_arm}
    arms = {
        arm: _arm(list(of_arm.values()), len(known), replication, bounds, signs_only=signs_only)
        for arm, of_arm in known.items()
    }
    differences = {
        (a, b): tuple(known[a][seed] - known[b][seed] for seed in known[a] if seed in known[b])
        for a, b in combinations(known, 2)
    }
    differences = {pair: each for pair, each in differences.items() if each}
    enough = {pair: each for pair, each in differences.items() if len(each) >= FEWEST}
    family = len(enough)
    p_values = {
        pair: _p(each, replication, family, signs_only=signs_only) for pair, each in enough.items()
    }
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    pairs = [
        ArmPair(
            a,
            b,
            len(each),
            statistics.fmean(each),
            None
            if signs_only
            else within(_interval(each, replication, family), limits_of_difference(bounds)),
            p_values.get((a, b), 1.0),
            adjusted.get((a, b), 1.0),
            adjusted.get((a, b), 1.0) < ALPHA,
        )
        for (a, b), each in differences.items()
    ]
    return ArmsCompared(arms, pairs)


def _interval(
    differences: tuple[float, ...], replication: Replication, family: int
) -> tuple[float, float] | None:
    """Return the interval of a pair of arms; None below 3 replicates and without spread.

    Where no replicate differs at all it is from 0 to 0, if so many signs can decide.
    """
    n = len(differences)
    if n < FEWEST:
        return None
    if is_constant(differences):
        sure = not replication.dependent and family * smallest_p(n) < ALPHA
        return (0.0, 0.0) if sure and not any(differences) else None
    return mean_interval(differences, family=family, test_to_train=replication.test_to_train)


def _arm(
    values: list[float], arms: int, replication: Replication, bounds: Limits, *, signs_only: bool
) -> ArmMean:
    found = bounded_interval(values, bounds, family=arms, test_to_train=replication.test_to_train)
    return ArmMean(
        len(values), statistics.fmean(values), deviation(values), None if signs_only else found
    )


def _p(
    differences: tuple[float, ...], replication: Replication, family: int, *, signs_only: bool
) -> float:
    if signs_only or is_constant(differences):
        if replication.dependent:
            return 1.0
        return sign_test_p(sum(d > 0 for d in differences), sum(d < 0 for d in differences))
    p = t_test_p(differences, replication.test_to_train)
    if not replication.dependent and family * smallest_p(len(differences)) < ALPHA:
        return max(p, sign_flip_p(differences))
    return p
