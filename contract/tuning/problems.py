"""Checks of a new spec's tuning: spaces, objective, seeds and folds; all problems at once.

A stored spec is not checked: it may be of a version with other rules.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from contract.comparison.data import Data
from contract.comparison.data.facts import fold_problem
from contract.comparison.plugins import Plugins, entry_of
from contract.comparison.problems import Problem
from contract.comparison.replication import kind_of
from contract.comparison.spec import Arm, ComparisonSpec, valid_sections, valid_seeds
from contract.comparison.training import Training
from contract.comparison.tuning import MAX_PATHS, Space, Tuning
from contract.tuning.batches import batch_problems_of
from contract.tuning.joint import margin_problems
from contract.tuning.objectives import objective_problem
from contract.tuning.paths import (
    OPTIMIZER_KIND,
    path_problem,
    settings_of,
    space_problems,
    strings_of,
)

T = TypeVar("T")

MAX_SHOWN: Final = 60
"""Characters of a path that a problem shows."""
NONE: Final[Plugins] = {}
"""No plug-ins."""


def tuning_problems(raw: Mapping[str, Any], plugins: Plugins = NONE) -> list[Problem]:
    """Return the problems of a new spec with its tuning; other parts of it may be invalid.

    Args:
        raw: the posted JSON, shortened.
        plugins: those that it names.
    """
    problems = []
    if raw.get("trial") is not None:
        problems.append(Problem("trial", "is set by the product alone; leave it out"))
    data, training, _ = valid_sections(raw)
    tuning = _readable_tuning(raw.get("tuning"))
    given = raw.get("arms")
    arms: list[Any] = given if isinstance(given, list) else []
    if raw.get("tuning") is None:
        message = "is searched only in a comparison that is tuned; add 'tuning', or leave it out"
        problems += [
            Problem(f"arms[{index}].search", message)
            for index, arm in enumerate(arms)
            if isinstance(arm, Mapping) and arm.get("search")
        ]
        return problems
    if tuning is not None:
        problems += _seed_problems(raw, tuning)
        if data is not None:
            problems += _data_problems(raw, data, tuning)
    for index, arm in enumerate(arms):
        if isinstance(arm, Mapping):
            path = f"arms[{index}]"
            problems += _arm_problems(arm, training, data, tuning, path, plugins=plugins)
    return list(dict.fromkeys(problems))  # what arms share is told once


def valid_spaces(search: object) -> dict[str, Space]:
    """Return those spaces of a posted arm that are valid each, by path."""
    if not isinstance(search, Mapping):
        return {}
    read = {str(key): _valid_or_none(_SPACE, one) for key, one in search.items()}
    return {key: space for key, space in read.items() if space is not None}


def most_trials_problem(spec: ComparisonSpec, most: int) -> Problem | None:
    """Return that a comparison that is tuned has more runs than may be queued, or None.

    Args:
        spec: of the comparison.
        most: runs that one comparison may have.
    """
    return _size_of(spec).problem(most)


def budget_problems(raw: Mapping[str, Any], most: int) -> list[Problem]:
    """Return the same of a new spec, whose other parts may be invalid.

    Args:
        raw: the posted JSON, shortened.
        most: runs that one comparison may have.
    """
    arms, seeds = raw.get("arms"), raw.get("seeds")
    tuning = _valid_or_none(_TUNING, raw.get("tuning"))
    if tuning is None or not isinstance(arms, list) or not isinstance(seeds, list):
        return []
    problem = _Size(len(arms), len(seeds), tuning).problem(most)
    return [] if problem is None else [problem]


def runs_of(spec: ComparisonSpec) -> int:
    """Return the number of runs of a comparison, with those of its trials."""
    return _size_of(spec).runs


def runs_text(spec: ComparisonSpec) -> str:
    """Return how the number of runs comes about, such as `2 arms x 24 trials x 4 folds + 2 x 10
    seeds = 212 runs`."""
    return _size_of(spec).text


class _Size(NamedTuple):
    """What decides how many runs a comparison has."""

    arms: int
    seeds: int
    tuning: Tuning | None

    @property
    def runs(self) -> int:
        """Number of runs, with those of trials."""
        tuning = self.tuning
        trials = 0 if tuning is None else tuning.trials * tuning.runs_per_trial
        return self.arms * (trials + self.seeds)

    @property
    def text(self) -> str:
        """How their number comes about."""
        tuning, seeds = self.tuning, _count(self.seeds, "seed")
        factors = [_count(self.arms, "arm")]
        if tuning is None:
            return f"{factors[0]} x {seeds} = {self.runs:,} runs"
        factors.append(_count(tuning.trials, "trial"))
        if tuning.folds > 1:
            factors.append(_count(tuning.folds, "fold"))
        if len(tuning.trial_seeds) > 1:
            factors.append(_count(len(tuning.trial_seeds), "trial seed"))
        return f"{' x '.join(factors)} + {self.arms} x {seeds} = {self.runs:,} runs"

    def problem(self, most: int) -> Problem | None:
        """Return that there are more runs than `most`; None if not, or without tuning."""
        if self.tuning is None or self.runs <= most:
            return None
        message = (
            f"{self.text} are more than the {most:,} that one comparison may have; take fewer "
            "trials, folds, seeds or arms"
        )
        return Problem("tuning.trials", message)


def _size_of(spec: ComparisonSpec) -> _Size:
    return _Size(len(spec.arms), len(spec.seeds), spec.tuning)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _seed_problems(raw: Mapping[str, Any], tuning: Tuning) -> list[Problem]:
    seeds = raw.get("seeds")
    final = set(valid_seeds(seeds)) if isinstance(seeds, list) else set()
    problems, seen = [], set[int]()
    for index, seed in enumerate(tuning.trial_seeds):
        path = f"tuning.trial_seeds[{index}]"
        if seed in final:
            message = (
                f"{seed} is a seed of the final runs too, which would repeat a trial; take another"
            )
            problems.append(Problem(path, message))
        if seed in seen:
            problems.append(Problem(path, f"{seed} is used twice"))
        seen.add(seed)
    return problems


def _data_problems(raw: Mapping[str, Any], data: Data, tuning: Tuning) -> list[Problem]:
    problems = []
    if problem := objective_problem(tuning.objective, data):
        problems.append(Problem("tuning.objective", problem))
    if raw.get("replicate") == "split" and kind_of(data, "split") != "fixed_test":
        message = (
            "'split' does not go with tuning: the search would have seen items that other splits "
            f"test; only data with a test part of their own allow it, and {data.kind!r} has none; "
            "replicate by 'seed'"
        )
        problems.append(Problem("replicate", message))
    if tuning.folds > 1 and (problem := fold_problem(data, tuning.folds)):
        problems.append(Problem("tuning.folds", problem))
    return problems


def _arm_problems(
    raw: Mapping[str, Any],
    shared: Training | None,
    data: Data | None,
    tuning: Tuning | None,
    path: str,
    *,
    plugins: Plugins,
) -> list[Problem]:
    """Return the problems of an arm's spaces; those that the spec's own validation finds are left
    out, and so are all where the rest of the arm is not valid."""
    given = raw.get("search")
    arm = _valid_or_none(_ARM, {key: value for key, value in raw.items() if key != "search"})
    if arm is None or not isinstance(given, Mapping) or len(given) > MAX_PATHS:
        return []
    training = arm.training.over(shared or Training())
    plugin = entry_of(arm, plugins)
    read = {str(key): _valid_or_none(_SPACE, one) for key, one in given.items()}
    spaces = valid_spaces(given)
    known = settings_of(arm, training, strings_of(spaces.get(OPTIMIZER_KIND)), plugin)
    problems, fitting = [], {}
    for key, space in read.items():
        where = f"{path}.search.{key if len(key) <= MAX_SHOWN else f'{key[:MAX_SHOWN]}...'}"
        if problem := path_problem(key, arm, training, spaces, plugin):
            problems.append(Problem(where, problem))
        elif space is not None:
            found = space_problems(key, space, known[key])
            problems += [Problem(f"{where}.{one.path}".rstrip("."), one.message) for one in found]
            if not found:
                fitting[key] = space
    problems += margin_problems(arm, fitting, path)
    if data is not None and shared is not None:
        folds = 1 if tuning is None else tuning.folds
        problems += batch_problems_of(arm, shared, data, fitting, folds=folds, path=path)
    return problems


def _readable_tuning(raw: object) -> Tuning | None:
    """Return a tuning section without those of its settings that are not valid, so that they hide
    no problems of others; None for what is no section."""
    if not isinstance(raw, Mapping):
        return None
    try:
        return Tuning.model_validate(raw)
    except ValidationError as error:
        wrong = {detail["loc"][0] for detail in error.errors(include_url=False)}
    valid = Tuning.model_validate({key: value for key, value in raw.items() if key not in wrong})
    return valid.model_copy(update={"trial_seeds": []}) if "trial_seeds" in wrong else valid


_TUNING = TypeAdapter(Tuning)
_ARM = TypeAdapter(Arm)
_SPACE: TypeAdapter[Space] = TypeAdapter(Space)


def _valid_or_none(adapter: TypeAdapter[T], raw: object) -> T | None:
    try:
        return adapter.validate_python(raw)
    except ValidationError:
        return None  # reported by the validation of the whole spec
