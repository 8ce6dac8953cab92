"""What is judged of a claim, and what comes of it."""

from dataclasses import KW_ONLY, dataclass
from typing import Literal

from contract.statistics.intervals import Limits

Word = Literal[
    "supported",
    "contradicted",
    "level",
    "leaning_for",
    "leaning_against",
    "undecided",
    "not_measured",
]
Side = Literal["greater", "less"]


@dataclass(frozen=True)
class Sample:
    """One metric of two arms, a and b, over the replicates that both have."""

    differences: tuple[float, ...]
    """a - b of each pair, in seed order; empty if nothing was measured. With `signs_only` their
    signs alone count."""
    _: KW_ONLY
    expected: Side
    """What the claim says of a: greater or less than b."""
    log_ratios: tuple[float, ...] | None = None
    """ln(a / b) of each pair, for metrics that are compared by ratios for practical equality; None
    if a value is not above 0."""
    signs_only: bool = False
    """Whether only the sign of a difference is known or has a meaning (whole numbers, censored
    values): the exact sign test decides, and there is no interval."""
    limits: Limits = (None, None)
    """Smallest and largest difference that can be."""
    half_width: float | None = None
    """Practical bound: differences from -half_width to half_width make no difference in practice.
    Where log_ratios are given, a factor above 1. None: the arms are never level."""
    values: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    """The pairs' values of a and of b, for the effect size only."""


@dataclass(frozen=True)
class Replication:
    """What differs between replicates."""

    kind: Literal["seed", "split"] = "seed"
    test_to_train: float = 0.0
    """Test items of a split for each of its training items where the replicates are splits of the
    same items, and so depend on each other; 0 where replicates are independent."""

    @property
    def dependent(self) -> bool:
        """Whether the replicates share their data."""
        return self.test_to_train > 0


@dataclass(frozen=True)
class JudgedSample:
    """A sample with its word and the figures behind it."""

    word: Word
    n: int
    """Pairs, with ties."""
    mean: float | None = None
    """Mean difference; None without a pair."""
    interval: tuple[float, float] | None = None
    """95 % interval of the mean difference, within the limits; None below 3 pairs, where only
    signs count, and where all differences are the same (but for 0 in enough pairs)."""
    simultaneous: tuple[float, float] | None = None
    """The same at 1 - .05/k, k being the number of claims measured."""
    bounds: tuple[float, float] | None = None
    """Practical bounds of the difference; None where there are none, or they are of a ratio."""
    ratio: float | None = None
    """Geometric mean of a / b; None without log_ratios."""
    ratio_interval: tuple[float, float] | None = None
    """95 % interval of the ratio."""
    ratio_simultaneous: tuple[float, float] | None = None
    """The same at 1 - .05/k."""
    ratio_bounds: tuple[float, float] | None = None
    """Practical bounds of the ratio: 1/f to f."""
    p: float | None = None
    """P-value of this sample alone: sign-flip test, sign test where only signs count, corrected
    t-test of dependent splits. None without a pair."""
    p_holm: float | None = None
    """That of its claim, adjusted by Holm over the claims."""
    smallest_p: float | None = None
    """Smallest p that this number of pairs can give; 0 for the t-test of dependent splits."""
    can_reach: bool = False
    """Whether k times the smallest p is below .05; if not, p decides nothing and is not shown."""
    level_side: Side | None = None
    """If level: where the difference lies, if the simultaneous interval excludes 0."""
    effect_size: float | None = None
    """Hedges' g_av; None without the arms' values, or where only signs count."""
    replicates_to_halve: int | None = None
    """How many more replicates would halve the simultaneous interval at the same spread; None
    where there is none to halve, and for dependent splits."""
    floor: float | None = None
    """Of dependent splits: half-width of the simultaneous interval that no number of re-splits of
    this data set can go below."""


@dataclass(frozen=True)
class JudgedClaim:
    """A claim with its word, which is what its samples have in common."""

    word: Word
    p: float | None
    """Largest p of its measured samples; where the sign-flip test cannot reach .05, that of the
    t-test counts. None if nothing was measured."""
    p_holm: float | None
    """That, adjusted by Holm over the claims measured."""
    samples: tuple[JudgedSample, ...]
    """In the order in which they were given."""
