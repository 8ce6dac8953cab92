"""Whether every batch size and number of items a class that a search can draw fits the data."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

from contract.comparison.checks import batch_problems
from contract.comparison.data import Data
from contract.comparison.data.facts import fold_training_items
from contract.comparison.problems import Problem
from contract.comparison.spec import Arm
from contract.comparison.training import MPerClassSampler, Training, TrainingOverrides
from contract.comparison.tuning import Choices, Range, Space
from contract.comparison.tuples import arm_tuple_problems

SIZE: Final = "training.batch_size"
M: Final = "training.sampler.m"
MAX_SIZE: Final = 8192
"""Largest batch size."""
MOST_VARIANTS: Final = 2_500
"""Combinations of batch size and items a class that are tried."""
MOST_NAMED: Final = 10
"""Values that a problem names."""


def batch_problems_of(
    arm: Arm, shared: Training, data: Data, search: Mapping[str, Space], *, folds: int, path: str
) -> list[Problem]:
    """Return what is wrong with the first batch size and number of items a class that do not go
    together or do not fit the data.

    Args:
        arm: of the spec.
        shared: the training settings of all arms.
        data: of the spec.
        search: the arm's spaces that are valid each, by path.
        folds: of the tuning.
        path: of the arm in the spec.
    """
    searched = [path for path in (SIZE, M) if path in search]
    items = fold_training_items(data, folds) if folds > 1 else None

    def problem_of(training: Training) -> str:
        overrides = TrainingOverrides(batch_size=training.batch_size, sampler=training.sampler)
        own = arm.model_copy(update={"training": overrides})
        found = [
            *(batch_problems(data, training, "") if searched else []),
            *(arm_tuple_problems(data, shared, own, "") if searched else []),
        ]
        if items is not None and training.batch_size > items:
            message = (
                f"{training.batch_size} is more than the {items} items that train in one of "
                f"{folds} folds"
            )
            found.append(Problem("", message))
        return found[0].message if found else ""

    tried = list(variants(arm.training.over(shared), search))
    message = next(filter(None, map(problem_of, tried)), "")
    if not message:
        return []
    if not searched:
        where = SIZE if arm.training.batch_size is None else f"{path}.{SIZE}"
        return [Problem(where, message)]
    by_class = isinstance(tried[0].sampler, MPerClassSampler)
    if len(tried) < MOST_VARIANTS and (by_class or isinstance(search[SIZE], Choices)):
        # All values were tried.
        fit = dict.fromkeys(_value_of(searched[0], one) for one in tried)
        for one in tried:
            if problem_of(one):
                fit.pop(_value_of(searched[0], one), None)
        message = f"{message}; {_fit_text(list(fit))}"
    return [Problem(f"{path}.search.{searched[0]}", message)]


def _value_of(path: str, training: Training) -> int:
    if path == SIZE:
        return training.batch_size
    assert isinstance(training.sampler, MPerClassSampler), "only it has m"
    return training.sampler.m


def _fit_text(values: list[int]) -> str:
    """Say which of the values that were tried can be drawn whatever is drawn with them."""
    if not values:
        return "none of its values fits"
    named = ", ".join(map(str, values[:MOST_NAMED]))
    if len(values) > MOST_NAMED:
        return f"{len(values)} of its values fit: {named}, ..."
    return f"of its values {named} {'fits' if len(values) == 1 else 'fit'}"


def variants(training: Training, search: Mapping[str, Space]) -> Iterator[Training]:
    """Yield the training settings with each batch size and number of items a class that can be
    drawn; of a range of batch sizes without `m_per_class` its ends."""
    sampler = training.sampler
    by_class = isinstance(sampler, MPerClassSampler)
    sizes = _numbers(search.get(SIZE), training.batch_size, ends_only=not by_class)
    counts = [0]
    if isinstance(sampler, MPerClassSampler):
        counts = _numbers(search.get(M), sampler.m, ends_only=False)
    for number, (size, m) in enumerate(product(sizes, counts)):
        if number == MOST_VARIANTS:  # so many never divide evenly: the first ones say it
            return
        update: dict[str, object] = {"batch_size": size}
        if by_class:
            update["sampler"] = MPerClassSampler(m=m)
        yield training.model_copy(update=update)


def _numbers(space: Space | None, own: int, *, ends_only: bool) -> list[int]:
    if isinstance(space, Choices):
        # Other choices are told by the checks of the space.
        return [int(value) for value in space.choices if not isinstance(value, str) and value >= 1]
    if isinstance(space, Range):
        low, high = max(1, int(space.low)), min(int(space.high), MAX_SIZE)
        return [low, high] if ends_only else list(range(low, high + 1))
    return [own]
