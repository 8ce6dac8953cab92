"""What the runs say about each use of embeddings: retrieval, classification, keeping detail.

A use has several metrics, which must all agree, as those of a claim must. Two arms are judged by
the verdict's claims; more are compared pair by pair, by Holm over all pairs.

Pure functions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from backend.verdict.advice import Found
from backend.verdict.evidence import JudgedForm
from backend.verdict.ranking import Pair
from contract.metrics import METRICS, Better
from contract.statistics import ArmPair, ArmsCompared, Word

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
    ("retrieval of positives", ("test.pairs.mrr", "test.pairs.recall_at_1")),
    ("the order of similarities", ("test.pairs.spearman",)),
)
MAIN_USES: Final = (ACROSS[0], "retrieval", "retrieval of positives", "the order of similarities")
"""What the runs of a comparison are about first of all; each has one of them."""
USE_METRICS: Final = tuple(key for _, keys in (ACROSS, *USES) for key in keys)

CLAIM_OF_USE: Final[Mapping[str, int]] = {
    ACROSS[0]: 8,
    "retrieval": 8,
    "classification": 7,
    "keeping detail within classes": 9,
}
"""Use -> the claim that decides it: that the second of two arms serves it better."""

JudgePair = Callable[[str, str], Sequence[JudgedForm]]
"""Returns the nine claims, judged by two arms."""


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
        return -self.practical < low and high < self.practical


def find(measured: Mapping[str, Values], judge: JudgePair) -> list[Found]:
    """Return what is known of each use, the main one first; unmeasured ones are left out.

    Args:
        measured: metrics by key; those of USE_METRICS are read, and may be missing.
        judge: judges the claims by two arms.
    """
    first = ACROSS if all(_has_two_arms(measured, key) for key in ACROSS[1]) else USES[0]
    known = {
        use: [measured[key] for key in keys if _has_two_arms(measured, key)]
        for use, keys in (first, *USES[1:])
    }
    arms = {use: _arms(metrics) for use, metrics in known.items() if metrics}
    known = {use: metrics for use, metrics in known.items() if len(arms.get(use, ())) > 1}
    if all(use in CLAIM_OF_USE and len(arms[use]) == 2 for use in known):
        return _of_two(known, arms, judge)
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
    apart, in_part = (
        {pair for pair in pairs if frozenset(pair) not in level and set(pair) <= set(arms)}
        for pairs in (set.intersection(*ahead), set.union(*ahead))
    )
    return Found(use, arms, frozenset(apart), level, _widest(metrics), in_part=apart != in_part)


def _of_two(
    known: Mapping[str, Sequence[Values]], arms: Mapping[str, tuple[str, ...]], judge: JudgePair
) -> list[Found]:
    """Judge two arms as the verdict does, by its claims about the uses."""
    return [
        _found_of_two(use, (a, b), metrics, judge(a, b)[CLAIM_OF_USE[use] - 1])
        for use, metrics in known.items()
        for a, b in [arms[use]]
    ]


def _found_of_two(
    use: str, arms: tuple[str, ...], metrics: Sequence[Values], claim: JudgedForm
) -> Found:
    a, b = arms  # the claims are that b is better
    by_word: dict[Word, Pair] = {
        "supported": (b, a),
        "leaning_for": (b, a),
        "contradicted": (a, b),
        "leaning_against": (a, b),
    }
    words = {part.evidence.metric: part.word for part in claim.parts}
    leaders = {
        by_word[word][0]: METRICS[one.key].label.removesuffix(" (test)")
        for one in metrics
        if (word := words.get(one.key)) in {"supported", "contradicted"}
    }
    return Found(
        use,
        arms,
        frozenset({by_word[claim.word]} if claim.word in by_word else ()),
        frozenset({frozenset(arms)} if claim.word == "level" else ()),
        _widest(metrics),
        in_part=any(
            pair.told_apart and not one.is_level(pair)
            for one in metrics
            for pair in one.compared.pairs
        ),
        leaning=claim.word in {"leaning_for", "leaning_against"},
        leaders=leaders if len(leaders) > 1 else None,
    )


def _widest(metrics: Sequence[Values]) -> float | None:
    return max((one.practical for one in metrics if one.practical is not None), default=None)
