"""Splits of tuples: items that rows link stay together, so that no item is in two splits."""

from typing import Final

import numpy as np

from contract.comparison.data.draws import component_parts, fold_classes, fold_generator
from contract.comparison.data.facts import VALIDATION_PART
from contract.comparison.tuning import Fold
from worker.errors import DataError

SPLITS: Final = ("train", "validation", "test")
_VALIDATION: Final = 8
"""Makes the random numbers of drawn validation rows differ from other uses of the data's seed."""
MIN_ROWS: Final = 2
"""Fewest rows of a split."""


def split_components(of_rows: np.ndarray, *, seed: int) -> np.ndarray:
    """Split rows 60 : 20 : 20 by whole components; see `component_parts`.

    Args:
        of_rows: [R] the component of each row.
        seed: alone decides the split.

    Returns:
        [R] `train`, `validation` or `test`.

    Raises:
        DataError: a split would hold fewer than two rows.
    """
    sizes = np.bincount(of_rows)
    chosen = component_parts(sizes, seed)
    held = np.bincount(chosen, weights=sizes, minlength=len(SPLITS))
    if (held < MIN_ROWS).any():
        largest = int(sizes.max())
        raise DataError(
            f"{len(of_rows):,} tuples in {(sizes > 0).sum():,} groups of linked items cannot be "
            f"split 60 : 20 : 20, for the largest group has {largest:,} of them; bring more "
            "groups, or a column `split` and the split 'given'"
        )
    return np.asarray(np.array(SPLITS)[chosen][of_rows])


def with_validation(parts: np.ndarray, of_rows: np.ndarray, *, seed: int) -> np.ndarray:
    """Return the given split of rows; without a validation part a fifth of the components that
    train validates.

    Args:
        parts: [R] `train`, `validation` or `test`.
        of_rows: [R] the component of each row.
        seed: decides which components validate.
    """
    if (parts == "validation").any():
        return parts
    components = np.unique(of_rows[parts == "train"])
    order = np.random.default_rng([seed, _VALIDATION]).permutation(components)
    drawn = np.isin(of_rows, order[: len(order) // VALIDATION_PART])
    return np.where(drawn & (parts == "train"), "validation", parts)


def fold_parts(of_rows: np.ndarray, parts: np.ndarray, fold: Fold | None, seed: int) -> np.ndarray:
    """Return which rows train and which validate in a run of a trial; no row is tested.

    Args:
        of_rows: [R] the component of each row.
        parts: [R] the split of each row in an ordinary run.
        fold: which of how many divides all that are not tested; None for the ordinary split.
        seed: of the data; alone decides the folds.

    Returns:
        [R] `train`, `validation`, or empty.

    Raises:
        DataError: a fold would hold fewer than two rows.
    """
    if fold is None:
        return np.where(parts == "test", "", parts)
    kept = parts != "test"
    components = np.unique(of_rows[kept])
    held = fold_classes(components, fold.number, fold.of, fold_generator(seed))
    own = np.where(kept, np.where(np.isin(of_rows, held), "validation", "train"), "")
    if min((own == part).sum() for part in ("train", "validation")) < MIN_ROWS:
        raise DataError(
            f"fold {fold.number + 1} of {fold.of}: {kept.sum():,} tuples in {len(components):,} "
            "groups of linked items are too few; take fewer folds"
        )
    return own
