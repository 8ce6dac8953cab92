"""What a team brought, wherever it lies: an upload is fetched, a path is taken as it is.

Data sets that were uploaded to the API, fetched once into the workers' folder.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

import httpx
import numpy as np
import torch

from contract.comparison.data import OwnData
from contract.dataset_files import FeatureTable, IntakeError
from contract.names import API_PREFIX
from worker.data import splits
from worker.data.dataset import Pool
from worker.data.sources.locks import locked
from worker.errors import DataError, SettingsError
from worker.reporting.progress import Progress
from worker.settings import Settings

TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)
"""Of each read: the API reads the file from its disk and sends it as it is."""
DIGEST_HEADER: Final = "X-Content-SHA256"
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_BLOCK: Final = 2**20


def folder_of(dataset: str, folder: Path) -> Path:
    """Where an uploaded data set lies.

    Raises:
        DataError: that is no id of a data set.
    """
    if not _ID.fullmatch(dataset):
        raise DataError(f"{dataset!r} is no id of an uploaded data set; see the Data page")
    return folder / "uploads" / dataset


def content(dataset: str, folder: Path, progress: Progress) -> Path:
    """The uploaded file, fetched from the API unless it is here already.

    Raises:
        DataError: the API does not have it or cannot be reached, or it arrived damaged.
        CancelledError: by `progress`; nothing half is left.
    """
    own = folder_of(dataset, folder)
    target = own / "content"
    if target.is_file():
        return target
    partial = own / "content.partial"
    try:
        with locked(own, "content", progress):
            if not target.is_file():  # another run may have been first
                try:
                    _fetch(dataset, partial, progress)
                    partial.replace(target)
                finally:
                    partial.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"the upload {dataset} cannot be written into {own}: {error}") from error
    return target


def _fetch(dataset: str, partial: Path, progress: Progress) -> None:
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        raise DataError(f"the uploaded data set {dataset} needs the API: {error}") from error
    url = f"{settings.api_url}{API_PREFIX}/internal/datasets/{quote(dataset, safe='')}/content"
    headers = {"Authorization": f"Bearer {settings.token}"}
    try:
        # The API is a neighbour; a proxy meant for the internet would miss it.
        with httpx.stream("GET", url, headers=headers, timeout=TIMEOUT, trust_env=False) as answer:
            if answer.status_code == httpx.codes.NOT_FOUND:
                raise DataError(
                    f"the uploaded data set {dataset} is not known to the API at "
                    f"{settings.api_url}; it was deleted, or never there"
                )
            answer.raise_for_status()
            digest = _write(answer, partial, dataset, progress)
            expected = answer.headers.get(DIGEST_HEADER, "")
    except httpx.HTTPError as error:
        raise DataError(f"{url} gave no data set: {error!r}") from error
    if digest != expected.lower():
        raise DataError(
            f"{url}: the content has sha256 {digest}, the API promised {expected or 'none'}; start "
            "the run again, and upload the data set again if that does not help"
        )


def _write(answer: httpx.Response, partial: Path, dataset: str, progress: Progress) -> str:
    """Write the body as it comes; its sha256."""
    length = answer.headers.get("Content-Length", "")
    total = float(length) if length.isdecimal() else None
    digest = hashlib.sha256()
    done = 0
    with partial.open("wb") as file:
        for block in answer.iter_raw(_BLOCK):
            digest.update(block)
            file.write(block)
            done += len(block)
            progress(f"fetching upload {dataset}", done, total, "bytes")
    return digest.hexdigest()


def file_of(spec: OwnData, folder: Path, progress: Progress) -> Path:
    """Where the file or folder of a spec lies.

    Raises:
        DataError: the spec names none, or the upload cannot be had.
        CancelledError: by `progress`.
    """
    if spec.dataset:
        return content(spec.dataset, folder, progress)
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
