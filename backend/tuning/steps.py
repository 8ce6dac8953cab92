"""What comes next in a search: pure functions of its trials.

round over -> the next round; all trials over -> the final runs of each arm's best setting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pydantic import ValidationError

from backend.db.models import Trial
from backend.tuning import values
from backend.tuning.proposals import Params, Row, propose
from backend.tuning.values import Judged
from contract.comparison.checks import batch_problems
from contract.comparison.problems import Problem, SpecError
from contract.comparison.spec import Arm, ComparisonSpec
from contract.comparison.tuning import Tuning, Value, value_at
from contract.tuning.specs import with_params

OVER = frozenset({"complete", "failed"})
"""States of trials that count against the budget."""
Place = tuple[str, int]
"""An arm and the number of a trial."""
Trials = Mapping[str, Sequence[Trial]]
"""Arm -> its trials in the order of their numbers."""


@dataclass(frozen=True)
class Step:
    """What one transaction writes."""

    judged: Mapping[str, Judged] = field(default_factory=dict)
    """Trial -> what came out of it."""
    proposed: Mapping[Place, Params] = field(default_factory=dict)
    """Settings of new trials, number by number and arm by arm."""
    finals: Sequence[str] = ()
    """The best trial of each arm that has one, if the final runs start."""


def first_trials(spec: ComparisonSpec) -> dict[Place, Params]:
    """Return the first trials of a search: with the random sampler all, with TPE the first round.

    Raises:
        SpecError: no settings in the space of an arm fit together; names each such arm.
    """
    proposed = _proposals(spec, tuning_of(spec), {arm.name: [] for arm in spec.arms}, 0)
    without = {arm for (arm, _), params in proposed.items() if params is None}
    problems = [
        Problem(f"arms[{at}].search", "no settings drawn from it fit together; change its ranges")
        for at, arm in enumerate(spec.arms)
        if arm.name in without
    ]
    if problems:
        raise SpecError(problems)
    return {place: params for place, params in proposed.items() if params is not None}


def next_step(
    spec: ComparisonSpec, trials: Trials, judged: Mapping[str, Judged], *, has_finals: bool
) -> Step:
    """Return what follows once these trials are over.

    Args:
        spec: of the comparison.
        trials: as they are stored.
        judged: trial -> what came out of it; not stored yet.
        has_finals: whether the final runs exist.
    """
    after = {arm: [_after(trial, judged) for trial in own] for arm, own in trials.items()}
    if not all_over(after):
        return Step(judged)
    if proposed := next_trials(spec, after):
        return Step(judged, proposed)
    if has_finals:
        return Step(judged)
    best = (best_trial(own, tuning_of(spec)) for own in after.values())
    return Step(judged, finals=[trial.id for trial in best if trial is not None])


def next_trials(spec: ComparisonSpec, trials: Trials) -> dict[Place, Params]:
    """Return the trials that come next; none if there are enough, or if TPE waits for the round
    before."""
    tuning = tuning_of(spec)
    if tuning.sampler == "tpe" and not all_over(trials):
        return {}
    rows = {arm.name: rows_of(spec, arm, trials[arm.name]) for arm in spec.arms}
    first = max(len(own) for own in trials.values())
    proposed = _proposals(spec, tuning, rows, first)
    # The arm as it is written can always be trained.
    return {place: params or {} for place, params in proposed.items()}


def all_over(trials: Trials) -> bool:
    """Return whether all trials until now have ended and count."""
    return all(trial.state in OVER for own in trials.values() for trial in own)


def best_trial(trials: Sequence[Trial], tuning: Tuning) -> Trial | None:
    """Return the complete trial of the best value, of equal ones the first; None without any."""
    direction = values.sign(tuning.objective)
    scored = [(direction * one.value, -one.number, one) for one in trials if one.value is not None]
    return max(scored, key=lambda one: one[:2])[2] if scored else None


def rows_of(spec: ComparisonSpec, arm: Arm, trials: Sequence[Trial]) -> list[Row]:
    """Return the trials of an arm as proposals and importance see them."""
    direction = values.sign(tuning_of(spec).objective)
    written = arm_settings(spec, arm)
    return [
        Row(
            tuple(effective_params(arm, written, trial.params).items()),
            over=trial.state in OVER,
            score=None if trial.value is None else direction * trial.value,
        )
        for trial in trials
    ]


def arm_settings(spec: ComparisonSpec, arm: Arm) -> dict[str, object]:
    """Return the settings of an arm as it is written, in which the paths of spaces lead."""
    return {"loss": arm.loss.model_dump(), "training": spec.training_of(arm).model_dump()}


def effective_params(arm: Arm, written: dict[str, object], params: Mapping[str, Value]) -> Params:
    """Return the value of each setting of an arm's space: where a trial does not name one, that of
    the arm as it is written. A setting that has none is left out.

    Args:
        arm: of the spec.
        written: its settings as it is written.
        params: of the trial.
    """
    found = {path: params[path] if path in params else _at(written, path) for path in arm.search}
    return {path: value for path, value in found.items() if value is not None}


def tuning_of(spec: ComparisonSpec) -> Tuning:
    """Return the section of a comparison that is tuned."""
    assert spec.tuning is not None, "only comparisons that are tuned have trials"
    return spec.tuning


def _proposals(
    spec: ComparisonSpec, tuning: Tuning, rows: Mapping[str, Sequence[Row]], first: int
) -> dict[Place, Params | None]:
    """Return settings for the next trials of every arm, from number `first` on; None where none
    fit together."""
    end = min(tuning.trials, first + tuning.round) if tuning.sampler == "tpe" else tuning.trials
    seen = {arm: list(own) for arm, own in rows.items()}
    found: dict[Place, Params | None] = {}
    for number in range(first, end):
        for arm in spec.arms:
            params: Params | None = {}
            if number or not tuning.include_default:
                own, fits = seen[arm.name], partial(_fits, spec, arm)
                params = propose(arm.search, own, number, tuning.seed, tuning.sampler, fits=fits)
            found[arm.name, number] = params
            if params:
                seen[arm.name].append(Row(tuple(params.items()), over=False))
    return found


def _fits(spec: ComparisonSpec, arm: Arm, params: Params) -> bool:
    """Return whether an arm can be trained with settings."""
    try:
        tried = with_params(spec, arm, params)
    except ValidationError:
        return False
    return not batch_problems(spec.data, spec.training_of(tried), "training")


def _after(trial: Trial, judged: Mapping[str, Judged]) -> Trial:
    """Return a trial as it is once the judgement is stored."""
    one = judged.get(trial.id)
    if one is None:
        return trial
    return Trial(**{**trial.model_dump(), "state": one.state, "value": one.value})


def _at(settings: dict[str, object], path: str) -> Value | None:
    try:
        value: Value | None = value_at(settings, path)
    except KeyError:
        return None  # another kind of optimiser or sampler has it
    return value
