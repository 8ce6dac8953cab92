"""Rank all arms of a comparison by the quality of their embeddings on the test split."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from backend.comparisons.repository import stored_spec
from backend.db.models import Comparison, Run
from backend.metrics.keys import EVALUATED
from backend.metrics.measurements import (
    reference_measurements,
    reference_values,
    untrained_measurements,
)
from backend.metrics.run_figures import figures_of
from backend.runs import repository as runs
from backend.verdict.leaderboard_schemas import (
    Leaderboard,
    LeaderboardArm,
    LeaderboardMetric,
    LeaderboardValue,
    ToBest,
)
from backend.verdict.ranking import Pair, Ranking, rank, said
from contract.catalogue.practical import half_width
from contract.metrics import BACKBONE_PREFIX, CHANCE_PREFIX, METRICS, TEST_PREFIX, Better, bare_key
from contract.statistics import FEWEST, ArmMean, ArmPair, ArmsCompared, told_apart

_CROSS_MODAL: Final = tuple(
    f"{TEST_PREFIX}retrieval.{way}.{name}"
    for name in ("map", "recall_at_1")
    for way in ("audio_to_visual", "visual_to_audio")
)
DEFAULT_METRICS: Final = (
    *_CROSS_MODAL,
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
    spec = stored_spec(comparison)
    arms = [arm.name for arm in spec.arms]
    all_runs = runs.of_comparison(session, comparison.id)
    keys = tuple(dict.fromkeys(metrics)) or DEFAULT_METRICS
    material = _read(session, all_runs, arms, keys)
    states = [run.state for run in all_runs]
    return Leaderboard(
        metrics=[
            _metric(material, key, arms, half_width(key, spec.practical))
            for key in keys
            if metrics or any(material.values[key].values())
        ],
        advice="",
        replicate=spec.replicate,
        runs_finished=states.count("succeeded"),
        runs_total=len(states),
        runs_open=states.count("queued") + states.count("running"),
    )


@dataclass(frozen=True)
class _Material:
    values: Mapping[str, ByArm]
    """By metric; each arm in the spec's order, its seeds in their order."""
    untrained: Mapping[str, float]
    raw_backbone: Mapping[str, float]
    chance: Mapping[str, float]


def _read(
    session: Session,
    all_runs: Sequence[Run],
    arms: Sequence[str],
    keys: Sequence[str],
) -> _Material:
    figures = figures_of(session, all_runs)
    values: dict[str, ByArm] = {key: {arm: {} for arm in arms} for key in keys}
    for run in all_runs:
        if run.id not in figures:
            continue
        for key in keys:
            _, value = figures[run.id].final.get(key, (0, None))
            if value is not None:
                values[key][run.arm][run.seed] = value
    before = untrained_measurements(session, all_runs, figures)
    untrained = {
        key: [one.value for own in before[bare].values() for one in own if one.value is not None]
        for key in keys
        if (bare := bare_key(key)) in before
    }
    references = reference_measurements(session, all_runs, figures)
    return _Material(
        values,
        {key: statistics.fmean(own) for key, own in untrained.items() if own},
        reference_values(references, BACKBONE_PREFIX),
        reference_values(references, CHANCE_PREFIX),
    )


def _metric(
    material: _Material, key: str, arms: Sequence[str], practical: float | None
) -> LeaderboardMetric:
    metric, values = METRICS[key], material.values[key]
    compared = told_apart(values, bounds=metric.bounds)
    means = {arm: own.mean for arm, own in compared.arms.items()}
    ahead = [_directed(pair, metric.better) for pair in compared.pairs if pair.told_apart]
    ranking = rank(means, metric.better, ahead)
    pairs = sum(pair.n >= FEWEST for pair in compared.pairs)
    return LeaderboardMetric(
        key=key,
        label=metric.label,
        better=metric.better,
        arms=[_arm(arm, values[arm], ranking, compared, practical) for arm in arms],
        best=ranking.best,
        not_told_apart=ranking.not_told_apart,
        groups=ranking.groups,
        said=said(ranking, pairs),
        pairs=pairs,
        practical=practical,
        untrained=material.untrained.get(key),
        raw_backbone=material.raw_backbone.get(key),
        chance=material.chance.get(key),
    )


def _directed(pair: ArmPair, better: Better) -> Pair:
    """Return the names, the arm that is ahead first."""
    first = (pair.mean_difference > 0) == (better != "lower")
    return (pair.a, pair.b) if first else (pair.b, pair.a)


def is_level(pair: ArmPair, practical: float | None) -> bool:
    """Return whether the simultaneous interval of a pair lies inside the practical bounds."""
    if practical is None or pair.interval is None:
        return False
    low, high = pair.interval
    return -practical <= low and high <= practical


def _arm(
    arm: str,
    own: Mapping[int, float],
    ranking: Ranking,
    compared: ArmsCompared,
    practical: float | None,
) -> LeaderboardArm:
    known = compared.arms.get(arm, ArmMean(0, math.nan, None, None))
    low, high = known.interval or (None, None)
    return LeaderboardArm(
        arm=arm,
        n=known.n,
        mean=known.mean if known.n else None,
        sd=known.sd,
        low=low,
        high=high,
        values=[LeaderboardValue(seed=seed, value=value) for seed, value in own.items()],
        rank=ranking.places.get(arm),
        state="",
        to_best=_to_best(arm, ranking, compared.pairs, practical),
    )


def _to_best(
    arm: str, ranking: Ranking, pairs: Sequence[ArmPair], practical: float | None
) -> ToBest | None:
    if not ranking.best or arm == (best := ranking.best[0]):
        return None
    pair = next((pair for pair in pairs if {pair.a, pair.b} == {arm, best}), None)
    if pair is None:
        return None
    sign = 1 if pair.a == arm else -1
    low, high = sorted(sign * end for end in pair.interval) if pair.interval else (None, None)
    return ToBest(
        best=best,
        mean_difference=sign * pair.mean_difference,
        low=low,
        high=high,
        p_holm=pair.p_holm if pair.n >= FEWEST else None,
        n=pair.n,
        told_apart=pair.told_apart,
        level=is_level(pair, practical),
    )
