"""The API's answers and small requests, as pydantic models."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.comparisons.repository import MOST_SEEDS, STATES, Tallies, Tally
from backend.db.models import Comparison, Run
from backend.metrics.series import Curve
from backend.runs import progress
from contract.comparison.spec import Name, Seed, Tag
from contract.events import Failure, Preparation

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class ComparisonOut(BaseModel):
    """A comparison, as lists show it."""

    id: str
    name: str
    tags: list[str]
    notes: str
    created_by: str
    archived: bool
    created_at: str
    """ISO 8601, UTC, as all times."""
    state: State
    progress: float
    eta_s: float | None
    runs: dict[State, int]
    """How many are in which state."""
    arms: list[str]
    seeds: list[int]
    data: str


class ComparisonDetail(ComparisonOut):
    """A comparison with its whole spec, defaults filled in."""

    spec: dict[str, Any]


class ComparisonPage(BaseModel):
    """One page of a list."""

    comparisons: list[ComparisonOut]
    total: int
    page: int
    page_size: int


class ComparisonPatch(BaseModel):
    """What may be changed later; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    tags: list[Tag] | None = Field(None, max_length=20)
    notes: str | None = Field(None, max_length=20_000)
    archived: bool | None = None


class MoreSeeds(BaseModel):
    """Seeds for which every arm is to run too."""

    model_config = ConfigDict(extra="forbid")

    seeds: list[Seed] = Field(min_length=1, max_length=MOST_SEEDS)


class RunOut(BaseModel):
    """One run."""

    id: str
    comparison: str
    arm: str
    seed: int
    state: State
    progress: float
    eta_s: float | None
    preparing: Preparation | None
    """What it does before its first step; None once it has begun, or while it waits."""
    attempt: int
    resumed_at: int
    """The step of the checkpoint that the attempt went on from; 0 if it began at the beginning."""
    device: str | None
    error: Failure | None
    step: int
    total_steps: int
    steps_per_epoch: int
    created_at: str
    started_at: str | None
    ended_at: str | None


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


class WorkerOut(BaseModel):
    """One worker slot."""

    name: str
    device: str
    host: str
    state: Literal["idle", "busy", "lost"]
    run: str | None
    seen_s_ago: float


class WorkerList(BaseModel):
    """All slots heard of lately."""

    workers: list[WorkerOut]


def comparison_out(
    comparison: Comparison, tallies: Tallies, *, slots: int, now: float
) -> ComparisonDetail:
    """A comparison with the state of its runs."""
    spec = comparison.spec
    return ComparisonDetail(
        id=comparison.id,
        name=comparison.name,
        tags=comparison.tags,
        notes=comparison.notes,
        created_by=comparison.created_by,
        archived=comparison.archived,
        created_at=iso(comparison.created_at),
        state=progress.state(tallies),
        progress=progress.progress(tallies),
        eta_s=progress.eta(tallies, slots, now),
        runs={state: tallies.get(state, Tally()).runs for state in STATES},
        arms=[arm["name"] for arm in spec["arms"]],
        seeds=spec["seeds"],
        data=spec["data"]["kind"],
        spec=spec,
    )


def run_out(run: Run, now: float) -> RunOut:
    """A run as it is at this moment."""
    return RunOut(
        id=run.id,
        comparison=run.comparison_id,
        arm=run.arm,
        seed=run.seed,
        state=run.state,
        progress=progress.run_progress(run),
        eta_s=progress.run_eta(run, now),
        preparing=Preparation(**run.preparing) if run.preparing else None,
        attempt=run.attempt,
        resumed_at=run.resumed_at,
        device=run.device,
        error=Failure(**run.error) if run.error else None,
        step=run.step,
        total_steps=run.total_steps,
        steps_per_epoch=run.steps_per_epoch,
        created_at=iso(run.created_at),
        started_at=None if run.started_at is None else iso(run.started_at),
        ended_at=None if run.ended_at is None else iso(run.ended_at),
    )


def series_list(curves: Iterable[Curve]) -> SeriesList:
    """Curves as the API shows them."""
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


def iso(seconds: float) -> str:
    """A time as answers carry it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
