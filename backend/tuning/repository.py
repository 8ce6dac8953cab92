"""Trials in the database: read a search as it stands, and write what comes next in it."""

import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import func
from sqlmodel import Session, col, exists, select

from backend.db.database import Write
from backend.db.models import Comparison, Run, Trial
from backend.errors import ConflictError, NotFoundError
from backend.plugins.repository import digests_of_arms
from backend.runs.repository import has_finals
from backend.tuning.proposals import Params
from backend.tuning.steps import Place, Trials, tuning_of
from backend.tuning.values import Judged
from contract.comparison.spec import ComparisonSpec
from contract.comparison.training import ANY_DEVICE
from contract.comparison.tuning import Tuning


@dataclass(frozen=True)
class Search:
    """The search of one comparison as one transaction saw it."""

    comparison: Comparison
    spec: ComparisonSpec
    tuning: Tuning
    trials: Trials
    ready: frozenset[str]
    """Waiting trials whose runs are all over."""
    has_finals: bool

    def is_still(self, before: "Search") -> bool:
        """Return whether a step may be written that was computed from this search as it was
        before. More trials may be over since."""
        return (
            _states(self) == _states(before)
            and self.tuning == before.tuning
            and self.has_finals == before.has_finals
            and self.ready >= before.ready
        )


def load(session: Session, comparison: str) -> Search:
    """Return a comparison's search.

    Raises:
        NotFoundError: no comparison has this id.
        ConflictError: it is not tuned, or this version of Lossboard cannot read its spec.
    """
    found = session.get(Comparison, comparison)
    if found is None:
        raise NotFoundError(f"there is no comparison {comparison!r}")
    if found.spec.get("tuning") is None:
        raise ConflictError("this comparison is not tuned, so it has no trials")
    try:
        spec = ComparisonSpec.model_validate(found.spec)
    except ValidationError:
        raise ConflictError(
            "this comparison was made by another version of Lossboard: its spec cannot be read "
            "any more"
        ) from None
    trials: dict[str, list[Trial]] = {arm.name: [] for arm in spec.arms}
    query = select(Trial).where(Trial.comparison_id == comparison).order_by(col(Trial.number))
    for trial in session.exec(query):
        trials[trial.arm].append(trial)
    return Search(
        found,
        spec,
        tuning_of(spec),
        trials,
        frozenset(ready_trials(session, comparison).get(comparison, ())),
        has_finals(session, comparison),
    )


def ready_trials(session: Session, comparison: str | None = None) -> dict[str, list[str]]:
    """Return the waiting trials whose runs are all over, by comparison.

    A cancelled run is not over: it costs its trial nothing and can be queued again. Each of the
    queries reads a range of an index.

    Args:
        session: a transaction.
        comparison: only those of this one; None for all.
    """
    is_open = exists().where(
        col(Run.trial_id) == Trial.id, col(Run.state).in_(("queued", "running", "cancelled"))
    )
    query = select(Trial.comparison_id, Trial.id).where(Trial.state == "waiting", ~is_open)
    if comparison is not None:
        query = query.where(Trial.comparison_id == comparison)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for owner, trial in session.exec(query):
        found[owner].append(trial)
    return dict(found)


def runs_of(session: Session, trials: Collection[str]) -> dict[str, list[Run]]:
    """Return the runs of trials, by trial."""
    rows = session.exec(
        select(Run)
        .where(col(Run.trial_id).in_(trials), Run.role == "trial")
        .order_by(col(Run.position))
    )
    found: dict[str, list[Run]] = {trial: [] for trial in trials}
    for run in rows:
        found[str(run.trial_id)].append(run)
    return found


def settle(write: Write, judged: Mapping[str, Judged], now: float) -> None:
    """Write what came out of trials."""
    for trial in write.session.exec(select(Trial).where(col(Trial.id).in_(judged))).all():
        one = judged[trial.id]
        trial.state, trial.value, trial.epochs = one.state, one.value, one.epochs
        trial.ended_at = now
        write.session.add(trial)


def add_trials(
    write: Write, comparison: Comparison, proposed: Mapping[Place, Params], now: float
) -> None:
    """Add trials with their queued runs.

    Their order is trial by trial and fold by fold, arms side by side, so that all arms grow alike.

    Args:
        write: the transaction.
        comparison: whose they are.
        proposed: arm and number -> settings, number by number and arm by arm.
        now: seconds since the epoch.
    """
    tuning = Tuning.model_validate(comparison.spec["tuning"])
    made: dict[int, list[Trial]] = defaultdict(list)
    for (arm, number), params in proposed.items():
        trial = Trial(
            id=f"t{secrets.token_hex(5)}",
            comparison_id=comparison.id,
            arm=arm,
            number=number,
            params=params,
            created_at=now,
        )
        made[number].append(trial)
        write.session.add(trial)
    wanted = [
        _NewRun(trial, seed, fold)
        for trials in made.values()
        for seed in tuning.trial_seeds
        for fold in (range(tuning.folds) if tuning.folds > 1 else (None,))
        for trial in trials
    ]
    _add_runs(write, comparison, "trial", wanted)


def add_finals(
    write: Write,
    comparison: Comparison,
    best: Sequence[Trial],
    seeds: Sequence[int],
    now: float | None = None,
) -> None:
    """Queue the final runs of arms, seed by seed, arms side by side.

    Args:
        write: the transaction.
        comparison: whose they are.
        best: the best trial of each arm that has one.
        seeds: of the comparison.
        now: see _add_runs.
    """
    wanted = [_NewRun(trial, seed) for seed in seeds for trial in best]
    _add_runs(write, comparison, "final", wanted, now)


def best_of_finals(session: Session, comparison: str) -> list[Trial]:
    """Return the trials whose settings the final runs of a comparison have, in their order; none
    while there are no final runs."""
    runs = session.exec(
        select(Run.trial_id)
        .where(Run.comparison_id == comparison, Run.role == "final")
        .order_by(col(Run.position))
    ).all()
    ids = list(dict.fromkeys(run for run in runs if run is not None))
    trials = {
        trial.id: trial for trial in session.exec(select(Trial).where(col(Trial.id).in_(ids)))
    }
    return [trials[one] for one in ids if one in trials]


@dataclass(frozen=True)
class _NewRun:
    trial: Trial
    """Whose settings it has."""
    seed: int
    fold: int | None = None


def _add_runs(
    write: Write,
    comparison: Comparison,
    role: str,
    wanted: Sequence[_NewRun],
    now: float | None = None,
) -> None:
    """Queue runs behind those that the comparison has.

    Args:
        write: the transaction.
        comparison: whose they are.
        role: of all of them.
        wanted: in their order.
        now: when somebody asked for them, which is their place in the queue. None for a step of
            the search: they queue where the comparison stands, with its age, and in front if it
            was moved there.
    """
    if not wanted:
        return
    places = select(
        func.coalesce(func.max(Run.position), -1), func.coalesce(func.max(Run.priority), 0)
    )
    last, priority = write.session.exec(places.where(Run.comparison_id == comparison.id)).one()
    digests = digests_of_arms(write.session, comparison.spec)
    runs = [
        Run(
            id=f"r{secrets.token_hex(5)}",
            comparison_id=comparison.id,
            position=position,
            arm=new.trial.arm,
            seed=new.seed,
            created_by=comparison.created_by,
            wants=comparison.spec["training"].get("device", ANY_DEVICE),
            loss_digest=digests[new.trial.arm],
            priority=priority if now is None else 0,
            created_at=comparison.created_at if now is None else now,
            role=role,
            trial_id=new.trial.id,
            trial_number=new.trial.number,
            fold=new.fold,
            states=[],
        )
        for position, new in enumerate(wanted, last + 1)
    ]
    write.session.add_all(runs)
    write.session.flush()
    for run in runs:
        write.update_of(run).runs[run.id] = run


def _states(search: Search) -> list[tuple[str, str]]:
    return [(trial.id, trial.state) for own in search.trials.values() for trial in own]
