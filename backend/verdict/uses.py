"""What the runs say about each use of embeddings: retrieval, classification, keeping detail.

A use has several metrics, which must all agree, as those of a claim must. Two arms are judged as
the verdict judges them; more are told apart pair by pair, by Holm over all pairs.

Pure functions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from backend.verdict.advice import Found
from backend.verdict.ranking import Pair
from contract.catalogue.claims import CLAIMS
from contract.metrics import METRICS, Better
from contract.statistics import (
    ArmPair,
    ArmsCompared,
    JudgedClaim,
    Replication,
    Sample,
    Word,
    judge,
)

Use = tuple[str, tuple[str, ...]]
"""What embeddings are used for, and the metrics that must agree on it, the main one first."""

ACROSS: Final[Use] = (
    "retrieval from one modality to the other",
    ("test.retrieval.audio_to_visual.map", "test.retrieval.visual_to_audio.map"),
)
"""In the place of retrieval on data of two modalities."""
USES: Final[tuple[Use, ...]] = (
    ("retrieval", ("test.retrieval.map_at_r", "test.retrieval.recall_at_1")),
    (
        "classification",
        ("test.classification.knn_accuracy_5", "test.classification.linear_probe_accuracy"),
    ),
    ("keeping detail within classes", ("test.detail.recall_at_1", "test.last.detail.recall_at_1")),
)
USE_METRICS: Final = tuple(key for _, keys in (ACROSS, *USES) for key in keys)

_OTHER_CLAIMS: Final = len(CLAIMS) - len(USES)
"""Claims about geometry and training, which are in the family of the verdict too."""
_NOTHING: Final = Sample(differences=(0.0,), expected="less")
"""Stands for one of them: it has no say but counts."""


@dataclass(frozen=True)
class Values:
    """One metric of all arms that are ranked."""

    key: str
    by_arm: Mapping[str, Mapping[int, float]]
    compared: ArmsCompared
    practical: float | None
    """Half-width of the differences that do not matter; None where all do."""

    @property
    def better(self) -> Better:
        """Which direction is better."""
        return METRICS[self.key].better

    def directed(self, pair: ArmPair) -> Pair:
        """Return the names of two arms, the one that is ahead first."""
        first = (pair.mean_difference > 0) == (self.better != "lower")
        return (pair.a, pair.b) if first else (pair.b, pair.a)

    def is_level(self, pair: ArmPair) -> bool:
        """Return whether the simultaneous interval lies inside the practical bounds."""
        if self.practical is None or pair.interval is None:
            return False
        low, high = pair.interval
        return -self.practical <= low and high <= self.practical


def find(measured: Mapping[str, Values], replication: Replication) -> list[Found]:
    """Return what is known of each use, the main one first; unmeasured ones are left out.

    Args:
        measured: metrics by key; those of USE_METRICS are read, and may be missing.
        replication: what differs between the runs of an arm.
    """
    first = ACROSS if all(_has_two_arms(measured, key) for key in ACROSS[1]) else USES[0]
    known = {
        use: [measured[key] for key in keys if _has_two_arms(measured, key)]
        for use, keys in (first, *USES[1:])
    }
    arms = {use: _arms(metrics) for use, metrics in known.items() if metrics}
    known = {use: metrics for use, metrics in known.items() if len(arms.get(use, ())) > 1}
    if all(len(arms[use]) == 2 for use in known):
        return _of_two(known, arms, replication)
    return [_of_many(use, arms[use], metrics) for use, metrics in known.items()]


def _has_two_arms(measured: Mapping[str, Values], key: str) -> bool:
    return key in measured and len(measured[key].compared.arms) > 1


def _arms(metrics: Sequence[Values]) -> tuple[str, ...]:
    """Return the arms that have all metrics, the best mean of the first metric first."""
    first = metrics[0]
    known = [arm for arm in first.by_arm if all(arm in one.compared.arms for one in metrics)]
    sign = 1 if first.better == "lower" else -1
    return tuple(sorted(known, key=lambda arm: sign * first.compared.arms[arm].mean))


def _of_many(use: str, arms: tuple[str, ...], metrics: Sequence[Values]) -> Found:
    ahead = [
        {one.directed(pair) for pair in one.compared.pairs if pair.told_apart} for one in metrics
    ]
    level = frozenset.intersection(
        *(
            frozenset(
                frozenset((pair.a, pair.b)) for pair in one.compared.pairs if one.is_level(pair)
            )
            for one in metrics
        )
    )
    apart = {pair for pair in set.intersection(*ahead) if frozenset(pair) not in level}
    return Found(
        use,
        arms,
        frozenset(pair for pair in apart if set(pair) <= set(arms)),
        level,
        _widest(metrics),
    )


def _of_two(
    known: Mapping[str, Sequence[Values]],
    arms: Mapping[str, tuple[str, ...]],
    replication: Replication,
) -> list[Found]:
    """Judge two arms in the family of the verdict's claims, so that both say the same."""
    claims = [[_sample(one, arms[use]) for one in metrics] for use, metrics in known.items()]
    judged = judge([*claims, *[[_NOTHING]] * _OTHER_CLAIMS], replication)
    return [
        _found_of_two(use, arms[use], metrics, claim)
        for (use, metrics), claim in zip(known.items(), judged, strict=False)
    ]


def _sample(one: Values, arms: tuple[str, ...]) -> Sample:
    a, b = (one.by_arm[arm] for arm in arms)
    low, high = METRICS[one.key].bounds
    return Sample(
        tuple(a[seed] - b[seed] for seed in a if seed in b),
        expected="less" if one.better == "lower" else "greater",
        limits=(None, None) if low is None or high is None else (low - high, high - low),
        half_width=one.practical,
    )


def _found_of_two(
    use: str, arms: tuple[str, ...], metrics: Sequence[Values], claim: JudgedClaim
) -> Found:
    a, b = arms
    by_word: dict[Word, Pair] = {
        "supported": (a, b),
        "leaning_for": (a, b),
        "contradicted": (b, a),
        "leaning_against": (b, a),
    }
    leaders = {
        by_word[sample.word][0]: METRICS[one.key].label.removesuffix(" (test)")
        for one, sample in zip(metrics, claim.samples, strict=True)
        if sample.word in {"supported", "contradicted"}
    }
    return Found(
        use,
        arms,
        frozenset({by_word[claim.word]} if claim.word in by_word else ()),
        frozenset({frozenset(arms)} if claim.word == "level" else ()),
        _widest(metrics),
        leaning=claim.word in {"leaning_for", "leaning_against"},
        leaders=leaders if len(leaders) > 1 else None,
    )


def _widest(metrics: Sequence[Values]) -> float | None:
    return max((one.practical for one in metrics if one.practical is not None), default=None)
