"""Puts together what the API tells about a search."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlmodel import Session, col, select

from backend.db.models import Run, Trial
from backend.metrics import results
from backend.tuning import curve, proposals, repository, values
from backend.tuning.repository import Search
from backend.tuning.schemas import (
    CurvePoint,
    Phase,
    Sensitivity,
    SensitivityArm,
    SensitivityPoint,
    TrialOut,
    TrialRunOut,
    TrialState,
    TunedArm,
    TuningOut,
)
from backend.tuning.steps import all_over, arm_settings, best_trial, effective_params, rows_of
from backend.tuning.values import RunValue
from contract.catalogue.optima import published_optimum
from contract.comparison.spec import Arm
from contract.comparison.tuning import Range

NEAR: Final = 0.01
"""Relative distance from the best value."""
_ELAPSED: Final = "run.elapsed_s"


def tuning_out(session: Session, search: Search, problem: str | None = None) -> TuningOut:
    """Return a search with all its trials.

    Args:
        session: a transaction.
        search: as it saw it.
        problem: why the search stands still; None while it does not.
    """
    ids = [trial.id for own in search.trials.values() for trial in own]
    runs = repository.runs_of(session, ids)
    every = [run for own in runs.values() for run in own]
    found = values.run_values(
        session, [run for run in every if run.state == "succeeded"], search.tuning.objective
    )
    elapsed = {
        one.run: one.value or 0.0
        for one in results.last_values(session, runs=[run.id for run in every], keys=[_ELAPSED])
    }
    return TuningOut(
        tuning=search.tuning.model_dump(mode="json"),
        phase=_phase(session, search),
        problem=problem,
        arms=[_arm_out(search, arm, runs, found, elapsed) for arm in search.spec.arms],
    )


def sensitivity(session: Session, search: Search, path: str) -> Sensitivity:
    """Return the trials of the arms that searched a setting, along it."""
    ids = [trial.id for own in search.trials.values() for trial in own]
    runs = repository.runs_of(session, ids)
    arms = [arm for arm in search.spec.arms if path in arm.search]
    spaces = [arm.search[path] for arm in arms]
    return Sensitivity(
        path=path,
        log=any(isinstance(space, Range) and space.log for space in spaces),
        arms=[_along(search, arm, path, runs) for arm in arms],
    )


def searched_paths(search: Search) -> list[str]:
    """Return the settings that at least one arm searches, in the order of the arms."""
    return list(dict.fromkeys(path for arm in search.spec.arms for path in arm.search))


def _phase(session: Session, search: Search) -> Phase:
    if not search.has_finals:
        return "done" if _is_over(search) else "search"
    is_open = select(Run.id).where(
        Run.comparison_id == search.comparison.id,
        Run.role == "final",
        col(Run.state).in_(("queued", "running")),
    )
    return "final" if session.exec(is_open.limit(1)).first() else "done"


def _is_over(search: Search) -> bool:
    """Return whether every arm has had all its trials."""
    return all(len(own) >= search.tuning.trials for own in search.trials.values()) and all_over(
        search.trials
    )


def _arm_out(
    search: Search,
    arm: Arm,
    runs: Mapping[str, Sequence[Run]],
    found: Mapping[str, RunValue],
    elapsed: Mapping[str, float],
) -> TunedArm:
    trials = search.trials[arm.name]
    best = best_trial(trials, search.tuning)
    complete = [trial.value for trial in trials if trial.value is not None]
    near = [
        abs(value - best.value) <= NEAR * abs(best.value)
        for value in complete
        if best is not None and best.value is not None
    ]
    return TunedArm(
        name=arm.name,
        space={path: space.model_dump(mode="json") for path, space in arm.search.items()},
        trials=[_trial_out(trial, runs[trial.id], found) for trial in trials],
        best=None if best is None else best.number,
        default=0 if search.tuning.include_default and trials else None,
        problem=_problem(search, trials, runs),
        curve=_curve(search, trials),
        importance=proposals.importance(arm.search, rows_of(search.spec, arm, trials)),
        near_best=sum(near) / len(near) if near else None,
        spent_s=sum(elapsed.get(run.id, 0.0) for one in trials for run in runs[one.id]),
    )


def _trial_out(trial: Trial, runs: Sequence[Run], found: Mapping[str, RunValue]) -> TrialOut:
    return TrialOut(
        number=trial.number,
        params=trial.params,
        state=trial_state(trial, runs),
        value=trial.value,
        epochs=trial.epochs,
        runs=[
            TrialRunOut(
                id=run.id,
                seed=run.seed,
                fold=run.fold,
                state=run.state,
                value=found[run.id].value if run.id in found else None,
                best_epoch=found[run.id].epoch if run.id in found else None,
            )
            for run in runs
        ],
    )


def trial_state(trial: Trial, runs: Sequence[Run]) -> TrialState:
    """Return a trial's state; running once one of its runs has begun."""
    if trial.state == "waiting" and any(run.state != "queued" for run in runs):
        return "running"
    state: TrialState = trial.state  # type: ignore[assignment]
    return state


def _problem(
    search: Search, trials: Sequence[Trial], runs: Mapping[str, Sequence[Run]]
) -> str | None:
    """Return why an arm gets no final runs; None while it may, or if it has them."""
    if len(trials) < search.tuning.trials or any(trial.state != "failed" for trial in trials):
        return None
    errors = (run.error for trial in trials for run in runs[trial.id] if run.error)
    first = next((str(error["message"]) for error in errors), "the objective was not measured")
    return f"all {len(trials)} trials failed, so it has no final runs; the first: {first}"


def _curve(search: Search, trials: Sequence[Trial]) -> list[CurvePoint]:
    direction = values.sign(search.tuning.objective)
    ended = [trial for trial in trials if trial.state in {"complete", "failed"}]
    scores = [None if trial.value is None else direction * trial.value for trial in ended]
    if search.tuning.sampler == "tpe":
        points = curve.running_best(scores)
    else:
        known = [score for score in scores if score is not None]
        independent = [
            min(known) if score is None else score
            for trial, score in zip(ended, scores, strict=True)
            if known and not (search.tuning.include_default and trial.number == 0)
        ]
        points = curve.expected_best(independent)
    return [_curve_point(point, direction) for point in points]


def _curve_point(point: curve.Point, direction: int) -> CurvePoint:
    bounds = [point.low, point.high]
    low, high = bounds if direction > 0 else reversed(bounds)
    return CurvePoint(
        n=point.n,
        value=direction * point.value,
        low=None if low is None else direction * low,
        high=None if high is None else direction * high,
    )


def _along(
    search: Search, arm: Arm, path: str, runs: Mapping[str, Sequence[Run]]
) -> SensitivityArm:
    written = arm_settings(search.spec, arm)
    points = [
        SensitivityPoint(
            trial=trial.number,
            value=trial.value,
            x=params[path],
            state=trial_state(trial, runs[trial.id]),
        )
        for trial in search.trials[arm.name]
        if path in (params := effective_params(arm, written, trial.params))
    ]
    default = effective_params(arm, written, {}).get(path)
    published = published_optimum(search.spec, arm, path)
    return SensitivityArm(name=arm.name, points=points, default=default, published=published)
