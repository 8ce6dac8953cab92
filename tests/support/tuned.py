"""Comparisons that are tuned, written into the database as they are at any moment of a search."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.comparisons.repository import index_tags
from backend.db.database import Database
from backend.db.models import Comparison, Run, Trial
from contract.comparison.spec import ComparisonSpec, parse_spec
from tests.support.specs import small

MARGIN = {"low": 0.1, "high": 2.0}
ARMS = (
    {"name": "pull", "loss": {"kind": "contrastive"}, "search": {"loss.margin": MARGIN}},
    {"name": "rank", "loss": {"kind": "triplet"}, "search": {"loss.margin": MARGIN}},
)
RUN_STATES: Mapping[str, Sequence[str]] = {
    "waiting": ("queued", "queued"),
    "running": ("running", "queued"),
    "complete": ("succeeded", "succeeded"),
    "failed": ("failed", "succeeded"),
    "cancelled": ("cancelled", "cancelled"),
}
"""State of a trial, as the API tells it -> states of its runs, in turn."""


def tuned(trials: int = 2, **changes: Any) -> dict[str, Any]:
    """Return a spec of two arms that are tuned with two folds and have two seeds."""
    tuning = {"trials": trials, "folds": 2, **changes.pop("tuning", {})}
    return small(**{"arms": list(ARMS), "seeds": [0, 1], "tuning": tuning, **changes})


@dataclass
class TunedComparison:
    """The rows of a comparison that is tuned."""

    id: str
    spec: ComparisonSpec
    trials: list[Trial] = field(default_factory=list)
    """Trial by trial, arms side by side."""
    trial_runs: list[Run] = field(default_factory=list)
    finals: list[Run] = field(default_factory=list)

    @property
    def runs(self) -> list[Run]:
        """All runs, in their order."""
        return [*self.trial_runs, *self.finals]


def store_tuned(
    database: Database,
    trials: Mapping[str, Sequence[str]],
    finals: Mapping[str, Sequence[str]] | None = None,
    *,
    params: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    now: float = 1000.0,
    **changes: Any,
) -> TunedComparison:
    """Store a tuned comparison whose search has come so far.

    Args:
        database: to write to.
        trials: arm, one of ARMS -> states of its trials, keys of RUN_STATES.
        finals: arm -> states of its final runs, of which each has the settings of the arm's first
            complete trial; None before the search is over.
        params: arm -> settings of its trials; without them trial 0 is the arm as it is written, and
            trial n has the margin 0.1 + n / 10.
        now: when it was submitted; its first run started then and took 10 s.
        changes: of the spec.
    """
    arms = [arm for arm in ARMS if arm["name"] in trials]
    spec = parse_spec(tuned(max(map(len, trials.values())), **{"arms": arms, **changes}))
    assert spec.tuning is not None
    made = TunedComparison(f"c{secrets.token_hex(5)}", spec)
    for number in range(max(map(len, trials.values()))):
        for arm, states in trials.items():
            if number < len(states):
                chosen = (
                    params[arm][number]
                    if params
                    else {"loss.margin": round(0.1 + number / 10, 6)}
                    if number
                    else {}
                )
                trial = _trial(made, arm, states[number], dict(chosen), now)
                made.trials.append(trial)
                made.trial_runs += _runs_of_trial(made, trial, states[number], now)
    for at in range(len(spec.seeds)):
        for arm, states in (finals or {}).items():
            best = next(one for one in made.trials if (one.arm, one.state) == (arm, "complete"))
            run = _run(made, arm, spec.seeds[at], states[at], now)
            run.trial_id, run.trial_number = best.id, best.number
            made.finals.append(run)
    with database.write() as write:
        comparison = Comparison(
            id=made.id,
            name=spec.name,
            notes=spec.notes,
            created_by="local",
            created_at=now,
            tags=list(spec.tags),
            spec=spec.model_dump(mode="json"),
        )
        write.session.add(comparison)
        write.session.flush()
        index_tags(write.session, comparison)
        write.session.add_all([*made.trials, *made.runs])
    return made


def _trial(
    made: TunedComparison, arm: str, state: str, params: dict[str, Any], now: float
) -> Trial:
    complete = state == "complete"
    number = sum(one.arm == arm for one in made.trials)
    return Trial(
        id=f"t{secrets.token_hex(5)}",
        comparison_id=made.id,
        arm=arm,
        number=number,
        params=params,
        state="waiting" if state == "running" else state,
        value=0.5 + number / 100 if complete else None,
        epochs=4 + number if complete else None,
        created_at=now,
        ended_at=now + 10 if state in {"complete", "failed"} else None,
    )


def _runs_of_trial(made: TunedComparison, trial: Trial, state: str, now: float) -> list[Run]:
    tuning = made.spec.tuning
    assert tuning is not None
    states = RUN_STATES[state]
    places = [(seed, fold) for seed in tuning.trial_seeds for fold in range(tuning.folds)]
    found: list[Run] = []
    for at, (seed, fold) in enumerate(places):
        run = _run(made, trial.arm, seed, states[at % len(states)], now)
        run.position += len(found)
        run.role, run.trial_id, run.trial_number = "trial", trial.id, trial.number
        run.fold = fold if tuning.folds > 1 else None
        found.append(run)
    return found


def _run(made: TunedComparison, arm: str, seed: int, state: str, now: float) -> Run:
    begun, ended = state != "queued", state not in {"queued", "running"}
    return Run(
        id=f"r{secrets.token_hex(5)}",
        comparison_id=made.id,
        position=len(made.runs),
        arm=arm,
        seed=seed,
        state=state,
        created_at=now,
        started_at=now if begun else None,
        ended_at=now + 10 if ended else None,
        worker="w" if begun else None,
        device="cpu" if begun else None,
        step=128 if state == "succeeded" else 64 if begun else 0,
        total_steps=128 if begun else 0,
        steps_per_epoch=16 if begun else 0,
        error={"message": "m", "cause": "c", "step": 1} if state == "failed" else None,
    )
