"""Rank all arms of a comparison by the quality of their embeddings on the test split."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from backend.comparisons.trained import trained_spec
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
from backend.verdict.arm_states import arm_states
from backend.verdict.evidence import JudgedForm, judge_claims
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
from backend.verdict.tuned import searched, tuned_out
from backend.verdict.uses import ACROSS, USE_METRICS, Values, find
from contract.catalogue.practical import half_width
from contract.comparison.differences import differences
from contract.comparison.spec import ComparisonSpec
from contract.metrics import BACKBONE_PREFIX, CHANCE_PREFIX, METRICS, bare_key
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
    """What the runs of a comparison have measured, and which of its arms were trained."""

    spec: ComparisonSpec
    runs: Sequence[Run]
    figures: Mapping[str, BySeed]
    """Of each arm's runs that have succeeded, in the order of their seeds."""
    not_trained: Mapping[str, str]
    """State by arm of those that are not ranked."""
    replication: Replication

    def values(self, key: str) -> ByArm:
        """Return the values of a metric; arms in the spec's order, their seeds in their order."""
        return {
            arm: {
                seed: value
                for seed, one in own.items()
                if (value := one.final.get(key, (0, None))[1]) is not None
            }
            for arm, own in self.figures.items()
        }

    def ranked(self, keys: Iterable[str]) -> dict[str, Values]:
        """Compare all arms that were trained, by each of these metrics that has a value."""
        return {key: found for key in keys if (found := self._ranked(key)) is not None}

    def _ranked(self, key: str) -> Values | None:
        values = self.values(key)
        if not any(values.values()):
            return None
        by_arm = {arm: own for arm, own in values.items() if own and arm not in self.not_trained}
        compared = told_apart(by_arm, self.replication, bounds=METRICS[key].bounds)
        return Values(key, by_arm, compared, half_width(key, self.spec.practical))

    def judge(self, a: str, b: str) -> Sequence[JudgedForm]:
        """Judge the nine claims by two arms."""
        return judge_claims(self.spec, self.figures[a], self.figures[b], self.replication)

    @property
    def still_open(self) -> int:
        """Runs that have not ended."""
        return sum(run.state in {"queued", "running"} for run in self.runs)


def leaderboard(
    session: Session, comparison: Comparison, metrics: Sequence[str] = ()
) -> Leaderboard:
    """Rank the arms of a comparison, from its runs that have succeeded.

    Args:
        session: to read with.
        comparison: the comparison.
        metrics: keys of RANKED_METRICS; DEFAULT_METRICS that have values if there is none.
    """
    spec = trained_spec(session, comparison)
    all_runs = runs.of_comparison(session, comparison.id)
    figures = figures_of(session, all_runs)
    material = _material(spec, all_runs, figures)
    shown = tuple(dict.fromkeys(metrics)) or DEFAULT_METRICS
    measured = material.ranked(dict.fromkeys((*shown, *USE_METRICS)))
    held_against = _references(session, all_runs, figures)
    return Leaderboard(
        metrics=[
            _metric(material, key, measured.get(key), held_against)
            for key in shown
            if metrics or key in measured
        ],
        advice=_advice(material, measured),
        tuned=tuned_out(spec),
        replicate=spec.replicate,
        runs_finished=sum(run.state == "succeeded" for run in all_runs),
        runs_total=len(all_runs),
        runs_open=material.still_open,
    )


def advice_for(
    spec: ComparisonSpec, all_runs: Sequence[Run], figures: Mapping[str, Figures]
) -> str:
    """Return which arms to use for what.

    Args:
        spec: the comparison's.
        all_runs: all its runs, in their order.
        figures: of those that have succeeded, by run.
    """
    material = _material(spec, all_runs, figures)
    return _advice(material, material.ranked(USE_METRICS))


def _material(
    spec: ComparisonSpec, all_runs: Sequence[Run], figures: Mapping[str, Figures]
) -> _Material:
    by_arm: dict[str, dict[int, Figures]] = {arm.name: {} for arm in spec.arms}
    for run in all_runs:
        if run.id in figures:
            by_arm[run.arm][run.seed] = figures[run.id]
    not_trained = _not_trained(list(by_arm), all_runs)
    return _Material(spec, all_runs, by_arm, not_trained, replication_of(spec, all_runs))


@dataclass(frozen=True)
class _References:
    """Values that arms are held against, by metric."""

    untrained: Mapping[str, float]
    """By the key without the prefix of the test split."""
    raw_backbone: Mapping[str, float]
    chance: Mapping[str, float]


def _references(
    session: Session, all_runs: Sequence[Run], figures: Mapping[str, Figures]
) -> _References:
    before = untrained_measurements(session, all_runs, figures)
    values = {
        key: [one.value for own in by_arm.values() for one in own if one.value is not None]
        for key, by_arm in before.items()
    }
    references = reference_measurements(session, all_runs, figures)
    return _References(
        {key: statistics.fmean(own) for key, own in values.items() if own},
        reference_values(references, BACKBONE_PREFIX),
        reference_values(references, CHANCE_PREFIX),
    )


def _not_trained(arms: Sequence[str], all_runs: Sequence[Run]) -> dict[str, str]:
    """Return the most serious state by arm of those that did not train."""
    states = [one for one in arm_states(arms, all_runs) if one.not_trained]
    return {one.arm: one.state for one in reversed(states)}  # the most serious comes first


def _advice(material: _Material, measured: Mapping[str, Values]) -> str:
    """Return which arms to use for what; empty for one arm, and before two have a value."""
    spec, not_trained = material.spec, material.not_trained
    found = find(measured, material.judge)
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
        _differing(spec, names),
        spec.replicate,
        material.still_open,
        spec.tuning.trials if spec.tuning else None,
    )
    texts = {
        arm.name: STATE_TEXTS[not_trained[arm.name]] for arm in spec.arms if arm.name in not_trained
    }
    return advice(found, texts, reservation)


def _differing(spec: ComparisonSpec, names: tuple[str, ...]) -> list[str]:
    """Return the settings in which arms differ, apart from the loss and what was searched."""
    if not names:
        return []
    tuned = searched(spec, names)
    return [one.setting for one in differences(spec, names) if one.setting not in tuned]


def _metric(
    material: _Material, key: str, found: Values | None, held_against: _References
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
            _arm(arm, own, ranking, found, material.not_trained.get(arm, ""))
            for arm, own in material.values(key).items()
        ],
        best=ranking.best,
        not_told_apart=ranking.not_told_apart,
        groups=ranking.groups,
        said=said(ranking, pairs),
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
