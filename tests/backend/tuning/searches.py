"""Searches whose trials are trained by a made-up objective, written as events of runs."""

import json
import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlmodel import col, select

from backend.db.database import Database
from backend.db.models import Comparison, Run, Trial
from backend.ingest import handlers
from backend.tuning.engine import Engine
from backend.tuning.steps import arm_settings, effective_params
from backend.tuning.values import sign
from contract.comparison.spec import Arm, ComparisonSpec
from contract.comparison.tuning import Value
from contract.events import Event, Failure
from tests.backend.helpers import Attempt, claim, submit

OBJECTIVE = "retrieval.map_at_r"
SPACE = {
    "loss.margin": {"low": 0.02, "high": 2.0, "log": True},
    "training.optimizer.lr": {"low": 1e-4, "high": 1e-2, "log": True},
}
ARMS = (
    {"name": "pull", "loss": {"kind": "contrastive"}, "search": SPACE},
    {"name": "rank", "loss": {"kind": "triplet"}, "search": SPACE},
)
UNTRAINED = 99.0
"""Value of epoch 0, better than all others: it must never count."""
SECONDS = 2.0
"""Training time of a run that succeeds."""

Measured = Callable[[Run, dict[str, Value]], float | None]
"""Value of a run at its best epoch by its settings; None where it diverges."""


def margin_of_a_half(run: Run, params: dict[str, Value]) -> float | None:
    """Measure how near the margin is to 0.5; seeds and folds differ a little."""
    return 1 - abs(float(params["loss.margin"]) - 0.5) + (run.fold or 0) / 100 + run.seed % 7 / 1e3


def submit_tuned(
    database: Database, arms: Sequence[dict[str, Any]] = ARMS, **changes: Any
) -> Comparison:
    """Store a comparison that is tuned: four random trials an arm, and two seeds, unless changed;
    what is no part of a spec is one of the tuning."""
    outer = {key: changes.pop(key) for key in ("seeds", "name") if key in changes}
    tuning = {"trials": 4, **changes}
    return submit(database, arms=list(arms), **{"seeds": [0, 1], **outer}, tuning=tuning)


def trials_of(database: Database, comparison: str) -> list[Trial]:
    """Return all trials, number by number."""
    with database.read() as session:
        query = select(Trial).where(Trial.comparison_id == comparison)
        return list(session.exec(query.order_by(col(Trial.number), col(Trial.arm))).all())


def runs_of(database: Database, comparison: str, role: str | None = None) -> list[Run]:
    """Return runs in their order; of one role, or of both."""
    with database.read() as session:
        query = select(Run).where(Run.comparison_id == comparison).order_by(col(Run.position))
        return [run for run in session.exec(query).all() if role in (None, run.role)]


def told(database: Database, comparison: str) -> list[tuple[Any, ...]]:
    """Return all that came out of a search, without ids and times."""
    trials = trials_of(database, comparison)
    places = {trial.id: trial.number for trial in trials}
    found: list[tuple[Any, ...]] = [
        (one.arm, one.number, tuple(one.params.items()), one.state, one.value, one.epochs)
        for one in trials
    ]
    return found + [
        (run.role, run.arm, run.seed, run.fold, places[str(run.trial_id)])
        for run in runs_of(database, comparison)
    ]


def settings_of(database: Database, run: Run) -> dict[str, Value]:
    """Return the value of every searched setting in a run."""
    with database.read() as session:
        stored = session.get_one(Comparison, run.comparison_id).spec
        trial = session.get_one(Trial, run.trial_id)
    arm, written = _arm_as_written(json.dumps(stored), run.arm)
    return effective_params(arm, written, trial.params)


@cache
def _arm_as_written(stored: str, name: str) -> tuple[Arm, dict[str, object]]:
    spec = ComparisonSpec.model_validate_json(stored)
    return spec.arm(name), arm_settings(spec, spec.arm(name))


def finish(
    database: Database,
    run: Run,
    value: float | None,
    *,
    best_epoch: int = 2,
    key: str = OBJECTIVE,
) -> None:
    """End a claimed run: with this value at its best epoch of four, or diverged."""
    better = sign(key)
    attempt = Attempt(run.id, run.attempt)
    events: list[Event] = [attempt.started(40)]
    if value is None:
        failure = Failure(message="the loss is not finite", cause="lr", step=3)
        events += [attempt.points([0], [UNTRAINED], OBJECTIVE), attempt.ended("failed", failure)]
    else:
        values = [value - better * abs(epoch - best_epoch) / 10 for epoch in range(1, 5)]
        points = attempt.points([0, 10, 20, 30, 40], [better * UNTRAINED, *values], key)
        elapsed = attempt.points([10, 40], [0.5, SECONDS], "run.elapsed_s")
        events += [points, elapsed, attempt.ended()]
    with database.write() as write:
        counts = handlers.store_events(write, events, now=1002.0)
    assert counts["taken"] == len(events)


def drive(
    database: Database,
    measured: Measured = margin_of_a_half,
    *,
    engine: Engine | None = None,
    workers: int = 1,
    seed: int = 0,
) -> None:
    """Train all runs, as so many workers that end in a random order, and take the steps between."""
    steps = engine or Engine(database, lambda: 2000.0)
    order = random.Random(seed)
    held: list[Run] = []
    while True:
        while len(held) < workers and (run := claim(database)):
            held.append(run)
        if not held:
            return
        run = held.pop(order.randrange(len(held)))
        finish(database, run, measured(run, settings_of(database, run)))
        steps.advance()
