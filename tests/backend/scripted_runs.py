"""Comparisons whose runs follow a script: their curves are made up, so the results are known."""

from collections.abc import Callable, Mapping
from typing import Any

from backend.comparisons import repository as comparisons
from backend.db.database import Database
from backend.db.models import Run
from backend.ingest import handlers
from contract.comparison.spec import parse_spec
from contract.events import Event, Failure
from tests.backend.helpers import Attempt, claim
from tests.support.specs import small

STEPS_PER_EPOCH = 10

Curves = Mapping[str, Mapping[int, float | None]]
"""Metric key -> step -> value."""

PAIR = (
    {"name": "pull", "loss": {"kind": "contrastive"}},
    {"name": "rank", "loss": {"kind": "triplet"}},
)


def per_epoch(first: float | None, *means: float | None, swing: float = 0.01) -> dict[int, Any]:
    """Make a per-step curve with these epoch means, none of its steps at the mean; `first` at step
    0."""
    curve: dict[int, float | None] = {} if first is None else {0: first}
    for epoch, mean in enumerate(means):
        for i in range(STEPS_PER_EPOCH):
            value = None if mean is None else mean + (swing if i % 2 else -swing)
            curve[epoch * STEPS_PER_EPOCH + i + 1] = value
    return curve


def store_events(database: Database, *events: Event) -> None:
    """Store events as the collector would."""
    with database.write() as write:
        counts = handlers.store_events(write, events, now=1002.0)
    assert counts["taken"] == len(events)


def run_script(
    database: Database, run: Run, curves: Curves, *, state: str = "succeeded", epochs: int = 10
) -> None:
    """Take a claimed run from its start to its end; `running` leaves it open."""
    attempt = Attempt(run.id, run.attempt)
    events: list[Event] = [attempt.started(epochs * STEPS_PER_EPOCH)]
    events += [
        attempt.points(list(curve), list(curve.values()), key) for key, curve in curves.items()
    ]
    if state != "running":
        failure = Failure(message="m", cause="c", step=1) if state == "failed" else None
        events.append(attempt.ended(state, failure))
    store_events(database, *events)


def scripted_comparison(
    database: Database,
    curves: Callable[[str, int], Curves],
    *,
    states: Mapping[tuple[str, int], str] | None = None,
    epochs: int = 10,
    **changes: Any,
) -> str:
    """Make a comparison and take all its runs to their end; curves by arm and seed, states
    likewise."""
    spec = parse_spec(small(**{"arms": list(PAIR), "seeds": [0, 1, 2], **changes}))
    with database.write() as write:
        raw = spec.model_dump(mode="json")
        comparison = comparisons.create(write, spec=spec, raw=raw, now=1000.0).id
    while run := claim(database):
        state = (states or {}).get((run.arm, run.seed), "succeeded")
        run_script(database, run, curves(run.arm, run.seed), state=state, epochs=epochs)
    return comparison
