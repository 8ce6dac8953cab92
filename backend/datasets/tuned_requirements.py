"""Check that an uploaded data set is large enough for the folds and the batches of a search."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from backend.datasets.check_report import Facts
from contract.comparison.data import LabelledData
from contract.comparison.data.facts import (
    fold_classes_problem,
    fold_items_problem,
    split_problem,
    untested_items_of_class,
)
from contract.comparison.training import Training
from contract.comparison.tuning import Tuning
from contract.tuning.batches import SIZE, M, variants
from contract.tuning.problems import valid_spaces

_TUNING = TypeAdapter(Tuning)


class Share(NamedTuple):
    """What a run trains on."""

    items: int
    classes: int


def folds_of(raw: Mapping[str, Any]) -> int:
    """Return the number of folds of a posted spec; 1 where it is not tuned, or not validly."""
    tuning = _tuning(raw)
    return 1 if tuning is None else tuning.folds


def lacks_fine_labels(facts: Facts, raw: Mapping[str, Any]) -> bool:
    """Return whether the objective of a posted spec needs fine labels that there are not."""
    tuning = _tuning(raw)
    return tuning is not None and tuning.objective.startswith("detail.") and not facts.has_fine


def _tuning(raw: Mapping[str, Any]) -> Tuning | None:
    try:
        return _TUNING.validate_python(raw.get("tuning"))
    except ValidationError:
        return None  # reported by the spec's own validation


def folds_problem(facts: Facts, data: LabelledData, folds: int) -> str:
    """Return why a data set cannot be divided into so many folds, or cannot be trained on after
    them; empty if it can.

    Args:
        facts: of the data set.
        data: how it is split.
        folds: two or more.
    """
    untested = _untested(facts, data)
    if not _by_class(facts, data):
        return fold_items_problem(untested, folds)
    if problem := fold_classes_problem(sum(count > 0 for count in untested), folds):
        return problem
    if data.split == "given":
        return ""
    # After the folds a fifth of the items of each class validates.
    return split_problem(facts.counts, by="class", validation="items")


def fold_share(facts: Facts, data: LabelledData, folds: int) -> Share:
    """Return the numbers of items and classes that train in one of so many folds.

    Where chance decides which classes train, the items are the most there may be.
    """
    untested = [count for count in _untested(facts, data) if count]
    if _by_class(facts, data):
        trained = len(untested) - -(-len(untested) // folds)
        return Share(sum(sorted(untested)[-trained:]), trained)
    return Share(sum(untested) - -(-sum(untested) // folds), len(untested))


def searched_trainings(arm: Mapping[str, Any], training: Training) -> Iterator[Training]:
    """Yield the training settings of an arm with each batch size and number of items a class that
    its search can draw; none if it searches neither.

    Args:
        arm: as it was posted.
        training: its settings as they are written.
    """
    spaces = valid_spaces(arm.get("search"))
    if SIZE in spaces or M in spaces:
        yield from variants(training, spaces)


def searched_path(arm: Mapping[str, Any]) -> str:
    """Return the path within an arm of the space that decides its batches."""
    return f"search.{SIZE if SIZE in valid_spaces(arm.get('search')) else M}"


_PARTS: Final = ("train", "validation")


def _untested(facts: Facts, data: LabelledData) -> Sequence[int]:
    """Return the items of each class that are not tested."""
    if data.split == "given":
        parts = [facts.parts[part] for part in _PARTS if part in facts.parts]
        return [sum(counts) for counts in zip(*parts, strict=True)]
    if data.split == "class":
        return facts.counts[: len(facts.counts) // 2]
    return [untested_items_of_class(count) for count in facts.counts]


def _by_class(facts: Facts, data: LabelledData) -> bool:
    """Return whether no class of the test split is in the training split."""
    if data.split != "given":
        return data.split == "class"
    both = zip(facts.parts["train"], facts.parts["test"], strict=True)
    return not any(trained and tested for trained, tested in both)
