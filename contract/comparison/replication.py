"""What differs between the runs of one arm: the seed alone, or the split of the data too."""

from collections.abc import Mapping
from typing import Final, Literal

from contract.comparison.data import Data
from contract.comparison.problems import Problem

Replicate = Literal["seed", "split"]
Noun = Literal["seed", "draw", "split"]
"""What one replicate is called."""

ReplicationKind = Literal["seed", "independent_draws", "dependent_splits", "fixed_test"]
"""What the runs of an arm replicate.

seed: the training alone, on one split.
independent_draws: each run has new data from the same distribution; runs are independent.
dependent_splits: each run splits the same data anew, so that splits share items and runs are
    correlated.
fixed_test: each run draws new training and validation items from the official training part;
    the official test part is the same for all.
"""

SEED_LIMIT: Final = 2**31
"""Data seeds lie below it."""


_SPLIT_KINDS: Final[Mapping[str, ReplicationKind]] = {
    "synthetic": "independent_draws",
    "generated_text": "independent_draws",
    **dict.fromkeys(("mnist", "fashion_mnist", "cifar10", "cifar100"), "fixed_test"),
}
"""Kind of data -> what splits of it replicate; of all others dependent splits."""


def kind_of(data: Data, replicate: Replicate) -> ReplicationKind:
    """Return what the runs of a comparison on these data replicate."""
    return kind_by_name(data.kind, replicate)


def kind_by_name(data: str, replicate: Replicate) -> ReplicationKind:
    """Return what the runs of a comparison on data of this kind replicate."""
    return "seed" if replicate == "seed" else _SPLIT_KINDS.get(data, "dependent_splits")


_VARIES: Final[Mapping[ReplicationKind, tuple[Noun, str, str]]] = {
    "seed": ("seed", "seeds", " on one split"),
    "independent_draws": ("draw", "draws", " of the data"),
    "dependent_splits": ("split", "splits", ""),
    "fixed_test": ("draw", "draws", " of the training items, one test set"),
}
"""Kind -> its noun, its plural, and what follows."""


def replicates_text(kind: ReplicationKind, count: int) -> str:
    """Return a number of replicates in words: `10 seeds on one split`, `1 split`."""
    one, many, rest = _VARIES[kind]
    return f"{count} {one if count == 1 else many}{rest}"


def replicate_noun(kind: ReplicationKind) -> Noun:
    """Return what one replicate is called."""
    return _VARIES[kind][0]


def replication_problems(data: Data, replicate: Replicate, seeds: int) -> list[Problem]:
    """Return why the runs cannot each have a split of their own.

    Args:
        data: of the comparison.
        replicate: what differs between the runs of an arm.
        seeds: number of seeds of the comparison.
    """
    if replicate == "seed":
        return []
    problems = []
    if getattr(data, "split", "") == "given":
        own = "column `split`" if data.kind == "text" else "own folders"
        message = (
            f"'split' draws a new split for each seed, but the data keep the split of their {own}; "
            "split them by class or by item, or replicate by 'seed'"
        )
        problems.append(Problem("replicate", message))
    if problem := data_seed_problem(data.seed, seeds):
        message = f"{problem}; choose a data seed of at most {SEED_LIMIT - seeds}"
        problems.append(Problem("data.seed", message))
    return problems


def data_seed_problem(first: int, seeds: int) -> str:
    """Return why the data seeds of so many runs an arm cannot be counted up from the first; empty
    if they can."""
    last = first + seeds - 1
    if last < SEED_LIMIT:
        return ""
    return (
        f"the split of the last of {seeds} seeds would have the data seed {last}, and the largest "
        f"is {SEED_LIMIT - 1}"
    )
