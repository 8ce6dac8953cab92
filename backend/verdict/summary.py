"""The table at the end of a comparison: each metric of each arm over the seeds.

With its uncertainty, and the difference between each arm and a baseline arm.
"""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from sqlmodel import Session

from backend.comparisons.trained import trained_spec
from backend.db.models import Comparison
from backend.metrics.measurements import (
    Measurement,
    Measurements,
    PairedValues,
    current_measurements,
    observations_by_seed,
    pair_by_seed,
    reference_measurements,
    reference_values,
    untrained_measurements,
)
from backend.metrics.run_figures import figures_of
from backend.runs import repository as runs
from backend.verdict.material import PULL_SHARE, differing_shares, replication_of
from contract.comparison.differences import differences
from contract.metrics import BACKBONE_PREFIX, CHANCE_PREFIX, METRICS, Better
from contract.statistics import (
    PairedDifference,
    Replication,
    bounded_interval,
    deviation,
    is_constant,
    limits_of_difference,
    t_test_p,
)


@dataclass(slots=True)
class Value:
    """One run's result.

    No model: a large summary has tens of thousands of them, and a model takes ten times as long.
    """

    seed: int
    value: float | None
    step: int
    censored: bool
    """The real value is unknown, and more than this one."""


class ArmSummary(BaseModel):
    """One metric of one arm over its seeds."""

    arm: str
    n: int
    """Seeds with a finite value, including censored values."""
    mean: float | None
    """Null, as sd, low and high, if a value is censored."""
    sd: float | None
    """Standard deviation of the sample (n - 1); null for n < 2."""
    low: float | None
    """Lower end of the 95 % interval of the mean, by Student's t, cut where the metric ends; null
    for n < 3."""
    high: float | None
    """Upper end of the interval."""
    censored: int
    """Number of censored values."""
    untrained: float | None
    """Mean over seeds of the untrained encoder's value; null if it was not measured."""
    values: list[Value]


class DifferenceOut(BaseModel):
    """The difference between an arm and the baseline, over seeds at which both have succeeded."""

    a: str
    b: str
    """The baseline."""
    n: int
    mean_difference: float
    """Mean of a - b."""
    interval: tuple[float, float] | None
    """95 % interval of the mean difference; null for n < 3, of whole numbers, with censored values
    and where all differences are the same."""
    p_value: float
    """By the sign-flip test; where the runs are splits of one data set, by the corrected t-test, or
    1 without an interval."""
    smallest_p: float
    """Smallest p that so many pairs can give; 0 for the t-test."""
    effect_size: float | None


class MetricSummary(BaseModel):
    """One metric of all arms."""

    key: str
    label: str
    better: Better
    raw_backbone: float | None
    """The value of the frozen backbone's features, without a head; null if there is no backbone."""
    chance: float | None
    """The value of a random ranking; null if it was not computed."""
    arms: list[ArmSummary]
    differences: list[DifferenceOut]


class SettingOut(BaseModel):
    """A setting that differs between the arms that have it."""

    setting: str
    values: dict[str, Any]
    """By arm."""


class Summary(BaseModel):
    """All metrics of all arms."""

    metrics: list[MetricSummary]
    runs_finished: int
    """Runs that succeeded. The table also holds what the others, except failed ones, have measured
    until now."""
    runs_total: int
    baseline: str
    differs: list[SettingOut]
    """The settings, apart from the loss, in which the arms differ; with them the measured share of
    the loss's weight that pulls, `dynamics.pull_share.mean`, where that differs."""


def summarise(session: Session, comparison: Comparison, baseline: str | None = None) -> Summary:
    """Return all metrics of all arms; the baseline is an arm's name, by default the first arm's."""
    spec = trained_spec(session, comparison)
    all_runs = runs.of_comparison(session, comparison.id)
    kept = [run for run in all_runs if run.state != "failed"]
    figures = figures_of(session, all_runs)
    found = current_measurements(session, kept, figures)
    untrained = untrained_measurements(session, kept, figures)
    references = reference_measurements(session, all_runs, figures)
    raw_backbone = reference_values(references, BACKBONE_PREFIX)
    chance = reference_values(references, CHANCE_PREFIX)
    replication = replication_of(spec, all_runs)
    arms = [arm.name for arm in spec.arms]
    against = baseline or arms[0]
    return Summary(
        metrics=[
            MetricSummary(
                key=key,
                label=METRICS[key].label,
                better=METRICS[key].better,
                raw_backbone=raw_backbone.get(key),
                chance=chance.get(key),
                arms=[_arm(arm, key, found, untrained, replication) for arm in arms],
                differences=_differences(key, found[key], arms, against, replication),
            )
            for key in METRICS
            if key in found
        ],
        runs_finished=sum(run.state == "succeeded" for run in all_runs),
        runs_total=len(all_runs),
        baseline=against,
        differs=[
            *(SettingOut(setting=d.setting, values=dict(d.values)) for d in differences(spec)),
            *_pull_shares(found),
        ],
    )


def _arm(
    arm: str, key: str, found: Measurements, untrained: Measurements, replication: Replication
) -> ArmSummary:
    measurements = found[key].get(arm, [])
    finite = _finite(measurements)
    censored = sum(one.censored for one in measurements)
    known = [] if censored else finite
    shown = bounded_interval(known, METRICS[key].bounds, test_to_train=replication.test_to_train)
    low, high = shown or (None, None)
    before = _finite(untrained.get(key, {}).get(arm, []))
    return ArmSummary(
        arm=arm,
        n=len(finite),
        mean=statistics.fmean(known) if known else None,
        sd=deviation(known),
        low=low,
        high=high,
        censored=censored,
        untrained=statistics.fmean(before) if before else None,
        values=[
            Value(seed=one.run.seed, value=one.value, step=one.step, censored=one.censored)
            for one in measurements
        ],
    )


def _pull_shares(found: Measurements) -> list[SettingOut]:
    """Return the measured share of the weight that pulls, if the arms differ in it."""
    shares = {arm: _finite(own) for arm, own in found.get(PULL_SHARE, {}).items()}
    differing = differing_shares(shares)
    return [SettingOut(setting=PULL_SHARE, values=differing)] if differing else []


def _finite(values: Iterable[Measurement]) -> list[float]:
    return [one.value for one in values if one.value is not None]


def _differences(
    key: str,
    found: dict[str, list[Measurement]],
    arms: list[str],
    baseline: str,
    replication: Replication,
) -> list[DifferenceOut]:
    known = {arm: observations_by_seed(found.get(arm, [])) for arm in arms}
    made = []
    for arm in arms:
        if arm == baseline:
            continue
        d = _shown(key, pair_by_seed(known[arm], known[baseline]), replication)
        if d:
            made.append(DifferenceOut(a=arm, b=baseline, **vars(d)))
    return made


def _shown(key: str, paired: PairedValues, replication: Replication) -> PairedDifference | None:
    """Return the difference with an interval to show, and corrected if the runs are dependent."""
    d = paired.difference
    if d is None:
        return None
    values = [a.value - b.value for a, b in zip(paired.values_a, paired.values_b, strict=True)]
    if d.interval is None or METRICS[key].grid or is_constant(values):
        # Signs alone count: an interval without width would be surer than a few runs can be, and
        # those of dependent runs tell nothing.
        return replace(d, interval=None, p_value=1.0 if replication.dependent else d.p_value)
    interval = bounded_interval(
        values, limits_of_difference(METRICS[key].bounds), test_to_train=replication.test_to_train
    )
    if not replication.dependent:
        return replace(d, interval=interval)
    p_value = t_test_p(values, replication.test_to_train)
    return replace(d, interval=interval, p_value=p_value, smallest_p=0.0)
