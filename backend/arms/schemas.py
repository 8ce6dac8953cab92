"""Arms of all comparisons, their values and their curves, as the API answers them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from pydantic import BaseModel
from sqlmodel import Session

from backend.arms import repository as arms
from backend.arms import values as arm_values
from backend.arms.curves import ArmCurve, Numbers
from backend.arms.repository import Arm
from backend.arms.values import RunValues, Spread, spread
from backend.http.times import iso
from backend.runs.schemas import State
from contract.metrics import METRICS, Better


class SpreadOut(BaseModel):
    """One number over an arm's seeds."""

    mean: float | None
    """Null, as sd, where a value is censored."""
    sd: float | None
    """Of the sample (n - 1); null for n < 2."""
    n: int
    censored: int
    """Values that are only known to be more than what was measured."""


class ArmRun(BaseModel):
    """One seed of an arm."""

    id: str
    seed: int
    state: State


class ArmOut(BaseModel):
    """One arm of one comparison."""

    comparison: str
    comparison_name: str
    arm: str
    state: State
    """The most pressing of its runs' states."""
    tags: list[str]
    data: str
    loss: str
    created_by: str
    created_at: str
    archived: bool
    seeds: int
    runs: list[ArmRun]
    settings: dict[str, Any]
    """By path, as loss.margin or training.optimizer.lr."""
    best_epoch: SpreadOut | None
    """The epoch that the test split was read at; null before a run has succeeded."""


class ArmPage(BaseModel):
    """One page of a list."""

    arms: list[ArmOut]
    total: int
    page: int
    page_size: int


class RunValuesOut(BaseModel):
    """One metric of one run; null for what it has not, or not finite."""

    run: str
    seed: int
    last: float | None
    censored: bool
    best: float | None
    best_epoch: float | None
    test: float | None


class ArmValues(BaseModel):
    """One metric of one arm; null where no run has a value."""

    last: SpreadOut | None
    best: SpreadOut | None
    best_epoch: SpreadOut | None
    test: SpreadOut | None
    runs: list[RunValuesOut]


class MetricValues(BaseModel):
    """One metric of all asked arms, in their order."""

    key: str
    label: str
    unit: str
    better: Better
    arms: list[ArmValues]


class SettingValues(BaseModel):
    """A setting that is not the same in all asked arms that have it."""

    setting: str
    label: str
    values: list[Any]
    """In the arms' order; null where an arm has no such setting."""


class ArmTable(BaseModel):
    """The asked arms side by side."""

    arms: list[ArmOut]
    unknown: list[str]
    """Of the asked arms those that there are not."""
    keys: list[str]
    """Metrics that a run of these arms has."""
    metrics: list[MetricValues]
    differs: list[SettingValues]


class SeedCurve(BaseModel):
    """One run's values at its arm's steps."""

    run: str
    seed: int
    values: list[float | None]


class ArmCurveOut(BaseModel):
    """One metric of one arm; lists are columns of equal length."""

    comparison: str
    arm: str
    steps_per_epoch: int
    width: int
    """Steps that a point is the mean of."""
    steps: list[int]
    mean: list[float | None]
    low: list[float | None]
    high: list[float | None]
    n: list[int]
    elapsed: list[float | None] | None
    runs: list[SeedCurve]


class ArmCurves(BaseModel):
    """One metric of several arms, in the order asked."""

    key: str
    arms: list[ArmCurveOut]
    unknown: list[str]


def arms_out(session: Session, shown: Sequence[Arm]) -> list[ArmOut]:
    """Arms with their settings and best epochs."""
    epochs = arm_values.best_epochs(session, shown)
    return [
        ArmOut(
            comparison=arm.comparison.id,
            comparison_name=arm.comparison.name,
            arm=arm.name,
            state=arm.state,
            tags=arm.comparison.tags,
            data=arm.comparison.spec["data"]["kind"],
            loss=arm.loss,
            created_by=arm.comparison.created_by,
            created_at=iso(arm.comparison.created_at),
            archived=arm.comparison.archived,
            seeds=len(arm.runs),
            runs=[ArmRun(id=run.id, seed=run.seed, state=run.state) for run in arm.runs],
            settings={path: value for (path, _), value in own.items()},
            best_epoch=_spread(epoch),
        )
        for arm, own, epoch in zip(shown, arms.settings_of_arms(shown), epochs, strict=True)
    ]


def metric_out(session: Session, asked: Sequence[Arm], key: str) -> MetricValues:
    """One metric of these arms."""
    metric = METRICS[key]
    return MetricValues(
        key=key,
        label=metric.label,
        unit=metric.unit,
        better=metric.better,
        arms=[_values(own) for own in arm_values.run_values(session, asked, key)],
    )


def differs_out(asked: Sequence[Arm]) -> list[SettingValues]:
    """In what these arms differ."""
    found = arms.settings_of_arms(asked)
    return [
        SettingValues(setting=path, label=title, values=[own.get((path, title)) for own in found])
        for path, title in arms.differing_settings(found)
    ]


def curve_out(arm: Arm, curve: ArmCurve, *, seeds: bool) -> ArmCurveOut:
    """An arm's curve, with those of its seeds if so."""
    runs = [
        SeedCurve(run=run.id, seed=run.seed, values=_column(values))
        for run, values in zip(curve.runs, curve.values, strict=True)
    ]
    return ArmCurveOut(
        comparison=arm.comparison.id,
        arm=arm.name,
        steps_per_epoch=max((run.steps_per_epoch for run in arm.runs), default=0),
        width=curve.width,
        steps=curve.steps,
        mean=_column(curve.mean),
        low=_column(curve.low),
        high=_column(curve.high),
        n=curve.n,
        elapsed=None if curve.elapsed is None else _column(curve.elapsed),
        runs=runs if seeds else [],
    )


def _values(own: Sequence[RunValues]) -> ArmValues:
    return ArmValues(
        last=_spread(spread([one.last for one in own], sum(one.censored for one in own))),
        best=_spread(spread([one.best for one in own])),
        best_epoch=_spread(spread([one.best_epoch for one in own])),
        test=_spread(spread([one.test for one in own])),
        runs=[
            RunValuesOut(
                run=one.run.id,
                seed=one.run.seed,
                last=one.last,
                censored=one.censored,
                best=one.best,
                best_epoch=one.best_epoch,
                test=one.test,
            )
            for one in own
        ],
    )


def _spread(found: Spread | None) -> SpreadOut | None:
    return None if found is None else SpreadOut(**asdict(found))


def _column(values: Numbers) -> list[float | None]:
    gaps = np.isnan(values).tolist()
    return [None if gap else value for value, gap in zip(values.tolist(), gaps, strict=True)]
