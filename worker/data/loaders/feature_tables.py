"""A team's own tables of features, of one modality or of pairs of two modalities.

The first modality of a table of pairs is called audio, the second visual.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from contract.comparison.data import FeaturesData, PairedFeaturesData
from contract.dataset_files import read_features, read_paired
from worker.data.dataset import Pool, Scale
from worker.data.sources.team_files import (
    find_file,
    raising_data_errors,
    read_answers,
    table_pool,
)
from worker.reporting.progress import Progress


def load(
    spec: FeaturesData | PairedFeaturesData,
    folder: Path,
    progress: Progress,
    *,
    resplit: bool = False,
) -> Pool:
    """Read an uploaded table, or a file or folder of this machine.

    Raises:
        DataError: it cannot be fetched or used; the first problems are named.
        CancelledError: raised by `progress`.
    """
    path = find_file(spec, folder, progress)
    answers = read_answers(spec, folder)
    progress(f"reading {path.name}", 0, None, "rows")
    if isinstance(spec, PairedFeaturesData):
        with raising_data_errors(f"the pairs in {path}"):
            pool = table_pool(spec, read_paired(path, answers=answers), resplit=resplit)
    else:
        with raising_data_errors(f"the features in {path}"):
            pool = table_pool(spec, read_features(path, answers=answers), resplit=resplit)
    return standardized(pool) if spec.standardize else pool


def standardized(pool: Pool) -> Pool:
    """Give each feature, of both modalities, mean 0 and deviation 1 of the training split."""
    train = torch.from_numpy(np.ascontiguousarray(pool.indices.train))
    items, visual = pool.items, pool.visual
    assert isinstance(items, Tensor)  # a table has no files
    assert visual is None or isinstance(visual, Tensor)
    first, scale = _standardized(items, train)
    if visual is None:
        return replace(pool, items=first, scales=(scale,))
    second, of_visual = _standardized(visual, train)
    return replace(pool, items=first, visual=second, scales=(scale, of_visual))


def _standardized(items: Tensor, train: Tensor) -> tuple[Tensor, Scale]:
    # float64, because the squares of very large or small values leave float32's range; the first
    # item is subtracted, so that a constant feature has a deviation of exactly 0 and becomes 0.
    points = items.to(torch.float64)
    first = points[train[0]]
    points = points - first
    known = points[train]
    mean, deviation = known.mean(dim=0), known.std(dim=0, correction=0)
    divisor = torch.where(deviation > 0, deviation, 1)
    return ((points - mean) / divisor).to(items.dtype), Scale(first + mean, divisor)
