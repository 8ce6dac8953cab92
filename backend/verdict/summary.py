"""Arms x metrics with their uncertainty over seeds, and how the arms lie against one of them."""

import statistics
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel
from sqlmodel import Session

from backend.comparisons.repository import stored_spec
from backend.db.models import Comparison
from backend.metrics.measurements import (
    Measurement,
    Measurements,
    current_measurements,
    observations_by_seed,
    pair_by_seed,
    reference_values,
    untrained_measurements,
)
from backend.runs import repository as runs
from contract.comparison.differences import differences
from contract.metrics import BACKBONE_PREFIX, CHANCE_PREFIX, METRICS, Better
from contract.statistics import deviation, interval


class Value(BaseModel):
    """One run's result."""

    seed: int
    value: float | None
    step: int
    censored: bool
    """The real value is more than this."""


class ArmSummary(BaseModel):
    """One metric of one arm over its seeds."""

    arm: str
    n: int
    """Seeds with a finite value, censored ones among them."""
    mean: float | None
    """Null, as all up to `high`, where a value is censored."""
    sd: float | None
    """Of the sample (n - 1); null for n < 2, as the interval."""
    low: float | None
    """The 95 % interval of the mean, by Student's t."""
    high: float | None
    censored: int
    """Values that are only known to be more than what is given."""
    untrained: float | None
    """Mean over seeds of the untrained encoder's value; null for what it has none of."""
    values: list[Value]


class DifferenceOut(BaseModel):
    """An arm against the baseline, over the seeds at which both have succeeded."""

    a: str
    b: str
    """The baseline."""
    n: int
    mean_difference: float
    """Mean of a - b."""
    interval: tuple[float, float] | None
    p_value: float
    smallest_p: float
    effect_size: float | None


class MetricSummary(BaseModel):
    """One metric of all arms."""

    key: str
    label: str
    better: Better
    raw_backbone: float | None
    """The value of the frozen backbone's own features, without a head; null where there is none."""
    chance: float | None
    """The value of a random ranking; null where it was not worked out."""
    arms: list[ArmSummary]
    differences: list[DifferenceOut]


class SettingOut(BaseModel):
    """A setting that is not the same in all arms that have it."""

    setting: str
    values: dict[str, Any]
    """By arm."""


class Summary(BaseModel):
    """What the table at the end of a comparison shows."""

    metrics: list[MetricSummary]
    runs_finished: int
    """Runs that succeeded. What the others have measured so far counts too, failed ones' not."""
    runs_total: int
    baseline: str
    differs: list[SettingOut]
    """In what the arms differ besides their loss."""


def summarise(session: Session, comparison: Comparison, baseline: str | None = None) -> Summary:
    """All metrics of all arms, against the baseline, an arm of the spec; by default its first."""
    spec = stored_spec(comparison)
    own = runs.of(session, comparison.id)
    kept = [run for run in own if run.state != "failed"]
    found = current_measurements(session, comparison.id, kept)
    untrained = untrained_measurements(session, comparison.id, kept)
    raw_backbone = reference_values(session, comparison.id, BACKBONE_PREFIX)
    chance = reference_values(session, comparison.id, CHANCE_PREFIX)
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
                arms=[_arm(arm, key, found, untrained) for arm in arms],
                differences=_differences(found[key], arms, against),
            )
            for key in METRICS
            if key in found
        ],
        runs_finished=sum(run.state == "succeeded" for run in own),
        runs_total=len(own),
        baseline=against,
        differs=[SettingOut(setting=d.setting, values=dict(d.values)) for d in differences(spec)],
    )


def _arm(arm: str, key: str, found: Measurements, untrained: Measurements) -> ArmSummary:
    mine = found[key].get(arm, [])
    finite = _finite(mine)
    censored = sum(one.censored for one in mine)
    known = [] if censored else finite
    low, high = interval(known) or (None, None)
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
            for one in mine
        ],
    )


def _finite(values: Iterable[Measurement]) -> list[float]:
    return [one.value for one in values if one.value is not None]


def _differences(
    found: dict[str, list[Measurement]], arms: list[str], baseline: str
) -> list[DifferenceOut]:
    known = {arm: observations_by_seed(found.get(arm, [])) for arm in arms}
    made = []
    for arm in arms:
        d = None if arm == baseline else pair_by_seed(known[arm], known[baseline]).difference
        if d:
            made.append(DifferenceOut(a=arm, b=baseline, **asdict(d)))
    return made
