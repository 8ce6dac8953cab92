"""Pools of tuples: their groups, and their splits."""

from collections.abc import Sequence

import numpy as np
import torch

from contract.dataset_files.tuple_links import components_of_rows, linked
from worker.data.dataset import Items, Pool
from worker.data.splits import Indices
from worker.data.tuple_splits import MIN_ROWS, split_components, with_validation
from worker.data.tuples import TupleRows, TupleTable
from worker.errors import DataError

_NONE = np.zeros(0, dtype=np.int64)


def tuple_pool(
    items: Items,
    names: Sequence[str],
    rows: TupleRows,
    *,
    seed: int,
    parts: Sequence[str] | None = None,
) -> Pool:
    """Build a pool of tuples. Its labels are groups: items that positive pairs link.

    Of scored pairs, which have no positives, each item is a group by itself.

    Args:
        items: [N] texts or features.
        names: [N] what pages call the items; a group is called as its first one.
        rows: the tuples, with places among them.
        seed: decides the split.
        parts: [R] the split of each tuple, where the data say it; by default whole connected
            components are drawn, see `split_components`.

    Raises:
        DataError: a split would hold fewer than two tuples, or no positive or no negative pair.
    """
    of_rows = components_of_rows(rows.places.numpy(), len(items))
    if parts is None:
        own = split_components(of_rows, seed=seed)
    else:
        own = with_validation(np.array(parts), of_rows, seed=seed)
    table = TupleTable(rows, of_rows, own)
    for name in ("train", "validation", "test"):
        _check(table.part(name), name)
    groups = linked(rows.positives.numpy(), len(items))
    pool = Pool(
        items,
        torch.from_numpy(groups),
        Indices(_NONE, _NONE, _NONE),
        class_disjoint=True,
        class_names=tuple(names[place] for place in np.unique(groups, return_index=True)[1]),
        tuples=table,
    )
    return pool.with_parts(own)


def _check(rows: TupleRows, name: str) -> None:
    """Check that a split can be measured."""
    if len(rows) < MIN_ROWS:
        raise DataError(f"the {name} split would hold {len(rows)} tuples; it needs {MIN_ROWS}")
    if rows.same is not None and not (rows.same.any() and (~rows.same).any()):
        raise DataError(
            f"the {name} split would hold pairs of one label only; it needs both, so bring more"
        )
    if rows.scores is not None and not rows.scores.min() < rows.scores.max():
        raise DataError(f"the {name} split would hold one score only; bring more pairs")
