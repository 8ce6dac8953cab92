"""The items of a trial: no test split, and of cross-validation one part of the other items.

Cross-validation with k folds divides what is not tested into k parts. One of them validates and the
others train, once for each. Where the test split has classes of its own, whole classes are divided,
so that the validated classes are new too; else the items of each class.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from contract.comparison.data import Data, FeaturesData, PairedFeaturesData
from contract.comparison.data.draws import fold_classes, fold_generator
from contract.comparison.tuning import Fold
from worker.data.dataset import Pool
from worker.data.loaders.feature_tables import standardized
from worker.data.splits import Indices, check_part
from worker.data.tuple_splits import fold_parts
from worker.errors import DataError

_NO_ITEMS: Final = np.array([], dtype=np.int64)


def trial_pool(pool: Pool, data: Data, fold: Fold | None) -> Pool:
    """Return a data set with the splits of a run of a trial.

    Features that are standardised are so by the items that train in this run: the mean of items
    that validate would tell the network something of them.

    Args:
        pool: all items, with the splits of an ordinary run.
        data: of the spec; its seed alone decides the folds.
        fold: which of how many; None for the splits of an ordinary run.

    Raises:
        DataError: as `trial_indices`.
    """
    if pool.tuples is not None:
        of_rows = pool.tuples.components
        return pool.with_parts(fold_parts(of_rows, pool.tuples.parts, fold, data.seed))
    own = replace(pool, indices=trial_indices(pool, data, fold))
    if fold is None or not isinstance(data, FeaturesData | PairedFeaturesData):
        return own
    return standardized(own) if data.standardize else own


def trial_indices(pool: Pool, data: Data, fold: Fold | None) -> Indices:
    """Return which items of a data set train and which validate in a run of a trial.

    Args:
        pool: all items, with the splits of an ordinary run.
        data: of the spec; its seed alone decides the folds.
        fold: which of how many; None for the splits of an ordinary run.

    Raises:
        DataError: there are too few classes or items for so many folds.
    """
    ordinary = pool.indices
    if fold is None:
        return Indices(ordinary.train, ordinary.validation, _NO_ITEMS)
    labels = pool.labels.numpy()
    # Of official training items only as many are used as the spec says, so that runs are as short.
    limited = hasattr(data, "train_items")
    parts = [ordinary.train] if limited else [ordinary.train, ordinary.validation]
    items = np.sort(np.concatenate(parts))
    rng = fold_generator(data.seed)
    divide = _by_class if pool.class_disjoint else _by_item
    held = divide(labels[items], fold, rng)
    indices = Indices(items[~held], items[held], _NO_ITEMS)
    name = f"fold {fold.number + 1} of {fold.of}"
    try:
        check_part(labels, indices.train, "training")
        check_part(labels, indices.validation, "validation")
    except DataError as error:
        raise DataError(f"{name}: {error}; or take fewer folds") from error
    return indices


def _by_class(labels: np.ndarray, fold: Fold, rng: np.random.Generator) -> np.ndarray:
    """Return [N] whether an item is of the classes that the fold holds out."""
    return np.isin(labels, fold_classes(np.unique(labels), fold.number, fold.of, rng))


def _by_item(labels: np.ndarray, fold: Fold, rng: np.random.Generator) -> np.ndarray:
    """Return [N] whether the fold holds an item out; of each class it holds 1 / k, and folds differ
    by one item at most, of each class and in all."""
    members = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    dealt = np.concatenate(members)  # class after class, one item to each fold in turn
    held = np.zeros(len(labels), dtype=bool)
    held[dealt[fold.number :: fold.of]] = True
    return held
