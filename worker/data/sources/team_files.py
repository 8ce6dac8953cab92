"""What a team brought, wherever it lies: an upload is fetched, a path is taken as it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from contract.comparison.data import OwnData
from contract.dataset_files import FeatureTable, IntakeError
from worker.data import splits
from worker.data.dataset import Pool
from worker.data.sources import uploads
from worker.errors import DataError
from worker.reporting.progress import Progress


def file_of(spec: OwnData, folder: Path, progress: Progress) -> Path:
    """Where the file or folder of a spec lies.

    Raises:
        DataError: the spec names none, or the upload cannot be had.
        CancelledError: by `progress`.
    """
    if spec.dataset:
        return uploads.content(spec.dataset, folder, progress)
    if not spec.path:
        raise DataError("neither an uploaded data set nor a path on this machine is named")
    return Path(spec.path)


@contextmanager
def refusals(what: str) -> Iterator[None]:
    """Turns what is wrong with somebody's data into the error of a run.

    Raises:
        DataError: with the first problems and their number.
    """
    try:
        yield
    except IntakeError as error:
        count = "one problem" if error.total == 1 else f"{error.total:,} problems"
        raise DataError(f"{what} cannot be used, {count}: {error}") from error
    except OSError as error:
        raise DataError(f"{what} cannot be read: {error}") from error


def table_pool(spec: OwnData, table: FeatureTable) -> Pool:
    """Rows of features, split as the spec asks.

    Raises:
        DataError: too few classes or rows for that split.
    """
    return Pool(
        items=torch.from_numpy(table.features),
        labels=torch.from_numpy(table.labels),
        indices=split(spec, table.labels),
        fine=None if table.fine is None else torch.from_numpy(table.fine),
        visual=None if table.visual is None else torch.from_numpy(table.visual),
        class_disjoint=spec.split == "class",
        class_names=table.class_names,
    )


def split(spec: OwnData, labels: np.ndarray) -> splits.Indices:
    """The splits of labels [N] as a spec asks.

    Raises:
        DataError: too few classes or items for that split.
    """
    return splits.split(labels, by=spec.split, validation=spec.validation, seed=spec.seed)
