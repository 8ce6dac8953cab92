"""Check that the uploaded data set of a spec exists and is large enough for its settings."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError
from sqlmodel import Session

from backend.datasets import repository as datasets
from backend.datasets.check_report import KINDS, Facts
from backend.datasets.tuned_requirements import (
    Share,
    fold_share,
    folds_of,
    folds_problem,
    lacks_fine_labels,
    searched_path,
    searched_trainings,
)
from backend.datasets.tuple_requirements import tuple_table_problems
from backend.db.models import Dataset
from contract.comparison.data import LabelledData, OwnData, TupleTableData
from contract.comparison.data.facts import (
    drawn_validation_items,
    given_split_problem,
    split_problem,
    training_items_of_class,
    validation_classes,
    validation_items_of_class,
)
from contract.comparison.problems import Problem
from contract.comparison.training import MPerClassSampler, Training, TrainingOverrides

T = TypeVar("T")

_DATA: TypeAdapter[OwnData] = TypeAdapter(Annotated[OwnData, Field(discriminator="kind")])
_TRAINING = TypeAdapter(Training)
_OVERRIDES = TypeAdapter(TrainingOverrides)


def upload_problems(session: Session, raw: object) -> list[Problem]:
    """Return the problems of a posted spec with the uploaded data set that it names.

    The rest of the spec may be invalid.
    """
    data = raw.get("data") if isinstance(raw, Mapping) else None
    if not isinstance(raw, Mapping) or not isinstance(data, Mapping):
        return []
    kind, name = data.get("kind"), data.get("dataset")
    if kind not in KINDS or not isinstance(name, str) or not name:
        return []
    found = datasets.find(session, name)
    if found is None:
        message = f"there is no uploaded data set {name!r}; upload it or choose one that there is"
        return [Problem("data.dataset", message)]
    if found.kind != kind:
        message = f"{found.name!r} was uploaded as '{found.kind}', which '{kind}' cannot read"
        return [Problem("data.dataset", message)]
    if found.questions:
        message = (
            f"{found.name!r} waits for answers to questions about its file; give them on the Data "
            "page"
        )
        return [Problem("data.dataset", message)]
    return _size_problems(session, found, raw)


def _size_problems(session: Session, dataset: Dataset, raw: Mapping[str, Any]) -> list[Problem]:
    """Return problems with the data set's size, if the sections of the spec they need are valid."""
    data = _valid_or_none(_DATA, raw["data"])
    if data is None:
        return []
    if isinstance(data, TupleTableData):
        return tuple_table_problems(session, dataset, data, raw)
    facts = Facts.model_validate(dataset.facts)
    redrawn = raw.get("replicate") == "split"
    if problem := _split_problem(facts, data, redrawn=redrawn):
        return [Problem("data.split", f"{dataset.name!r} {problem}")]
    found = []
    if lacks_fine_labels(facts, raw):
        message = f"needs fine labels, and {dataset.name!r} has no fine labels; take another metric"
        found.append(Problem("tuning.objective", message))
    training = _valid_or_none(_TRAINING, raw.get("training", {}))
    return (
        found if training is None else [*found, *_training_problems(dataset, raw, data, training)]
    )


def _training_problems(
    dataset: Dataset, raw: Mapping[str, Any], data: LabelledData, training: Training
) -> list[Problem]:
    """Return problems of the batches and folds with the data set's size."""
    facts = Facts.model_validate(dataset.facts)
    redrawn = raw.get("replicate") == "split"
    share = Share(
        *(
            _given_share(facts.parts)
            if data.split == "given"
            else training_share(facts.counts, data, redrawn=redrawn)
        )
    )
    folds = folds_of(raw)
    if folds > 1:
        if problem := folds_problem(facts, data, folds):
            return [Problem("tuning.folds", f"{dataset.name!r}: {problem}")]
        of_fold = fold_share(facts, data, folds)
        share = Share(min(share.items, of_fold.items), min(share.classes, of_fold.classes))
    problems = _batch_problems(dataset.name, training, "training", share)
    arms = raw.get("arms")
    for index, arm in enumerate(arms if isinstance(arms, list) else []):
        if isinstance(arm, Mapping):
            problems += _arm_problems(dataset.name, arm, training, f"arms[{index}]", share)
    if folds == 1:
        return problems
    told = f"; so many train in each of {folds} folds"
    return [Problem(path, f"{message}{told}") for path, message in problems]


def _arm_problems(
    dataset: str, arm: Mapping[str, Any], shared: Training, path: str, share: Share
) -> list[Problem]:
    """Return problems with the batches of an arm: as it is written, and as it is searched."""
    overrides = _valid_or_none(_OVERRIDES, arm.get("training", {}))
    if overrides is None:
        return []
    training = overrides.over(shared)
    if overrides != TrainingOverrides() and (
        problems := _batch_problems(dataset, training, f"{path}.training", share)
    ):
        return problems
    for searched in searched_trainings(arm, training):
        if problems := _batch_problems(dataset, searched, "", share):
            return [Problem(f"{path}.{searched_path(arm)}", problems[0].message)]
    return []


def _split_problem(facts: Facts, data: LabelledData, *, redrawn: bool) -> str:
    """Return why a data set of these facts cannot be split as the spec says, with every split that
    may be drawn; empty if it can."""
    if data.split != "given":
        return split_problem(
            facts.counts, by=data.split, validation=data.validation, draw_classes=redrawn
        )
    noun = "texts" if data.kind == "text" else "images"
    if not facts.parts and noun == "texts":
        return "has no split of its own, a column `split`; split by class or by item"
    if not facts.parts:
        return (
            "has no split of its own: it was uploaded without folders such as train and test above "
            "its class folders, or to merge them; split by class or by item"
        )
    validation = [drawn_validation_items(count) for count in facts.parts["train"]]
    return given_split_problem({"validation": validation, **facts.parts}, noun)


def _given_share(parts: Mapping[str, list[int]]) -> tuple[int, int]:
    """Return the numbers of items and classes in the training split of a given split."""
    train = parts["train"]
    drawn = 0 if "validation" in parts else sum(map(drawn_validation_items, train))
    return sum(train) - drawn, sum(count > 0 for count in train)


def training_share(
    counts: list[int], data: LabelledData, *, redrawn: bool = False
) -> tuple[int, int]:
    """Return the numbers of items and classes in the training split.

    Where chance decides which classes train, the items are the most there may be.

    Args:
        counts: items of each class, in order.
        data: how they are split.
        redrawn: whether each seed has a split of its own.
    """
    if data.split == "item":
        return sum(training_items_of_class(count) for count in counts), len(counts)
    ordered = sorted(counts, reverse=True) if redrawn else counts
    half = ordered[: len(counts) // 2]
    if data.validation == "items":
        return sum(count - validation_items_of_class(count) for count in half), len(half)
    trained = len(half) - validation_classes(len(half))
    return sum(sorted(half)[-trained:]), trained


def _batch_problems(dataset: str, training: Training, path: str, share: Share) -> list[Problem]:
    items, classes = share
    size, sampler = training.batch_size, training.sampler
    if size > items:
        message = f"{size} is more than the {items} training items of {dataset!r}"
        return [Problem(f"{path}.batch_size", message)]
    if isinstance(sampler, MPerClassSampler) and size // sampler.m > classes:
        message = (
            f"{size} / {sampler.m} = {size // sampler.m} classes a batch, but {dataset!r} trains "
            f"on {classes}; raise m or lower the batch size"
        )
        return [Problem(f"{path}.sampler.m", message)]
    return []


def _valid_or_none(adapter: TypeAdapter[T], raw: object) -> T | None:
    try:
        return adapter.validate_python(raw)
    except ValidationError:
        return None  # reported by the spec's overrides validation
