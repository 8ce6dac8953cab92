"""The modules that load each kind of data."""

from importlib import import_module
from pathlib import Path
from typing import Final

from contract.comparison.data import Data
from worker.data.dataset import Pool
from worker.reporting.progress import SILENT, Progress
from worker.settings import datasets_folder

LOADERS: Final = {
    "cars196": "worker.data.loaders.cars196",
    "cifar10": "worker.data.loaders.cifar",
    "cifar100": "worker.data.loaders.cifar",
    "cub200": "worker.data.loaders.cub200",
    "digits": "worker.data.loaders.digits",
    "fashion_mnist": "worker.data.loaders.mnist",
    "features": "worker.data.loaders.feature_tables",
    "generated_text": "worker.data.loaders.generated_texts",
    "generated_tuples": "worker.data.loaders.generated_tuples",
    "image_folder": "worker.data.loaders.image_folder",
    "labelled_pairs": "worker.data.loaders.tuple_tables",
    "mnist": "worker.data.loaders.mnist",
    "paired_features": "worker.data.loaders.feature_tables",
    "pairs": "worker.data.loaders.tuple_tables",
    "scored_pairs": "worker.data.loaders.tuple_tables",
    "sop": "worker.data.loaders.sop",
    "spoken_digits": "worker.data.loaders.spoken_digits",
    "synthetic": "worker.data.loaders.synthetic",
    "text": "worker.data.loaders.texts",
    "tiny_imagenet": "worker.data.loaders.tiny_imagenet",
    "triplets": "worker.data.loaders.tuple_tables",
}
"""Kind of data -> the module whose `load` reads it. Imported at first use: some take seconds, which
runs on other data must not pay."""

WITHOUT_RESPLIT: Final = {
    "digits",
    "generated_text",
    "generated_tuples",
    "spoken_digits",
    "synthetic",
}
"""Kinds whose loaders do the same whether or not the split is one of several."""


def load(
    spec: Data,
    folder: Path | None = None,
    progress: Progress = SILENT,
    *,
    resplit: bool = False,
) -> Pool:
    """Load the data set of a spec; equal arguments give equal data and splits.

    Args:
        spec: kind and settings of the data.
        folder: the folder of all data sets that have files; by default the one of the settings.
        progress: called while files are downloaded and read.
        resplit: the split is one of several of the same data, by several data seeds: with a split
            by class the seed draws the training half, and the items of official parts keep one
            order.

    Returns:
        All items with their labels, and the indices of the three splits.

    Raises:
        DataError: files are missing and cannot be downloaded, or are damaged.
        CancelledError: raised by `progress`.
    """
    module = import_module(LOADERS[spec.kind])
    options = {} if spec.kind in WITHOUT_RESPLIT else {"resplit": resplit}
    pool: Pool = module.load(spec, folder or datasets_folder(), progress, **options)
    return pool
