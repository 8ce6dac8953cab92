"""Rank all arms of a comparison by the quality of their embeddings on the test split."""

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
from backend.metrics.run_figures import Figures, figures_of
from backend.runs import repository as runs
from backend.verdict.advice import Reservation, advice
from backend.verdict.judging import judge_claims
from backend.verdict.leaderboard_schemas import (
    Leaderboard,
    LeaderboardArm,
    LeaderboardMetric,
    LeaderboardValue,
    ToBest,
)
from backend.verdict.pairs import BySeed
from backend.verdict.ranking import Ranking, rank, said
from backend.verdict.replication import replication_of
from backend.verdict.uses import ACROSS, USE_METRICS, JudgePair, Values, find
from contract.catalogue.practical import half_width
from contract.comparison.differences import differences
from contract.comparison.spec import ComparisonSpec
from contract.metrics import BACKBONE_PREFIX, CHANCE_PREFIX, METRICS, bare_key
from contract.metrics.states import NOT_TRAINED
from contract.statistics import FEWEST, ArmMean, Replication, deviation, told_apart

DEFAULT_METRICS: Final = (
    *ACROSS[1],
    "test.retrieval.audio_to_visual.recall_at_1",
    "test.retrieval.visual_to_audio.recall_at_1",
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
STATE_TEXTS: Final[Mapping[str, str]] = {
    "no_valid_tuple": "no batch had a valid tuple",
    "collapsed": "collapsed",
    "overflow": "its numbers overflowed",
}
"""State of an arm that did not train -> why, in words."""

ByArm = dict[str, dict[int, float]]
"""Value by arm and seed."""


@dataclass(frozen=True)
class _Material:
    """What is read of a comparison, by metric."""

    values: Mapping[str, ByArm]
    """Arms in the spec's order, their seeds in their order."""
    untrained: Mapping[str, float]
    raw_backbone: Mapping[str, float]
    chance: Mapping[str, float]
    figures: Mapping[str, BySeed]
    """Of each arm's runs that have succeeded."""


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
    all_runs = runs.of_comparison(session, comparison.id)
    shown = tuple(dict.fromkeys(metrics)) or DEFAULT_METRICS
    keys = tuple(dict.fromkeys((*shown, *USE_METRICS)))
    material = _read(session, all_runs, [arm.name for arm in spec.arms], keys)
    not_trained = _not_trained(all_runs)
    replication = replication_of(spec, all_runs)
    measured = {
        key: _values(material, key, spec, not_trained, replication)
        for key in keys
        if any(material.values[key].values())
    }
    states = [run.state for run in all_runs]
    still_open = states.count("queued") + states.count("running")
    return Leaderboard(
        metrics=[
            _metric(material, key, measured.get(key), not_trained)
            for key in shown
            if metrics or key in measured
        ],
        advice=_advice(
            spec,
            measured,
            not_trained,
            lambda a, b: judge_claims(spec, material.figures[a], material.figures[b], replication),
            still_open,
        ),
        replicate=spec.replicate,
        runs_finished=states.count("succeeded"),
        runs_total=len(states),
        runs_open=still_open,
    )


def _read(
    session: Session,
    all_runs: Sequence[Run],
    arms: Sequence[str],
    keys: Sequence[str],
) -> _Material:
    figures = figures_of(session, all_runs)
    by_arm: dict[str, dict[int, Figures]] = {arm: {} for arm in arms}
    values: dict[str, ByArm] = {key: {arm: {} for arm in arms} for key in keys}
    for run in all_runs:
        if run.id not in figures:
            continue
        by_arm[run.arm][run.seed] = figures[run.id]
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
        by_arm,
    )


def _not_trained(all_runs: Sequence[Run]) -> dict[str, str]:
    """Return the state by arm of those of whose ended runs more than half did not train."""
    ended: dict[str, list[list[str]]] = {}
    for run in all_runs:
        if run.state in {"succeeded", "failed"}:
            found = [one["state"] for one in run.states if one["state"] in NOT_TRAINED]
            ended.setdefault(run.arm, []).append(found)
    return {
        arm: next(state for found in own for state in found)
        for arm, own in ended.items()
        if 2 * sum(map(bool, own)) > len(own)
    }


def _values(
    material: _Material,
    key: str,
    spec: ComparisonSpec,
    not_trained: Mapping[str, str],
    replication: Replication,
) -> Values:
    by_arm = {
        arm: own for arm, own in material.values[key].items() if own and arm not in not_trained
    }
    compared = told_apart(by_arm, replication, bounds=METRICS[key].bounds)
    return Values(key, by_arm, compared, half_width(key, spec.practical))


def _advice(
    spec: ComparisonSpec,
    measured: Mapping[str, Values],
    not_trained: Mapping[str, str],
    judge: JudgePair,
    still_open: int,
) -> str:
    """Return which arms to use for what; empty for one arm, and before two have a value."""
    found = find(measured, judge)
    if len(spec.arms) < 2 or not (found or not_trained):
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
        [one.setting for one in differences(spec, names)] if names else [],
        spec.replicate,
        still_open,
    )
    texts = {
        arm.name: STATE_TEXTS[not_trained[arm.name]] for arm in spec.arms if arm.name in not_trained
    }
    return advice(found, texts, reservation)


def _metric(
    material: _Material, key: str, found: Values | None, not_trained: Mapping[str, str]
) -> LeaderboardMetric:
    metric = METRICS[key]
    compared = found.compared if found else told_apart({})
    means = {arm: own.mean for arm, own in compared.arms.items()}
    ahead = [found.directed(pair) for pair in compared.pairs if pair.told_apart] if found else []
    ranking = rank(means, metric.better, ahead)
    pairs = sum(pair.n >= FEWEST for pair in compared.pairs)
    return LeaderboardMetric(
        key=key,
        label=metric.label,
        better=metric.better,
        arms=[
            _arm(arm, own, ranking, found, not_trained.get(arm, ""))
            for arm, own in material.values[key].items()
        ],
        best=ranking.best,
        not_told_apart=ranking.not_told_apart,
        groups=ranking.groups,
        said=said(ranking, pairs),
        pairs=pairs,
        practical=found.practical if found else None,
        untrained=material.untrained.get(key),
        raw_backbone=material.raw_backbone.get(key),
        chance=material.chance.get(key),
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
        mean_difference=sign * pair.mean_difference,
        low=low,
        high=high,
        p_holm=pair.p_holm if pair.n >= FEWEST else None,
        n=pair.n,
        told_apart=pair.told_apart,
        level=found.is_level(pair),
    )
