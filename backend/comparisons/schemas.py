"""Comparisons as the API shows them, and the requests that change them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from backend.comparisons.repository import MAX_SEEDS
from backend.db.models import Comparison
from backend.http.times import iso
from backend.runs import progress
from backend.runs.progress import STATES, Tallies, Tally
from backend.runs.schemas import State
from backend.workers.registry import Workers
from contract.comparison.spec import NewName, NewTag, Seed


class ComparisonOut(BaseModel):
    """A comparison, as lists show it."""

    id: str
    name: str
    tags: list[str]
    notes: str
    created_by: str
    archived: bool
    created_at: str
    """ISO 8601 in UTC, like all times."""
    state: State
    progress: float
    eta_s: float | None
    runs: dict[State, int]
    """State -> number of runs."""
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
    """What may be changed later; a field that is left out keeps its value."""

    model_config = ConfigDict(extra="forbid")

    name: NewName | None = None
    tags: list[NewTag] | None = Field(None, max_length=20)
    notes: str | None = Field(None, max_length=20_000)
    archived: bool | None = None


class MoreSeeds(BaseModel):
    """Additional seeds for every arm."""

    model_config = ConfigDict(extra="forbid")

    seeds: list[Seed] = Field(min_length=1, max_length=MAX_SEEDS)


def comparison_out(
    comparison: Comparison, tallies: Tallies, *, slots: int, now: float
) -> ComparisonDetail:
    """Return a comparison with the state of its runs, of which `tallies` are the counts."""
    spec = comparison.spec
    return ComparisonDetail(
        id=comparison.id,
        name=comparison.name,
        tags=comparison.tags,
        notes=comparison.notes,
        created_by=comparison.created_by,
        archived=comparison.archived,
        created_at=iso(comparison.created_at),
        state=progress.overall_state(tallies),
        progress=progress.overall_progress(tallies),
        eta_s=progress.overall_eta(tallies, slots, now),
        runs={state: tallies.get(state, Tally()).runs for state in STATES},
        arms=[arm["name"] for arm in spec["arms"]],
        seeds=spec["seeds"],
        data=spec["data"]["kind"],
        spec=spec,
    )


def comparison_detail(
    session: Session, comparison: Comparison, workers: Workers, now: float
) -> ComparisonDetail:
    """Return a comparison as it is in this session, its changes included."""
    session.flush()
    slots = workers.alive().total()
    tallies = progress.tallies(session, [comparison.id])[comparison.id]
    return comparison_out(comparison, tallies, slots=slots, now=now)
