"""A team's own tables of pairs, triplets, and pairs with a label or a score."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch

from contract.comparison.data import FeaturesData, TupleTableData, shape_of
from contract.dataset_files import TupleTable, read_features, read_tuples
from worker.data.dataset import Items, Pool, Texts
from worker.data.sources.team_files import (
    fetch_upload,
    find_file,
    raising_data_errors,
    read_answers,
)
from worker.data.sources.tuple_pools import tuple_pool
from worker.data.tuples import TupleRows
from worker.errors import DataError
from worker.reporting.progress import Progress

SHOWN: Final = 5
"""Ids that an error names."""


def load(spec: TupleTableData, folder: Path, progress: Progress, *, resplit: bool = False) -> Pool:
    """Read an uploaded table, or a file of this machine, and where its items are ids of a feature
    table, that one too.

    Raises:
        DataError: a file cannot be fetched or used, or an id is in no row of the feature table; the
            first problems are named.
        CancelledError: raised by `progress`.
    """
    del resplit  # the data seed decides the split in any case
    shape = shape_of(spec)
    assert shape is not None, "a table of tuples"
    path = find_file(spec, folder, progress)
    answers = read_answers(spec, folder)
    progress(f"reading {path.name}", 0, None, "rows")
    with raising_data_errors(f"the tuples in {path}"):
        table = read_tuples(path, shape, answers=answers)
    if spec.split == "given" and table.parts is None:
        place = f"the uploaded data set {spec.dataset}" if spec.dataset else spec.path
        raise DataError(
            f"{place} has no column `split` with train and test; set data.split to 'groups'"
        )
    items: Items = Texts(table.items)
    if spec.items:
        items = _features(spec.items, table.items, folder, progress)
    rows = TupleRows(
        shape,
        torch.from_numpy(table.rows),
        same=None if table.same is None else torch.from_numpy(table.same),
        scores=None if table.scores is None else torch.from_numpy(table.scores),
    )
    parts = table.parts if spec.split == "given" else None
    return tuple_pool(items, _names(table), rows, seed=spec.seed, parts=parts)


def _names(table: TupleTable) -> Sequence[str]:
    return Texts(table.items).beginnings


def _features(dataset: str, ids: Sequence[str], folder: Path, progress: Progress) -> torch.Tensor:
    """Return the rows of a feature table with these ids, [N, F]."""
    own = FeaturesData(dataset=dataset)
    path = fetch_upload(dataset, folder, progress)
    with raising_data_errors(f"the features in {path}"):
        table = read_features(path, answers=read_answers(own, folder))
    if table.ids is None:
        raise DataError(
            f"the feature table {dataset} has no column `id`, by which tuples could name its rows"
        )
    known = {name: row for row, name in enumerate(table.ids)}
    if missing := [name for name in ids if name not in known]:
        named = ", ".join(map(repr, missing[:SHOWN]))
        more = f" and {len(missing) - SHOWN:,} more" if len(missing) > SHOWN else ""
        raise DataError(f"the feature table {dataset} has no rows with the ids {named}{more}")
    return torch.from_numpy(table.features[np.array([known[name] for name in ids])])
