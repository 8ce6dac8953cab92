"""The preview of a comparison as the API shows it."""

from pydantic import BaseModel

from backend.preview.schedule import Schedule
from backend.runs.lengths import Basis
from contract.preview import amounts, batches, figures, memory, splits, warnings
from contract.preview.batches import Unit
from contract.preview.warnings import Code


class Amount(BaseModel):
    """A number that is known exactly, by its bounds, or about."""

    least: int
    most: int
    """Larger than `least` where runs differ, such as runs that each have a split of their own."""
    about: bool
    """Whether the number is only near the true one."""


class PartSize(BaseModel):
    """One split; null stands for what is known only once the data are read."""

    items: Amount | None
    classes: Amount | None
    smallest_class: Amount | None
    """Items of its smallest class."""


class SplitSizes(BaseModel):
    """The splits of a run."""

    train: PartSize
    validation: PartSize
    test: PartSize | None
    """Null for the runs of trials, which have none."""


class RunCounts(BaseModel):
    """Numbers of runs."""

    trials: int
    """Of all arms; 0 without a tuning."""
    trial_runs: int
    """Their runs: one for each fold and seed."""
    final_runs: int


class BatchTuples(BaseModel):
    """The tuples of one batch."""

    unit: Unit
    """What the loss compares; items: with vectors of the classes."""
    total: float
    positive_pairs: float
    negative_pairs: float
    mean: bool
    """Whether batches differ, so that these are means."""
    selection: str
    """Which of them are trained on, as the loss's setting names it."""


class MemoryPreview(BaseModel):
    """A rough estimate of the bytes that a run needs, besides the process and its libraries."""

    items: int
    """Of all splits, as a trainer holds them."""
    network: int
    """Weights, gradients, the optimiser's numbers, and the weights of the best epoch."""
    batch: int
    """Activations and pairs of a batch, or all embeddings while they are measured."""
    total: int
    """At the peak."""


class ArmPreview(BaseModel):
    """One arm."""

    name: str
    batch_size: int
    epochs: int
    """Of one that is tuned with folds: at most."""
    steps_per_epoch: Amount | None
    steps: Amount | None
    trial_steps: Amount | None
    """Steps of a trial's run; null without a tuning."""
    tuples: BatchTuples | None
    memory: MemoryPreview | None


class SchedulePreview(BaseModel):
    """When its runs would be trained, if they were queued now."""

    slots: int
    """Living slots that may take its runs."""
    waiting: int
    """Runs that wait in the queue now."""
    work_s: float | None
    """Seconds of one slot for all runs; null if it is not known how long they take."""
    begins_in_s: float | None
    """Null if it is not known, also of the runs before it, or no slot may take it."""
    ends_in_s: float | None
    """Until its last run is over."""
    basis: Basis | None
    """earlier: comparisons on the same data with the same networks and batches."""


class WarningOut(BaseModel):
    """One thing to look at before the start."""

    code: Code
    path: str
    """Of the setting to change."""
    message: str


class Preview(BaseModel):
    """What a comparison consists of; null stands for what is known only once the data are read."""

    runs: RunCounts
    splits: SplitSizes
    """Of the final runs."""
    trial_splits: SplitSizes | None
    """Of the runs of trials; null without a tuning."""
    arms: list[ArmPreview]
    schedule: SchedulePreview
    warnings: list[WarningOut]


def preview_out(found: figures.Figures, planned: Schedule, told: list[warnings.Warning]) -> Preview:
    """Return figures as the API shows them."""
    span = planned.span
    return Preview(
        runs=RunCounts(
            trials=found.trials, trial_runs=found.trial_runs, final_runs=found.final_runs
        ),
        splits=_splits(found.splits),
        trial_splits=None if found.trial_splits is None else _splits(found.trial_splits),
        arms=[_arm(arm) for arm in found.arms],
        schedule=SchedulePreview(
            slots=planned.slots,
            waiting=planned.waiting,
            work_s=planned.work_s,
            begins_in_s=None if span is None else span.begins_in_s,
            ends_in_s=None if span is None else span.ends_in_s,
            basis=planned.basis,
        ),
        warnings=[WarningOut(code=one.code, path=one.path, message=one.message) for one in told],
    )


def _arm(arm: figures.ArmFigures) -> ArmPreview:
    return ArmPreview(
        name=arm.name,
        batch_size=arm.training.batch_size,
        epochs=arm.training.epochs,
        steps_per_epoch=_amount(arm.steps.per_epoch),
        steps=_amount(arm.steps.total),
        trial_steps=None if arm.trial_steps is None else _amount(arm.trial_steps.total),
        tuples=None if arm.tuples is None else _tuples(arm.tuples),
        memory=None if arm.memory is None else _memory(arm.memory),
    )


def _memory(found: memory.Memory) -> MemoryPreview:
    return MemoryPreview(
        items=found.items, network=found.network, batch=found.batch, total=found.total
    )


def _tuples(tuples: batches.Tuples) -> BatchTuples:
    return BatchTuples(
        unit=tuples.unit,
        total=tuples.total,
        positive_pairs=tuples.positive_pairs,
        negative_pairs=tuples.negative_pairs,
        mean=tuples.mean,
        selection=tuples.selection,
    )


def _splits(sizes: splits.SplitSizes) -> SplitSizes:
    return SplitSizes(
        train=_part(sizes.train),
        validation=_part(sizes.validation),
        test=None if sizes.test is None else _part(sizes.test),
    )


def _part(size: splits.PartSize) -> PartSize:
    return PartSize(
        items=_amount(size.items),
        classes=_amount(size.classes),
        smallest_class=_amount(size.smallest),
    )


def _amount(amount: amounts.Amount | None) -> Amount | None:
    if amount is None:
        return None
    return Amount(least=amount.least, most=amount.most, about=amount.about)
