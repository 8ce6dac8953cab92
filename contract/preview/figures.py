"""What a comparison consists of: its runs, their splits, steps and tuples."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from contract.comparison.data import Data, modalities, shape_of
from contract.comparison.spec import Arm, ComparisonSpec
from contract.comparison.training import Training
from contract.comparison.tuning import Choices, Fold, Range
from contract.preview.amounts import Amount
from contract.preview.batches import Tuples, batch_tuples
from contract.preview.class_sizes import ClassSizes
from contract.preview.memory import Memory, memory
from contract.preview.splits import SplitSizes, over_runs, split_sizes
from contract.preview.tuple_splits import tuple_split_sizes
from contract.tuning.batches import variants

EPOCHS: Final = "training.epochs"


@dataclass(frozen=True)
class Steps:
    """Optimiser steps of a run."""

    per_epoch: Amount | None
    """None if the training items are not known; a range where runs differ, by their splits or by
    batch sizes that are searched."""
    total: Amount | None


@dataclass(frozen=True)
class ArmFigures:
    """One arm."""

    name: str
    training: Training
    """With its overrides."""
    steps: Steps
    """Of a final run."""
    trial_steps: Steps | None
    """Of a trial's run; None where the comparison is not tuned."""
    tuples: Tuples | None
    """Of a batch; None where they are not known."""
    memory: Memory | None
    """Of a final run; None where the sizes of the data are not known."""


@dataclass(frozen=True)
class Figures:
    """A comparison."""

    trials: int
    """Of all arms; 0 where it is not tuned."""
    trial_runs: int
    final_runs: int
    splits: SplitSizes
    """Of the final runs."""
    trial_splits: SplitSizes | None
    """Of the runs of trials, over all folds; None where it is not tuned."""
    arms: list[ArmFigures]


def figures(
    spec: ComparisonSpec, sizes: ClassSizes | None, shape: Mapping[str, int] | None = None
) -> Figures:
    """Return what a comparison consists of.

    Args:
        spec: that is valid.
        sizes: of the classes of its data; None if they are not known before the data are read.
        shape: numbers in a row of uploaded features: `features`, or `audio` and `visual`; of
            uploaded texts the characters of the longest, `longest`; of uploaded tuples also
            `tuples`, `groups` and `largest_group`.
    """
    tuning = spec.tuning
    of_tuples = shape_of(spec.data) is not None
    facts = (shape or {}) if of_tuples else {}
    parts = sizes.parts if sizes is not None else None
    splits = (
        tuple_split_sizes(spec.data, facts, parts)
        if of_tuples
        else split_sizes(final_data(spec), sizes, _split_seeds(spec))
    )
    trial_splits = None
    trials = trial_runs = 0
    if tuning is not None:
        trials = len(spec.arms) * tuning.trials
        trial_runs = trials * tuning.runs_per_trial
        numbers = range(tuning.folds)
        folds = [Fold(number=one, of=tuning.folds) for one in numbers] if tuning.folds > 1 else []
        trial_splits = over_runs(
            [
                tuple_split_sizes(spec.data, facts, parts, fold)
                if of_tuples
                else split_sizes(spec.data, sizes, [], fold)
                for fold in folds or (None,)
            ]
        )
    return Figures(
        trials,
        trial_runs,
        len(spec.arms) * len(spec.seeds),
        splits,
        trial_splits,
        [_arm(spec, arm, splits, trial_splits, shape or {}) for arm in spec.arms],
    )


def final_data(spec: ComparisonSpec) -> Data:
    """Return the data section of the final runs: after folds, items validate instead of classes."""
    if spec.tests_last_epoch and hasattr(spec.data, "validation"):
        return spec.data.model_copy(update={"validation": "items"})
    return spec.data


def _split_seeds(spec: ComparisonSpec) -> list[int]:
    if spec.replicate == "seed":
        return []
    return [spec.data.seed + at for at in range(len(spec.seeds))]


def _arm(
    spec: ComparisonSpec,
    arm: Arm,
    splits: SplitSizes,
    trial_splits: SplitSizes | None,
    shape: Mapping[str, int],
) -> ArmFigures:
    training = spec.training_of(arm)
    searched = [training]
    if spec.tuning is not None:
        searched = list(variants(training, arm.search)) or searched
    two = modalities(spec.data).visual is not None
    tuples = batch_tuples(
        arm.loss,
        training.sampler,
        training.batch_size,
        splits.training_counts,  # None of data that come as tuples, whose links decide
        modalities=2 if two else 1,
    )
    epochs = _epochs(training, arm)
    trial_steps = None if trial_splits is None else _steps(searched, epochs, trial_splits)
    return ArmFigures(
        arm.name,
        training,
        _steps(searched, epochs, splits),
        trial_steps,
        tuples,
        memory(spec, arm, splits, shape),
    )


def _epochs(training: Training, arm: Arm) -> Amount:
    """Return the epochs of an arm's runs: a range where they are searched."""
    space = arm.search.get(EPOCHS)
    if isinstance(space, Range):
        return Amount(int(space.low), int(space.high))
    if isinstance(space, Choices):
        numbers = [int(one) for one in space.choices if not isinstance(one, str)]
        return Amount(min(numbers), max(numbers))
    return Amount.exactly(training.epochs)


def _steps(trainings: Iterable[Training], epochs: Amount, splits: SplitSizes) -> Steps:
    items = splits.train.items
    if items is None:
        return Steps(None, None)
    per_epoch = Amount.over(items.divided(one.batch_size) for one in trainings)
    assert per_epoch is not None, "an arm has training settings"
    least, most = per_epoch.least * epochs.least, per_epoch.most * epochs.most
    return Steps(per_epoch, Amount(least, most, per_epoch.about))
