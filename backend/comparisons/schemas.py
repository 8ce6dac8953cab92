"""Comparisons as the API shows them, and the requests that change them."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlmodel import Session

from backend.comparisons.edits import MAX_TAGS
from backend.comparisons.results import Result, results_of
from backend.db.models import Comparison
from backend.errors import ErrorOut
from backend.http.times import iso
from backend.runs import search_progress
from backend.runs.lengths import UNKNOWN, Lengths, read_lengths
from backend.runs.progress import STATES, Counted, Tallies, Tally, count_runs
from backend.runs.schemas import State
from backend.runs.search_progress import Phase
from backend.workers.registry import Workers
from contract.comparison.replication import Noun, Replicate, kind_by_name, replicate_noun
from contract.comparison.spec import MAX_SEEDS, NewName, NewTag, Seed, Tag


class ComparisonOut(BaseModel):
    """A comparison, as lists show it."""

    id: str
    name: str
    tags: list[str]
    notes: str
    created_by: str
    archived: bool
    version: int
    """Counts the changes of name, notes and tags; a change that names it is refused when somebody
    else has changed them meanwhile."""
    created_at: str
    """ISO 8601 in UTC, like all times."""
    state: State
    """Of a comparison that is tuned: running until its final runs are over."""
    phase: Phase | None
    """What a tuned one is at, or ended in: the search, or the final runs. Null without a tuning."""
    progress: float
    """Of its trials and final runs, also of those that are still to come."""
    eta_s: float | None
    runs: dict[State, int]
    """State -> number of runs, of trials and final ones together."""
    trial_runs: dict[State, int] | None
    """How many of them are of trials; null without a tuning. A failed one counts as a trial."""
    arms: list[str]
    seeds: list[int]
    replicate: Replicate
    """What varies between the runs of an arm: the seed, or the split of the data too."""
    replicate_noun: Noun
    """What one replicate is called: with `split` it depends on the data."""
    data: str
    result: Result | None
    """What came out of it, once its runs have ended and it is computed; null until then."""


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
    tags: list[NewTag] | None = Field(None, max_length=MAX_TAGS)
    """All tags; `add_tags` and `remove_tags` keep those that others add meanwhile."""
    add_tags: list[NewTag] = Field([], max_length=MAX_TAGS)
    remove_tags: list[Tag] = Field([], max_length=MAX_TAGS)
    notes: str | None = Field(None, max_length=20_000)
    archived: bool | None = None
    version: int | None = Field(None, ge=1, lt=2**31)
    """The version that the editor has seen: 409 if there is another now."""

    @model_validator(mode="after")
    def _one_way_to_change_tags(self) -> Self:
        if self.tags is not None and (self.add_tags or self.remove_tags):
            raise ValueError("give either tags, or add_tags and remove_tags")
        if both := set(self.add_tags) & set(self.remove_tags):
            raise ValueError(f"{min(both)!r} is to be added and removed; choose one")
        return self


class TextsNow(BaseModel):
    """What people edit of a comparison."""

    name: str
    notes: str
    tags: list[str]
    version: int


class EditConflict(ErrorOut):
    """The answer to a change whose version is not the present one; nothing was changed."""

    current: TextsNow


class MoreSeeds(BaseModel):
    """Additional seeds for every arm."""

    model_config = ConfigDict(extra="forbid")

    seeds: list[Seed] = Field(min_length=1, max_length=MAX_SEEDS)


def comparison_out(
    comparison: Comparison,
    counted: Counted,
    result: Result | None = None,
    *,
    slots: int,
    now: float,
    lengths: Lengths = UNKNOWN,
) -> ComparisonDetail:
    """Return a comparison with the state of its runs, which are counted.

    Args:
        comparison: the comparison.
        counted: its runs.
        result: what is told of it in lists; None while there is none.
        slots: that its runs share.
        now: seconds since the epoch.
        lengths: of its runs.
    """
    spec = comparison.spec
    search = search_progress.search_size(spec)
    of_trials, final = _by_state(counted.trial), _by_state(counted.final)
    replicate, data = spec.get("replicate", "seed"), spec["data"]["kind"]
    return ComparisonDetail(
        id=comparison.id,
        name=comparison.name,
        tags=comparison.tags,
        notes=comparison.notes,
        created_by=comparison.created_by,
        archived=comparison.archived,
        version=comparison.version,
        created_at=iso(comparison.created_at),
        state=search_progress.state(counted, search),
        phase=search_progress.phase(counted, search),
        progress=search_progress.share_done(counted, search),
        eta_s=search_progress.remaining_s(counted, search, slots, now, lengths.means),
        runs={state: of_trials[state] + final[state] for state in STATES},
        trial_runs=None if search is None else of_trials,
        arms=[arm["name"] for arm in spec["arms"]],
        seeds=spec["seeds"],
        replicate=replicate,
        replicate_noun=replicate_noun(kind_by_name(data, replicate)),
        data=data,
        result=result,
        spec=spec,
    )


def comparison_detail(
    session: Session, comparison: Comparison, workers: Workers, now: float
) -> ComparisonDetail:
    """Return a comparison as it is in this session, its changes included."""
    session.flush()
    slots = workers.alive().total()
    counted = count_runs(session, [comparison.id])[comparison.id]
    result = results_of(session, [comparison.id]).get(comparison.id)
    lengths = read_lengths(session, {comparison.id: comparison.spec}, now)[comparison.id]
    return comparison_out(comparison, counted, result, slots=slots, now=now, lengths=lengths)


def _by_state(tallies: Tallies) -> dict[str, int]:
    return {state: tallies.get(state, Tally()).runs for state in STATES}
