"""A team's own tables of texts."""

from pathlib import Path

import numpy as np
import torch

from contract.comparison.data import TextData
from contract.dataset_files import TextTable, read_texts
from worker.data.dataset import Pool, Texts
from worker.data.sources.team_files import (
    find_file,
    raising_data_errors,
    read_answers,
    split_labels,
)
from worker.data.splits import Indices, given_split
from worker.errors import DataError
from worker.reporting.progress import Progress


def load(spec: TextData, folder: Path, progress: Progress, *, resplit: bool = False) -> Pool:
    """Read an uploaded table, or a file of this machine.

    Raises:
        DataError: it cannot be fetched or used; the first problems are named.
        CancelledError: raised by `progress`.
    """
    path = find_file(spec, folder, progress)
    answers = read_answers(spec, folder)
    progress(f"reading {path.name}", 0, None, "rows")
    with raising_data_errors(f"the texts in {path}"):
        table = read_texts(path, answers=answers)
    return Pool(
        items=Texts(table.texts),
        labels=torch.from_numpy(table.labels),
        indices=_indices(spec, table, resplit=resplit),
        fine=None if table.fine is None else torch.from_numpy(table.fine),
        class_disjoint=_is_class_disjoint(spec, table),
        class_names=table.class_names,
        fine_names=table.fine_names or None,
    )


def _indices(spec: TextData, table: TextTable, *, resplit: bool) -> Indices:
    if spec.split != "given":
        return split_labels(spec, table.labels, resplit=resplit)
    if table.parts is None:
        place = f"the uploaded data set {spec.dataset}" if spec.dataset else spec.path
        raise DataError(
            f"{place} has no column `split` with train and test; set data.split to 'class' or "
            "'item'"
        )
    return given_split(np.array(table.parts), table.labels, seed=spec.seed)


def _is_class_disjoint(spec: TextData, table: TextTable) -> bool:
    if spec.split != "given" or table.parts is None:
        return spec.split == "class"
    parts = np.array(table.parts)
    return not set(table.labels[parts == "test"]) & set(table.labels[parts == "train"])
