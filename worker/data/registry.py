"""Which module loads which kind of data."""

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
    "image_folder": "worker.data.loaders.image_folder",
    "mnist": "worker.data.loaders.mnist",
    "paired_features": "worker.data.loaders.feature_tables",
    "sop": "worker.data.loaders.sop",
    "spoken_digits": "worker.data.loaders.spoken_digits",
    "synthetic": "worker.data.loaders.synthetic",
    "tiny_imagenet": "worker.data.loaders.tiny_imagenet",
}
"""Kind -> the module whose `load` reads it, imported when it is first asked for: some take seconds,
which runs on other data must not pay."""


def load(spec: Data, folder: Path | None = None, progress: Progress = SILENT) -> Pool:
    """The data set of a spec, the same for the same spec.

    Args:
        spec: kind and settings.
        folder: holds the data sets that have files; by default the one of the settings.
        progress: told how far downloading and reading are.

    Raises:
        DataError: files are missing and cannot be downloaded, or are damaged.
        CancelledError: by `progress`.
    """
    module = import_module(LOADERS[spec.kind])
    pool: Pool = module.load(spec, folder or datasets_folder(), progress)
    return pool
