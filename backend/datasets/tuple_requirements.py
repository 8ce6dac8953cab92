"""Check that an uploaded table of tuples is large enough, and that the feature table that it names
exists."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from sqlmodel import Session

from backend.datasets import repository as datasets
from backend.datasets.check_report import Facts
from backend.datasets.tuned_requirements import folds_of
from backend.db.models import Dataset
from contract.comparison.data import TupleTableData
from contract.comparison.data.facts import TRAIN_SHARE, VALIDATION_PART
from contract.comparison.problems import Problem
from contract.comparison.training import Training, TrainingOverrides

MIN_ROWS: Final = 2
"""Fewest tuples of a split."""
_TRAINING = TypeAdapter(Training)
_OVERRIDES = TypeAdapter(TrainingOverrides)


def tuple_table_problems(
    session: Session, dataset: Dataset, data: TupleTableData, raw: Mapping[str, Any]
) -> list[Problem]:
    """Return the problems of a posted spec with its uploaded table of tuples.

    Args:
        session: to read with.
        dataset: the upload.
        data: the spec's data section.
        raw: the spec; other parts of it may be invalid.
    """
    facts = Facts.model_validate(dataset.facts)
    found = _items_problems(session, data)
    if problem := _split_problem(facts, data):
        return [*found, Problem("data.split", f"{dataset.name!r} {problem}")]
    folds, groups = folds_of(raw), facts.shape["groups"]
    if folds > 1 and groups < 2 * folds:
        message = (
            f"{dataset.name!r} has {groups} groups of linked items; {folds} folds need "
            f"{2 * folds} or more; take fewer folds"
        )
        found.append(Problem("tuning.folds", message))
    return [*found, *_batch_problems(dataset.name, training_tuples(facts, data, folds), raw)]


def training_tuples(facts: Facts, data: TupleTableData, folds: int = 1) -> int:
    """Return about how many tuples train; where whole groups are divided it may be a few less."""
    if data.split == "given":
        train = sum(facts.parts["train"])
        held = 0 if "validation" in facts.parts else train // VALIDATION_PART
        return train - held if folds == 1 else train - train // folds
    untested = facts.items * (1 + TRAIN_SHARE) / 2
    return int(facts.items * TRAIN_SHARE if folds == 1 else untested * (1 - 1 / folds))


def _items_problems(session: Session, data: TupleTableData) -> list[Problem]:
    """Return problems with the feature table whose rows the tuples name."""
    if not data.items:
        return []
    table = datasets.find(session, data.items)
    if table is None:
        message = f"there is no uploaded data set {data.items!r}; upload the feature table first"
        return [Problem("data.items", message)]
    if table.kind != "features":
        message = f"{table.name!r} was uploaded as {table.kind!r}; choose one that holds 'features'"
        return [Problem("data.items", message)]
    if table.questions:
        message = f"{table.name!r} waits for answers to questions about its file"
        return [Problem("data.items", message)]
    if Facts.model_validate(table.facts).has_ids is False:
        message = f"{table.name!r} has no column `id`, by which the tuples could name its rows"
        return [Problem("data.items", message)]
    return []


def _split_problem(facts: Facts, data: TupleTableData) -> str:
    """Return why a table cannot be split as the spec says; empty if it can."""
    if data.split == "given":
        if not facts.parts:
            return "has no split of its own, a column `split`; split by groups"
        few = {part: sum(counts) for part, counts in facts.parts.items() if sum(counts) < MIN_ROWS}
        said = ", ".join(f"{part} {count}" for part, count in few.items())
        return f"has too few tuples in a part ({said}); each needs {MIN_ROWS}" if few else ""
    outside = facts.items - facts.shape["largest_group"]
    if outside >= 2 * MIN_ROWS:
        return ""
    return (
        f"has {facts.shape['largest_group']:,} of its {facts.items:,} tuples in one group of "
        "linked items, which a split keeps together; bring a column `split` and split as given"
    )


def _batch_problems(name: str, most: int, raw: Mapping[str, Any]) -> list[Problem]:
    """Return problems of the batches with the number of tuples that train."""
    try:
        shared = _TRAINING.validate_python(raw.get("training", {}))
    except ValidationError:
        return []  # reported by the spec's own validation
    sizes = {"training": shared.batch_size}
    arms = raw.get("arms")
    for index, arm in enumerate(arms if isinstance(arms, list) else []):
        try:
            own = _OVERRIDES.validate_python(arm.get("training", {}))
        except (ValidationError, AttributeError):
            continue
        if own.batch_size is not None:
            sizes[f"arms[{index}].training"] = own.batch_size
    return [
        Problem(
            f"{path}.batch_size", f"{size} is more than the {most} tuples of {name!r} that train"
        )
        for path, size in sizes.items()
        if size > most
    ]
