"""Which module loads which kind of data."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from contract.data import Data
from worker.data.dataset import Dataset
from worker.settings import datasets_folder


@dataclass(frozen=True)
class Loader:
    """A module with a function `load`, imported when its kind is first asked for: some take
    seconds, which runs on other data must not pay."""

    module: str
    has_files: bool = False
    """Whether `load` takes the folder of the data sets besides the spec."""


DATA: Final = {
    "digits": Loader("worker.data.digits"),
    "mnist": Loader("worker.data.mnist", has_files=True),
    "synthetic": Loader("worker.data.synthetic"),
}


def load(spec: Data, folder: Path | None = None) -> Dataset:
    """The data set of a spec, the same for the same spec.

    Args:
        spec: kind and settings.
        folder: holds the data sets that have files; by default the one of the settings.

    Raises:
        DataError: files are missing and cannot be downloaded, or are damaged.
    """
    loader = DATA[spec.kind]
    module = import_module(loader.module)
    files = (folder or datasets_folder(),) if loader.has_files else ()
    dataset: Dataset = module.load(spec, *files)
    return dataset
