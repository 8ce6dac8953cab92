"""Rank all arms of a comparison by the quality of their embeddings on the test split."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from backend.db.models import Comparison
from backend.metrics.keys import EVALUATED
from backend.metrics.measurements import (
    reference_measurements,
    reference_values,
    untrained_measurements,
)
from backend.verdict.advice import Found, Reservation, advice
from backend.verdict.arm_states import SAID
from backend.verdict.evidence import JudgedForm, judge_claims
from backend.verdict.leaderboard_schemas import (
    Leaderboard,
    LeaderboardArm,
    LeaderboardMetric,
    LeaderboardValue,
    ToBest,
)
from backend.verdict.material import Material, read_material
from backend.verdict.ranking import Ranking, rank, said
from backend.verdict.tuned import searched, tuned_out
from backend.verdict.uses import ACROSS, MAIN_USES, USE_METRICS, Values, find
from contract.catalogue.practical import half_width
from contract.comparison.differences import differences
from contract.comparison.replication import replicate_noun
from contract.comparison.spec import ComparisonSpec
from contract.metrics import BACKBONE_PREFIX, CHANCE_PREFIX, METRICS, bare_key
from contract.statistics import FEWEST, ArmMean, deviation, told_apart

DEFAULT_METRICS: Final = (
    *ACROSS[1],
    "test.retrieval.audio_to_visual.recall_at_1",
    "test.retrieval.visual_to_audio.recall_at_1",
    "test.pairs.mrr",
    "test.pairs.ndcg_at_10",
    "test.pairs.recall_at_1",
    "test.pairs.spearman",
    "test.retrieval.map_at_r",
    "test.retrieval.recall_at_1",
    "test.classification.knn_accuracy_5",
    "test.classification.linear_probe_accuracy",
    "test.clustering.ami",
    "test.detail.recall_at_1",
)
"""The metrics of a leaderboard unless others are asked for, the main one first; those without a
value are left out."""
RANKED_METRICS: Final = frozenset(EVALUATED)
"""The metrics that arms can be ranked by."""
ByArm = dict[str, dict[int, float]]
"""Value by arm and seed."""


def leaderboard(
    session: Session, comparison: Comparison, metrics: Sequence[str] = ()
) -> Leaderboard:
    """Rank the arms of a comparison, from its runs that have succeeded.

    Args:
        session: to read with.
        comparison: the comparison.
        metrics: keys of RANKED_METRICS; DEFAULT_METRICS that have values if there is none.
    """
    material = read_material(session, comparison)
    shown = tuple(dict.fromkeys(metrics)) or DEFAULT_METRICS
    measured = _ranked(material, dict.fromkeys((*shown, *USE_METRICS)))
    held_against = _references(session, material)
    return Leaderboard(
        metrics=[
            _metric(material, key, measured.get(key), held_against)
            for key in shown
            if metrics or key in measured
        ],
        advice=_advice(material, measured),
        tuned=tuned_out(material.spec),
        replicate=material.spec.replicate,
        replicate_noun=replicate_noun(material.kind),
        runs_finished=sum(run.state == "succeeded" for run in material.runs),
        runs_total=len(material.runs),
        runs_open=_still_open(material),
    )


def found_of_retrieval(session: Session, comparison: Comparison) -> Found | None:
    """Return what the runs say about the main use: retrieval, between the modalities where there
    are two, or of tuples; None before two arms have measured it."""
    material = read_material(session, comparison)
    found = _found(material, _ranked(material, USE_METRICS))
    return next((one for one in found if one.use in MAIN_USES), None)


def advice_for(material: Material) -> str:
    """Return which arms to use for what, from the runs of all arms of a comparison."""
    return _advice(material, _ranked(material, USE_METRICS))


def _values(material: Material, key: str) -> ByArm:
    """Return the values of a metric; arms in the spec's order, their seeds in their order."""
    return {
        arm: {
            seed: value
            for seed, one in own.items()
            if (value := one.final.get(key, (0, None))[1]) is not None
        }
        for arm, own in material.figures.items()
    }


def _ranked(material: Material, keys: Iterable[str]) -> dict[str, Values]:
    """Compare all arms that were trained, by each of these metrics that has a value."""
    found = {}
    for key in keys:
        values = _values(material, key)
        if any(values.values()):
            found[key] = _compared(material, key, values)
    return found


def _compared(material: Material, key: str, values: ByArm) -> Values:
    by_arm = {arm: own for arm, own in values.items() if own and arm not in material.not_trained}
    compared = told_apart(by_arm, material.replication, bounds=METRICS[key].bounds)
    # A bound of a ratio says nothing of a difference.
    of_difference = METRICS[key].scale == "difference"
    practical = half_width(key, material.spec.practical) if of_difference else None
    return Values(key, by_arm, compared, practical)


def _still_open(material: Material) -> int:
    """Return the number of runs that have not ended."""
    return sum(run.state in {"queued", "running"} for run in material.runs)


@dataclass(frozen=True)
class _References:
    """Values that arms are held against, by metric."""

    untrained: Mapping[str, float]
    """By the key without the prefix of the test split."""
    raw_backbone: Mapping[str, float]
    chance: Mapping[str, float]


def _references(session: Session, material: Material) -> _References:
    before = untrained_measurements(session, material.runs, material.by_run)
    values = {
        key: [one.value for own in by_arm.values() for one in own if one.value is not None]
        for key, by_arm in before.items()
    }
    references = reference_measurements(session, material.runs, material.by_run)
    return _References(
        {key: statistics.fmean(own) for key, own in values.items() if own},
        reference_values(references, BACKBONE_PREFIX),
        reference_values(references, CHANCE_PREFIX),
    )


def _advice(material: Material, measured: Mapping[str, Values]) -> str:
    """Return which arms to use for what; empty for one arm, and before two have a value."""
    spec = material.spec
    reasons = {arm: SAID[state] for arm, state in material.not_trained.items()}
    found = _found(material, measured)
    if len(spec.arms) < 2 or not (found or reasons):
        return ""
    known = {arm for one in found for arm in one.arms}
    names = tuple(arm.name for arm in spec.arms if arm.name in known)
    counts = [
        values.compared.arms[arm].n
        for key, values in measured.items()
        if key in USE_METRICS
        for arm in names
        if arm in values.compared.arms
    ]
    reservation = Reservation(
        min(counts, default=0),
        _differing(spec, names),
        replicate_noun(material.kind),
        _still_open(material),
        spec.tuning.trials if spec.tuning else None,
    )
    return advice(found, reasons, reservation)


def _found(material: Material, measured: Mapping[str, Values]) -> list[Found]:
    """Return what is known of each use of embeddings."""

    def judge(a: str, b: str) -> Sequence[JudgedForm]:
        own = material.figures
        return judge_claims(material.spec, own[a], own[b], material.replication)

    return find(measured, judge)


def _differing(spec: ComparisonSpec, names: tuple[str, ...]) -> list[str]:
    """Return in words the settings in which arms differ, apart from the loss and what was searched,
    each once."""
    if not names:
        return []
    tuned = searched(spec, names)
    found = [one.words for one in differences(spec, names) if one.setting not in tuned]
    return list(dict.fromkeys(found))


def _metric(
    material: Material, key: str, found: Values | None, held_against: _References
) -> LeaderboardMetric:
    metric = METRICS[key]
    compared = found.compared if found else told_apart({})
    means = {arm: own.mean for arm, own in compared.arms.items()}
    ahead = [found.directed(pair) for pair in compared.pairs if pair.told_apart] if found else []
    ranking = rank(means, metric.better, ahead)
    pairs = sum(pair.n >= FEWEST for pair in compared.pairs)
    level = _level_with(ranking.best[0], found) if found and ranking.best else set()
    return LeaderboardMetric(
        key=key,
        label=metric.label,
        better=metric.better,
        arms=[
            _arm(arm, own, ranking, found, material.not_trained.get(arm, ""))
            for arm, own in _values(material, key).items()
        ],
        best=ranking.best,
        not_told_apart=ranking.not_told_apart,
        groups=ranking.groups,
        said=said(ranking, pairs, level),
        pairs=pairs,
        practical=found.practical if found else None,
        untrained=held_against.untrained.get(bare_key(key)),
        raw_backbone=held_against.raw_backbone.get(key),
        chance=held_against.chance.get(key),
    )


def _arm(
    arm: str, own: Mapping[int, float], ranking: Ranking, found: Values | None, state: str
) -> LeaderboardArm:
    known = found.compared.arms.get(arm) if found else None
    if known is None and own:  # it did not train: its values are shown without an interval
        values = list(own.values())
        known = ArmMean(len(values), statistics.fmean(values), deviation(values), None)
    low, high = (known and known.interval) or (None, None)
    return LeaderboardArm(
        arm=arm,
        n=len(own),
        mean=known and known.mean,
        sd=known and known.sd,
        low=low,
        high=high,
        values=[LeaderboardValue(seed=seed, value=value) for seed, value in own.items()],
        rank=ranking.places.get(arm),
        letters=ranking.letters.get(arm, ""),
        state=state,
        to_best=_to_best(arm, ranking, found) if found else None,
    )


def _level_with(arm: str, found: Values) -> set[str]:
    """Return the other arms that are level with an arm."""
    own = [{pair.a, pair.b} for pair in found.compared.pairs if found.is_level(pair)]
    return {other for both in own if arm in both for other in both} - {arm}


def _to_best(arm: str, ranking: Ranking, found: Values) -> ToBest | None:
    if not ranking.best or arm == (best := ranking.best[0]):
        return None
    both = {arm, best}
    pair = next((pair for pair in found.compared.pairs if {pair.a, pair.b} == both), None)
    if pair is None:
        return None
    sign = 1 if pair.a == arm else -1
    low, high = sorted(sign * end for end in pair.interval) if pair.interval else (None, None)
    return ToBest(
        best=best,
        mean_difference=sign * pair.mean_difference or 0.0,  # not -0
        low=low,
        high=high,
        p_holm=pair.p_holm if pair.n >= FEWEST else None,
        n=pair.n,
        told_apart=pair.told_apart,
        level=found.is_level(pair),
    )
