"""A team's own data: uploads, fetched once from the API into the workers' folder, and files or
folders of this machine, used where they are."""

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
from pydantic import ValidationError

from contract.comparison.data import ImageFolderData, LabelledData, TeamData
from contract.comparison.data.facts import split_problem
from contract.dataset_files import NO_ANSWERS, Answers, FeatureTable, IntakeError
from contract.names import API_PREFIX
from worker.data import splits
from worker.data.dataset import Pool
from worker.data.sources.data_roots import allowed_path
from worker.data.sources.locks import locked
from worker.errors import DataError, SettingsError
from worker.reporting.progress import Progress
from worker.settings import Settings

TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)
"""For each read: the API sends the file from its disk as it is."""
DIGEST_HEADER: Final = "X-Content-SHA256"
ANSWERS: Final = "answers"
"""Name of the file with the answers that say how an upload is read, as JSON."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_BLOCK: Final = 2**20


def upload_folder(dataset: str, folder: Path) -> Path:
    """Return the folder of an uploaded data set.

    Raises:
        DataError: this is no valid id of a data set.
    """
    if not _ID.fullmatch(dataset):
        raise DataError(f"{dataset!r} is not the id of an uploaded data set; see the Data page")
    return folder / "uploads" / dataset


def fetch_upload(dataset: str, folder: Path, progress: Progress) -> Path:
    """Return the uploaded file; fetch it from the API unless it is here already.

    The answers that say how to read it are fetched first, for `read_answers`.

    Raises:
        DataError: the API does not have it or cannot be reached, or it arrived damaged.
        CancelledError: raised by `progress`; nothing incomplete is left.
    """
    own = upload_folder(dataset, folder)
    target = own / "content"
    if target.is_file():
        return target
    partial = own / "content.partial"
    try:
        with locked(own, "content", progress):
            if not target.is_file():  # another run may have been first
                try:
                    answers = _fetch_answers(dataset)
                    _fetch(dataset, partial, progress)
                    _write_whole(own / ANSWERS, answers)
                    partial.replace(target)
                finally:
                    partial.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"the upload {dataset} cannot be written into {own}: {error}") from error
    return target


def read_answers(spec: TeamData, folder: Path) -> Answers:
    """Return how a data set's file is read, where it can be read in several ways.

    An upload's file has been fetched before, and its answers with it. A path of this machine has
    none, nor has an upload that an earlier version fetched.

    Raises:
        DataError: the answers cannot be read.
    """
    if not spec.dataset:
        return NO_ANSWERS
    path = upload_folder(spec.dataset, folder) / ANSWERS
    try:
        return Answers.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return NO_ANSWERS
    except (OSError, ValidationError) as error:
        raise DataError(
            f"{path} cannot be read: {error}; delete its folder, and it is fetched again"
        ) from error


def _fetch_answers(dataset: str) -> bytes:
    """Return the answers as JSON."""
    with _ask(dataset, "answers") as answer:
        content = answer.read()
    try:
        Answers.model_validate_json(content)
    except ValidationError as error:
        raise DataError(
            f"how the upload {dataset} is read, the API says in a way that this worker does not "
            f"know: {error}; run both in the same version"
        ) from error
    return content


def _write_whole(path: Path, content: bytes) -> None:
    """Write a small file that no other process ever sees incomplete."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)


@contextmanager
def _ask(dataset: str, what: str) -> Iterator[httpx.Response]:
    """Yield the API's answer to an internal call about a data set.

    Raises:
        DataError: it does not have it, or cannot be reached.
    """
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        raise DataError(f"the uploaded data set {dataset} needs the API: {error}") from error
    url = f"{settings.api_url}{API_PREFIX}/internal/datasets/{quote(dataset, safe='')}/{what}"
    headers = {"Authorization": f"Bearer {settings.token}"}
    try:
        # The API is in the same network; a proxy meant for the internet would not reach it.
        with httpx.stream("GET", url, headers=headers, timeout=TIMEOUT, trust_env=False) as answer:
            if answer.status_code == httpx.codes.NOT_FOUND:
                raise DataError(
                    f"the uploaded data set {dataset} is not known to the API at "
                    f"{settings.api_url}; it was deleted, or never there"
                )
            answer.raise_for_status()
            yield answer
    except httpx.HTTPError as error:
        raise DataError(f"{url} gave no data set: {error!r}") from error


def _fetch(dataset: str, partial: Path, progress: Progress) -> None:
    with _ask(dataset, "content") as answer:
        digest = _write(answer, partial, dataset, progress)
        expected = answer.headers.get(DIGEST_HEADER, "")
    if digest != expected.lower():
        raise DataError(
            f"the upload {dataset} came with sha256 {digest}, the API promised "
            f"{expected or 'none'}; start the run again, and if that does not help upload the data "
            "set again"
        )


def _write(answer: httpx.Response, partial: Path, dataset: str, progress: Progress) -> str:
    """Write the body block by block and return its SHA-256."""
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


def find_file(spec: TeamData, folder: Path, progress: Progress) -> Path:
    """Return the path of the file or folder that a spec names; fetch an upload.

    Raises:
        DataError: the spec names none, or one outside LOSSBOARD_DATA_ROOTS, or the upload cannot be
            fetched.
        CancelledError: raised by `progress`.
    """
    if spec.dataset:
        return fetch_upload(spec.dataset, folder, progress)
    if not spec.path:
        raise DataError("neither an uploaded data set nor a path on this machine is named")
    field = "folder" if isinstance(spec, ImageFolderData) else "file"
    return allowed_path(spec.path, f"data.{field}")


@contextmanager
def raising_data_errors(what: str) -> Iterator[None]:
    """Turn problems of a team's data into the error of a run.

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


def table_pool(spec: LabelledData, table: FeatureTable, *, resplit: bool = False) -> Pool:
    """Build a pool of rows of features, split as the spec says.

    Raises:
        DataError: too few classes or rows for that split.
    """
    return Pool(
        items=torch.from_numpy(table.features),
        labels=torch.from_numpy(table.labels),
        indices=split_labels(spec, table.labels, resplit=resplit),
        fine=None if table.fine is None else torch.from_numpy(table.fine),
        visual=None if table.visual is None else torch.from_numpy(table.visual),
        class_disjoint=spec.split == "class",
        class_names=table.class_names,
    )


def split_labels(
    spec: LabelledData, labels: np.ndarray, *, resplit: bool = False
) -> splits.Indices:
    """Split labels [N] by class or by item, as a spec says; with `resplit` the seed draws the
    classes that train.

    Raises:
        DataError: too few classes or items for that split; says how many are needed.
    """
    assert spec.split != "given"
    counts: list[int] = np.unique(labels, return_counts=True)[1].tolist()
    if problem := split_problem(
        counts, by=spec.split, validation=spec.validation, draw_classes=resplit
    ):
        place = f"the uploaded data set {spec.dataset}" if spec.dataset else spec.path
        raise DataError(f"{place} {problem}")
    return splits.split(
        labels,
        by=spec.split,
        validation=spec.validation,
        seed=spec.seed,
        draw_classes=resplit,
    )
