"""The random draws of splits, as far as the sizes of splits depend on them.

The workers split by them, and the API foretells the sizes of the splits with the same numbers.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from contract.comparison.data.facts import TRAIN_SHARE, validation_classes

_FOLDS: Final = 6
"""Makes the random numbers of folds differ from other uses of the data's seed."""
_COMPONENTS: Final = 7
"""The same of groups of tuples."""
TUPLE_SHARES: Final = (TRAIN_SHARE, (1 - TRAIN_SHARE) / 2, (1 - TRAIN_SHARE) / 2)
"""Shares of the tuples that train, validate and test."""


def drawn_training_classes(classes: np.ndarray, half: int, seed: int) -> np.ndarray:
    """Draw the classes of the training half.

    Args:
        classes: [C] all classes, sorted.
        half: how many train.
        seed: of the data.
    """
    return np.sort(np.random.default_rng([seed, 5]).permutation(classes)[:half])


def class_split_generator(seed: int) -> np.random.Generator:
    """Return the generator that draws what validates with a split by class."""
    return np.random.default_rng([seed, 3])


def held_out_classes(training: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the classes of the training half that only validate.

    Args:
        training: [H] the classes of the training half, sorted.
        rng: as `class_split_generator` returns it, not yet used.
    """
    return rng.permutation(training)[: validation_classes(len(training))]


def fold_generator(seed: int) -> np.random.Generator:
    """Return the generator that deals items or classes to folds."""
    return np.random.default_rng([seed, _FOLDS])


def fold_classes(
    classes: np.ndarray, number: int, folds: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the classes that one of so many folds holds out.

    Args:
        classes: [C] that are not tested, sorted.
        number: of the fold, from 0.
        folds: of cross-validation.
        rng: as `fold_generator` returns it, not yet used.
    """
    return rng.permutation(classes)[number::folds]


def component_parts(sizes: np.ndarray, seed: int) -> np.ndarray:
    """Divide groups of linked tuples 60 : 20 : 20 among train, validation and test.

    In an order drawn by the seed, large groups first, each goes to the split that lacks the most
    tuples.

    Args:
        sizes: [C] tuples of each group.
        seed: of the data.

    Returns:
        [C] 0 for train, 1 for validation, 2 for test.
    """
    wanted = np.array(TUPLE_SHARES) * sizes.sum()
    held = np.zeros(len(TUPLE_SHARES))
    chosen = np.zeros(len(sizes), dtype=np.int64)
    order = np.random.default_rng([seed, _COMPONENTS]).permutation(len(sizes))
    # Large ones first: small ones even out what they leave.
    for component in order[np.argsort(-sizes[order], kind="stable")]:
        chosen[component] = int(np.argmax(wanted - held))
        held[chosen[component]] += sizes[component]
    return chosen


def apportion(counts: Sequence[int] | np.ndarray, total: int) -> np.ndarray:
    """Return how many items of each class are drawn, `total` in all and in proportion to its size.

    Each class gets its share rounded down, and those with the largest remainders one more
    (Hamilton's method).

    Args:
        counts: [C] items of each class, at least `total` in all.
        total: items to draw.
    """
    sizes = np.asarray(counts)
    whole, remainders = np.divmod(total * sizes, sizes.sum())
    largest = np.argsort(-remainders, kind="stable")[: total - whole.sum()]
    whole[largest] += 1
    return np.asarray(whole)
