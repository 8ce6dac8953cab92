"""Arms, their values and their curves as the API shows them."""

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
from backend.runs.schemas import RunState, State
from contract.metrics import METRICS, Better


class SpreadOut(BaseModel):
    """One number over an arm's seeds."""

    mean: float | None
    """Null where a value is censored, as is `sd`."""
    sd: float | None
    """Of the sample (n - 1); null for n < 2."""
    n: int
    censored: int
    """Values of which only a lower bound is known."""


class ArmRun(BaseModel):
    """One seed of an arm."""

    id: str
    seed: int
    state: State
    states: list[RunState]
    """Whether it trained."""


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
    """One metric of one run; null where it has no value or none that is finite."""

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
    """One metric of all requested arms, in their order."""

    key: str
    label: str
    unit: str
    better: Better
    arms: list[ArmValues]


class SettingValues(BaseModel):
    """A setting that differs among the requested arms that have it."""

    setting: str
    label: str
    values: list[Any]
    """In the arms' order; null where an arm has no such setting."""


class ArmTable(BaseModel):
    """The requested arms side by side."""

    arms: list[ArmOut]
    unknown: list[str]
    """The asked arms that do not exist."""
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
    """One metric of several arms, in the order of the request."""

    key: str
    arms: list[ArmCurveOut]
    unknown: list[str]


def arms_out(session: Session, found: Sequence[Arm]) -> list[ArmOut]:
    """Return arms with their settings and best epochs."""
    epochs = arm_values.best_epochs(session, found)
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
            runs=[
                ArmRun(
                    id=run.id,
                    seed=run.seed,
                    state=run.state,
                    states=[RunState(**state) for state in run.states],
                )
                for run in arm.runs
            ],
            settings={path: value for (path, _), value in settings.items()},
            best_epoch=_spread(epoch),
        )
        for arm, settings, epoch in zip(found, arms.settings_of_arms(found), epochs, strict=True)
    ]


def metric_out(session: Session, found: Sequence[Arm], key: str) -> MetricValues:
    """Return one metric of these arms."""
    metric = METRICS[key]
    return MetricValues(
        key=key,
        label=metric.label,
        unit=metric.unit,
        better=metric.better,
        arms=[_values(of_runs) for of_runs in arm_values.run_values(session, found, key)],
    )


def differs_out(found: Sequence[Arm]) -> list[SettingValues]:
    """Return the settings in which these arms differ."""
    settings = arms.settings_of_arms(found)
    return [
        SettingValues(
            setting=path, label=title, values=[of_arm.get((path, title)) for of_arm in settings]
        )
        for path, title in arms.differing_settings(settings)
    ]


def curve_out(arm: Arm, curve: ArmCurve, *, seeds: bool) -> ArmCurveOut:
    """Return an arm's curve; with `seeds`, also the curve of each of its seeds."""
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


def _values(of_runs: Sequence[RunValues]) -> ArmValues:
    return ArmValues(
        last=_spread(spread([one.last for one in of_runs], sum(one.censored for one in of_runs))),
        best=_spread(spread([one.best for one in of_runs])),
        best_epoch=_spread(spread([one.best_epoch for one in of_runs])),
        test=_spread(spread([one.test for one in of_runs])),
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
            for one in of_runs
        ],
    )


def _spread(found: Spread | None) -> SpreadOut | None:
    return None if found is None else SpreadOut(**asdict(found))


def _column(values: Numbers) -> list[float | None]:
    gaps = np.isnan(values).tolist()
    return [None if gap else value for value, gap in zip(values.tolist(), gaps, strict=True)]
