"""Runs, their logs and their series, as the API shows them."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel

from backend.db.models import Run
from backend.http.times import iso
from backend.metrics.series import Curve
from backend.runs import progress
from backend.runs.lengths import UNKNOWN, Lengths
from backend.runs.repository import Role
from contract.events import Failure, Preparation, Usage
from contract.metrics import states as training

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class RunState(BaseModel):
    """A state that says whether the training did what it was meant to do."""

    state: training.State
    step: int
    """Since when, as optimiser steps done."""
    message: str


class RunOut(BaseModel):
    """One run."""

    id: str
    comparison: str
    arm: str
    seed: int
    role: Role
    """final, or trial: a run of a tuning's search."""
    trial: int | None
    """The number of the trial whose settings it has; null where the comparison is not tuned."""
    fold: int | None
    """Of a trial with several folds, from 0."""
    state: State
    progress: float
    eta_s: float | None
    """Seconds left of a running run, as finished runs of the comparison took, or ones of earlier
    comparisons like it, and the more at its own pace the further it is; null while not known."""
    preparing: Preparation | None
    """What it does before its first step; None while it waits and after that step."""
    attempt: int
    resumed_at: int
    """The step of the checkpoint that the attempt continued from; 0 without one."""
    device: str | None
    shared: int | None
    """How many runs were trained together with it as one computation, itself included: it took its
    share of their time, which is its `run.elapsed_s`. Null where it was trained alone."""
    error: Failure | None
    states: list[RunState]
    versions: dict[str, str] | None
    """Versions of the engine and of the measures; null for a run of version 0.5."""
    splits: dict[str, int] | None
    """Items of each split of its data; null for a run of version 0.5."""
    loss_digest: str | None
    """Of the code of its loss, where that is a plug-in; null for our own losses."""
    step: int
    total_steps: int
    steps_per_epoch: int
    created_at: str
    started_at: str | None
    ended_at: str | None


class RunDetail(RunOut):
    """One run, with the machine that it is or was trained on."""

    environment: dict[str, str] | None
    """Host, system, processor, cores, Python, libraries, and the commit of Lossboard where it is a
    git checkout; null before the first step, and for a run of version 0.5."""
    usage: Usage | None
    """What its last attempt used until its end; null before that, and where it was lost."""


class RunList(BaseModel):
    """A comparison's runs."""

    runs: list[RunOut]


class LogOut(BaseModel):
    """A run's log."""

    lines: list[str]


class SeriesOut(BaseModel):
    """Columns of one series; thinned where min and max are given."""

    run: str
    key: str
    total: int
    steps: list[int]
    values: list[float | None]
    min: list[float | None] | None
    max: list[float | None] | None


class SeriesList(BaseModel):
    """Several series."""

    series: list[SeriesOut]


def run_out(run: Run, now: float, lengths: Lengths = UNKNOWN) -> RunOut:
    """Return a run as it is at this time.

    Args:
        run: the run.
        now: seconds since the epoch.
        lengths: of the runs of its comparison, for the time that is left.
    """
    return RunOut(
        id=run.id,
        comparison=run.comparison_id,
        arm=run.arm,
        seed=run.seed,
        role=run.role,
        trial=run.trial_number,
        fold=run.fold,
        state=run.state,
        progress=progress.run_progress(run),
        eta_s=lengths.remaining_s(run, now),
        preparing=Preparation(**run.preparing) if run.preparing else None,
        attempt=run.attempt,
        resumed_at=run.resumed_at,
        device=run.device,
        shared=run.shared,
        error=Failure(**run.error) if run.error else None,
        states=[RunState(**state) for state in run.states],
        versions=run.versions,
        splits=run.splits,
        loss_digest=run.loss_digest or None,
        step=run.step,
        total_steps=run.total_steps,
        steps_per_epoch=run.steps_per_epoch,
        created_at=iso(run.created_at),
        started_at=None if run.started_at is None else iso(run.started_at),
        ended_at=None if run.ended_at is None else iso(run.ended_at),
    )


def run_detail(run: Run, now: float, lengths: Lengths = UNKNOWN) -> RunDetail:
    """Return a run as it is at this time, with its machine."""
    return RunDetail(
        **run_out(run, now, lengths).model_dump(),
        environment=run.environment,
        usage=Usage(**run.usage) if run.usage else None,
    )


def series_list(curves: Iterable[Curve]) -> SeriesList:
    """Return curves as the API shows them."""
    return SeriesList(
        series=[
            SeriesOut(
                run=curve.run,
                key=curve.key,
                total=curve.total,
                steps=curve.steps,
                values=curve.values,
                min=curve.low,
                max=curve.high,
            )
            for curve in curves
        ]
    )
