"""Data sets that were uploaded to the API, fetched once into the workers' folder."""

import hashlib
import re
from pathlib import Path
from typing import Final
from urllib.parse import quote

import httpx

from contract.names import API_PREFIX
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
