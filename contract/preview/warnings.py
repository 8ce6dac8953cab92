"""What is valid and yet unlikely to answer the question of a comparison."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from contract.comparison.spec import ComparisonSpec
from contract.comparison.training import MPerClassSampler
from contract.comparison.tuples import NEEDS
from contract.preview.amounts import Amount
from contract.preview.figures import ArmFigures, Figures
from contract.preview.splits import PartSize

FEW_STEPS: Final = 100
"""A run of fewer steps has hardly begun to train."""
FEW_ITEMS: Final = 5
"""Fewer training items of a class form hardly any pairs, and vary little."""
FEW_MEASURED: Final = 100
"""With fewer held-out items, one item moves a measure by more than a percentage point."""
LEFT_OUT: Final = 0.2
"""Share of the training items that an epoch may leave out, as only whole batches are trained on."""

Code = Literal[
    "few_steps", "small_class", "repeated_items", "few_measured", "few_positives", "left_out"
]


@dataclass(frozen=True)
class Warning:
    """One thing to look at before the start."""

    code: Code
    path: str
    """Of the setting to change, for example `training.epochs`."""
    message: str


def warnings(spec: ComparisonSpec, found: Figures) -> list[Warning]:
    """Return the warnings for a valid spec, the gravest first."""
    return [
        *_steps(spec, found),
        *_small_classes(found),
        *_repeated(spec, found),
        *_few_positives(spec, found),
        *_left_out(spec, found),
        *_few_measured(found),
    ]


def _steps(spec: ComparisonSpec, found: Figures) -> Iterator[Warning]:
    short = [one for one in found.arms if one.steps.total and one.steps.total.least < FEW_STEPS]
    if not short:
        return
    fewest = min(short, key=lambda one: one.steps.total.least if one.steps.total else 0)
    total, per_epoch = fewest.steps.total, fewest.steps.per_epoch
    assert total is not None
    assert per_epoch is not None
    enough = -(-FEW_STEPS // max(1, per_epoch.least))
    change = f"train {enough:,} epochs or more, or lower the batch size"
    yield Warning(
        "few_steps",
        _path(spec, short, "epochs"),
        f"{_who(found, short)} {_takes(short)} {total.least:,} steps in all "
        f"({per_epoch.least:,} an epoch), and fewer than {FEW_STEPS} hardly train: {change}.",
    )


def _small_classes(found: Figures) -> Iterator[Warning]:
    smallest = found.splits.train.smallest
    if smallest is None or smallest.least >= FEW_ITEMS:
        return
    yield Warning(
        "small_class",
        "data",
        f"The smallest class has {_items(smallest.least, 'training item')}, and fewer than "
        f"{FEW_ITEMS} form few pairs: add items to small classes, or leave these classes out.",
    )


def _repeated(spec: ComparisonSpec, found: Figures) -> Iterator[Warning]:
    smallest = found.splits.train.smallest
    if smallest is None:
        return
    takes_more = [
        one
        for one in found.arms
        if isinstance(one.training.sampler, MPerClassSampler)
        and one.training.sampler.m > smallest.least
    ]
    for one in takes_more[:1]:
        assert isinstance(one.training.sampler, MPerClassSampler)
        m = one.training.sampler.m
        yield Warning(
            "repeated_items",
            _path(spec, takes_more, "sampler"),
            f"The sampler takes {m} items of a class, and the smallest has {smallest.least:,}: "
            "some are in a batch more than once. Lower m.",
        )


def _few_positives(spec: ComparisonSpec, found: Figures) -> Iterator[Warning]:
    kinds = {arm.name: arm.loss.kind for arm in spec.arms}
    lacking = [
        one
        for one in found.arms
        if one.tuples is not None and one.tuples.positive_pairs < 1 and kinds[one.name] in NEEDS
    ]
    if lacking and (tuples := lacking[0].tuples):
        yield Warning(
            "few_positives",
            _path(spec, lacking, "sampler"),
            f"A batch has {tuples.positive_pairs:.2g} positive pairs on average, so that many "
            "steps have nothing to pull together: take the sampler m per class.",
        )


def _left_out(spec: ComparisonSpec, found: Figures) -> Iterator[Warning]:
    items = found.splits.train.items
    if items is None or items.about:
        return
    wasteful = [
        one for one in found.arms if items.least % one.training.batch_size > LEFT_OUT * items.least
    ]
    for one in wasteful[:1]:
        size = one.training.batch_size
        yield Warning(
            "left_out",
            _path(spec, wasteful, "batch_size"),
            f"Only whole batches are trained on: with {size:,} items a batch each epoch leaves out "
            f"{items.least % size:,} of {items.least:,} training items.",
        )


def _few_measured(found: Figures) -> Iterator[Warning]:
    parts: dict[str, PartSize | None] = {
        "validation": found.splits.validation,
        "test": found.splits.test,
    }
    few: dict[str, Amount] = {}
    for name, part in parts.items():
        if part is not None and part.items is not None and part.items.least < FEW_MEASURED:
            few[name] = part.items
    if not few:
        return
    said = " and ".join(f"{size.least:,} {name}" for name, size in few.items())
    points = 100 / min(max(1, size.least) for size in few.values())
    yield Warning(
        "few_measured",
        "data",
        f"{said} items are few to measure on: one item changes a share by {points:.1f} percentage "
        "points. Use more data, or replicate by split.",
    )


def _who(found: Figures, some: Sequence[ArmFigures]) -> str:
    if len(some) == len(found.arms):
        return "A run" if len(some) == 1 else "Runs"
    named = ", ".join(repr(one.name) for one in some[:3])
    return f"{'Arm' if len(some) == 1 else 'Arms'} {named}{' and others' if len(some) > 3 else ''}"


def _takes(some: Sequence[ArmFigures]) -> str:
    return "takes" if len(some) == 1 else "take"


def _path(spec: ComparisonSpec, some: Sequence[ArmFigures], setting: str) -> str:
    """Return the path of the setting: the shared one, unless only arms with their own one are
    concerned."""
    named = {one.name for one in some}
    own = [
        index
        for index, arm in enumerate(spec.arms)
        if arm.name in named and getattr(arm.training, setting) is not None
    ]
    if own and len(own) == len(named):
        return f"arms[{own[0]}].training.{setting}"
    return f"training.{setting}"


def _items(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
