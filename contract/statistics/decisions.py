"""Decide claims that rest on paired differences, so that they hold together.

The family are the claims that have been measured, k of them. Without any difference, the
probability that one or more claims are called supported or contradicted is at most .05:

- A claim of several samples has the largest of their p-values (intersection-union test).
- The simultaneous interval of a sample holds with 1 - .05/k (Bonferroni), so that those of one
  sample of each claim hold together with 95 %.
- From the number of pairs on at which k times the smallest p of the sign-flip test is below .05,
  that test must reject too, adjusted by Holm over the claims. Then symmetric differences of any
  distribution keep the promise. With fewer pairs it rests on Student's t, and a claim enters Holm's
  family with the p-value of that: another claim's adjustment must not profit from a p-value that
  decides nothing.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from contract.statistics.claims import JudgedClaim, JudgedSample, Replication, Sample, Side, Word
from contract.statistics.intervals import (
    ALPHA,
    FEWEST,
    mean_interval,
    narrowest_half_width,
    replicates_to_halve,
    t_test_p,
    within,
)
from contract.statistics.p_values import holm, sign_flip_p, sign_test_p, smallest_p
from contract.statistics.paired import effect_size
from contract.statistics.samples import SampleError, finite_numbers, is_constant

_LevelWord = Literal["level_for", "level_against"]
"""Level, with the side on which the difference lies."""

_SIDES: Final[tuple[tuple[Word, Word, _LevelWord], ...]] = (
    ("supported", "leaning_for", "level_for"),
    ("contradicted", "leaning_against", "level_against"),
)
"""The words of each side: decided, leaning, and level with that side."""

_LARGEST_LOG: Final = 700.0
"""Logarithm of a ratio up to which a float can hold the ratio."""


def judge(
    claims: Sequence[Sequence[Sample]], replication: Replication | None = None
) -> list[JudgedClaim]:
    """Judge claims; all samples of a claim must agree.

    Of each sample the first that matches:

    1. no pair: not_measured; fewer than 3: undecided;
    2. the simultaneous interval lies inside the practical bounds: level;
    3. it excludes 0, and the claim's p by Holm is below .05 wherever the number of pairs can reach
       that: supported or contradicted;
    4. the 95 % interval excludes 0: leaning;
    5. undecided.

    Where only signs count, 3 asks for the claim's p by Holm alone, and 4 for the sample's own p
    below .05; signs of dependent splits lean at most. Differences that are all the same are judged
    by their signs too, since an interval without width would be surer than a few pairs can be. They
    are level if they lie inside the bounds and k times the smallest p of so many pairs is below
    .05; then 0 in all pairs has the interval from 0 to 0.

    Args:
        claims: samples of each claim; those without a pair are left out of its word.
        replication: what differs between replicates; by default independent seeds.

    Returns:
        The judged claims in the same order, with their samples in the same order.

    Raises:
        SampleError: values are not finite or of different lengths, or a half-width is too small.
    """
    replication = replication or Replication()
    if not 0 <= replication.test_to_train < math.inf:
        raise SampleError(f"test_to_train must be 0 or more; got {replication.test_to_train}")
    for claim in claims:
        for sample in claim:
            _check(sample)
    family = sum(any(sample.differences for sample in claim) for claim in claims)
    measured = [
        [_measure(sample, replication, family) for sample in claim if sample.differences]
        for claim in claims
    ]
    p_values = {i: max(one.decisive_p for one in each) for i, each in enumerate(measured) if each}
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    judged = []
    for i, claim in enumerate(claims):
        known = iter(measured[i])
        samples = tuple(
            next(known).decide(adjusted[i])
            if sample.differences
            else JudgedSample("not_measured", 0)
            for sample in claim
        )
        word = common_word(map(_word_with_side, samples, claim))
        judged.append(JudgedClaim(word, p_values.get(i), adjusted.get(i), samples))
    return judged


def common_word(words: Iterable[Word | _LevelWord]) -> Word:
    """Return the word of a claim from those of its samples.

    It is the one that all measured samples have. On the same side but of unequal strength it is the
    weaker, in any other case undecided. A level sample whose interval excludes 0 has a side: beside
    others on that side, which are not level, the claim leans.
    """
    found = frozenset(words) - {"not_measured"}
    if not found:
        return "not_measured"
    if found <= {"level", "level_for", "level_against"}:
        return "level"
    for decided, leaning, level in _SIDES:
        if found == {decided}:
            return decided
        if found <= {decided, leaning, level}:
            return leaning
    return "undecided"


def _word_with_side(judged: JudgedSample, sample: Sample) -> Word | _LevelWord:
    if judged.word != "level" or judged.level_side is None:
        return judged.word
    return "level_for" if judged.level_side == sample.expected else "level_against"


@dataclass(frozen=True)
class _Measured:
    """A sample's figures, before its claim is adjusted for the others."""

    sample: Sample
    figures: JudgedSample
    """Without its word and its adjusted p."""
    by_signs: bool
    dependent: bool
    simultaneous: tuple[float, float] | None
    """Not cut at the limits."""
    level: bool
    decisive_p: float
    """What the sample brings into its claim's p."""

    def decide(self, p_holm: float) -> JudgedSample:
        word: Word = "undecided"
        level_side = None
        side = self._side(p_holm)
        if self.level:
            word = "level"
            level_side = _side_of(self.simultaneous)
        elif side is not None:
            word = "supported" if side == self.sample.expected else "contradicted"
        elif (leaning := self._leaning()) is not None:
            word = "leaning_for" if leaning == self.sample.expected else "leaning_against"
        return replace(self.figures, word=word, level_side=level_side, p_holm=p_holm)

    def _side(self, p_holm: float) -> Side | None:
        """Return the side that is decided."""
        if self.figures.n < FEWEST:
            return None
        if self.by_signs:
            decided = p_holm < ALPHA and not self.dependent
            return _majority(self.sample.differences) if decided else None
        if self.figures.can_reach and p_holm >= ALPHA:
            return None
        return _side_of(self.simultaneous)

    def _leaning(self) -> Side | None:
        if self.figures.n < FEWEST:
            return None
        if self.by_signs:
            p = self.figures.p
            return _majority(self.sample.differences) if p is not None and p < ALPHA else None
        return _side_of(self.figures.interval)


def _measure(sample: Sample, replication: Replication, family: int) -> _Measured:
    """Return the figures of a sample with at least one pair."""
    if sample.signs_only or is_constant(sample.differences):
        return _measure_signs(sample, replication, family)
    differences, ratio = sample.differences, replication.test_to_train
    n = len(differences)
    enough = n >= FEWEST
    simultaneous = (
        mean_interval(differences, family=family, test_to_train=ratio) if enough else None
    )
    plain = mean_interval(differences, test_to_train=ratio) if enough else None
    p_t = t_test_p(differences, ratio) if enough else 1.0
    p = p_t if replication.dependent else sign_flip_p(differences)
    smallest = 0.0 if replication.dependent else smallest_p(n)
    can_reach = enough and family * smallest < ALPHA
    figures = JudgedSample(
        "undecided",
        n,
        mean=statistics.fmean(differences),
        interval=within(plain, sample.limits),
        simultaneous=within(simultaneous, sample.limits),
        p=p,
        smallest_p=smallest,
        can_reach=can_reach,
        effect_size=effect_size(*sample.values) if sample.values else None,
        replicates_to_halve=replicates_to_halve(n, family)
        if enough and not replication.dependent
        else None,
        floor=narrowest_half_width(differences, ratio, family)
        if enough and replication.dependent
        else None,
    )
    figures, level = _practical(sample, figures, simultaneous, replication, family)
    decisive = p if can_reach else p_t
    return _Measured(sample, figures, False, replication.dependent, simultaneous, level, decisive)


def _measure_signs(sample: Sample, replication: Replication, family: int) -> _Measured:
    n = len(sample.differences)
    positive = sum(one > 0 for one in sample.differences)
    negative = sum(one < 0 for one in sample.differences)
    smallest = 2.0 ** min(0, 1 - positive - negative)
    p = sign_test_p(positive, negative)
    figures = JudgedSample(
        "undecided",
        n,
        mean=statistics.fmean(sample.differences),
        p=p,
        smallest_p=smallest,
        can_reach=n >= FEWEST and not replication.dependent and family * smallest < ALPHA,
    )
    figures, _ = _practical(sample, figures, None, replication, family)
    judgeable = n >= FEWEST and not replication.dependent
    point = None
    if judgeable and not sample.signs_only and family * 2.0 ** (1 - n) < ALPHA:
        point = min(sample.differences), max(sample.differences)
        if not any(point):
            figures = replace(figures, interval=point, simultaneous=point)
    level = point is not None and _all_inside(sample)
    # Signs of dependent splits decide nothing, and must not help another claim.
    decisive = p if judgeable else 1.0
    return _Measured(sample, figures, True, replication.dependent, point, level, decisive)


def _practical(
    sample: Sample,
    figures: JudgedSample,
    simultaneous: tuple[float, float] | None,
    replication: Replication,
    family: int,
) -> tuple[JudgedSample, bool]:
    """Return the figures with the practical bounds, and whether the arms are level by them."""
    half, logs = sample.half_width, sample.log_ratios
    if logs is None:
        if half is None:
            return figures, False
        return replace(figures, bounds=(-half, half)), _inside(simultaneous, half)
    by_ratio = figures.n >= FEWEST and simultaneous is not None and not is_constant(logs)
    ratio = replication.test_to_train
    plain = mean_interval(logs, test_to_train=ratio) if by_ratio else None
    wide = mean_interval(logs, family=family, test_to_train=ratio) if by_ratio else None
    figures = replace(
        figures,
        ratio=_exp(statistics.fmean(logs)),
        ratio_interval=_exp_both(plain),
        ratio_simultaneous=_exp_both(wide),
        ratio_bounds=(1 / half, half) if half else None,
    )
    return figures, half is not None and _inside(wide, math.log(half))


def _check(sample: Sample) -> None:
    """Raise a SampleError unless a sample can be judged."""
    n = len(sample.differences)
    if n:
        finite_numbers("differences", sample.differences)
    others = {"log_ratios": sample.log_ratios}
    others["values of a"], others["values of b"] = sample.values or (None, None)
    for name, numbers in others.items():
        if numbers is not None and len(numbers) != n:
            raise SampleError(f"{name} must be as many as differences, {n}; got {len(numbers)}")
        if numbers:
            finite_numbers(name, numbers)
    least = 0 if sample.log_ratios is None else 1
    if sample.half_width is not None and not least < sample.half_width < math.inf:
        raise SampleError(f"half_width must be more than {least}; got {sample.half_width}")


def _majority(differences: Sequence[float]) -> Side | None:
    positive, negative = sum(one > 0 for one in differences), sum(one < 0 for one in differences)
    return None if positive == negative else "greater" if positive > negative else "less"


def _side_of(found: tuple[float, float] | None) -> Side | None:
    if found is None or found[0] <= 0 <= found[1]:
        return None
    return "greater" if found[0] > 0 else "less"


def _inside(found: tuple[float, float] | None, half: float) -> bool:
    return found is not None and -half < found[0] and found[1] < half


def _all_inside(sample: Sample) -> bool:
    """Return whether the difference of every pair lies inside the practical bounds."""
    if sample.half_width is None:
        return False
    if sample.log_ratios is None:
        return all(abs(one) < sample.half_width for one in sample.differences)
    return all(abs(one) < math.log(sample.half_width) for one in sample.log_ratios)


def _exp(log_ratio: float) -> float:
    """Return a ratio from its logarithm, as far as a float can hold it."""
    return math.exp(min(max(log_ratio, -_LARGEST_LOG), _LARGEST_LOG))


def _exp_both(found: tuple[float, float] | None) -> tuple[float, float] | None:
    return found and (_exp(found[0]), _exp(found[1]))
