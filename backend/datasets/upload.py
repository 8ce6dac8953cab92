"""Receive an upload, check it and store it. Of a refused upload nothing is left."""

import asyncio
import hashlib
from pathlib import Path

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import ClientDisconnect

from backend.datasets import repository as datasets
from backend.datasets.check_report import CONTENT, Facts, Kind, Report
from backend.datasets.checker import Checker
from backend.datasets.repository import NO_ROOM, Uploads
from backend.db.database import Database
from backend.db.models import Dataset
from backend.errors import DiskFullError, HttpError, InvalidDatasetError
from backend.http.multipart import Form, invalid_field, receive_form, run_while_connected
from backend.storage.disk_space import DISK_FULL_ERRORS, has_room
from contract.comparison.problems import Problem
from contract.comparison.spec import Name


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name
    kind: Kind


async def upload(
    request: Request, database: Database, uploads: Uploads, checker: Checker, now: float
) -> tuple[Dataset, bool]:
    """Receive, check and store an uploaded data set; return it, and whether it is new.

    Raises:
        RequestValidationError: the form is invalid.
        InvalidDatasetError: the data set is invalid.
        DiskFullError: the disk has no room for it.
        HttpError: 408 or 503.
    """
    try:
        async with uploads.incoming() as folder:
            _check_room(folder, request.headers.get("content-length", "0"))
            form = await receive_form(request, folder / CONTENT)
            fields = _fields(form)
            key = dataset_id(fields.kind, form.sha256)
            found = await asyncio.to_thread(_find_complete, database, uploads, key)
            if found:
                return found, False
            report = await run_while_connected(request, checker.check(fields.kind, folder))
            facts = _facts_or_refuse(report)
            dataset = Dataset(
                id=key,
                name=fields.name,
                kind=fields.kind,
                created_at=now,
                size=form.size,
                sha256=form.sha256,
                items=facts.items,
                facts=facts.model_dump(),
            )
            # Always finished, even if the server stops: the folder is moved out of `incoming`.
            storing = asyncio.create_task(
                asyncio.to_thread(_store, database, uploads, folder, dataset)
            )
            try:
                return await asyncio.shield(storing)
            finally:
                await asyncio.wait({storing})
    except OSError as error:
        if error.errno in DISK_FULL_ERRORS:
            raise DiskFullError(NO_ROOM) from error
        raise
    except ClientDisconnect as error:
        raise HttpError("the client went") from error  # there is no client to answer


def dataset_id(kind: str, sha256: str) -> str:
    """Return the id of a data set, which its kind and the hash of its content determine."""
    return f"d{hashlib.sha256(f'{kind}:{sha256}'.encode()).hexdigest()[:16]}"


def _check_room(folder: Path, announced: str) -> None:
    """Refuse an upload that is too large for the disk, before it is received."""
    if not has_room(folder, int(announced)):
        raise DiskFullError(NO_ROOM)


def _fields(form: Form) -> _Fields:
    try:
        fields = _Fields.model_validate(form.fields)
    except ValidationError as error:
        details = [{**detail, "loc": ("body", *detail["loc"])} for detail in error.errors()]
        if not form.has_file:
            details += invalid_field("file", "is missing").errors()
        raise RequestValidationError(details) from None
    if not form.has_file:
        raise invalid_field("file", "is missing")
    if not form.size:
        raise invalid_field("file", "is empty")
    return fields


def _find_complete(database: Database, uploads: Uploads, key: str) -> Dataset | None:
    """Return the data set of this id if its file exists too."""
    with database.read() as session:
        found = datasets.find(session, key)
    return found if found and uploads.has(key, found.size) else None


def _facts_or_refuse(report: Report) -> Facts:
    if report.facts:
        return report.facts
    shown = [Problem(note.where, note.message) for note in report.problems]
    message = f"the data set has {report.total:,} problem{'s' if report.total > 1 else ''}"
    if report.total > len(shown):
        message += f", of which the first {len(shown)} are listed"
    raise InvalidDatasetError(message, shown)


def _store(
    database: Database, uploads: Uploads, folder: Path, dataset: Dataset
) -> tuple[Dataset, bool]:
    """Store the row and the files of a checked data set.

    The files are moved last before the commit. If it fails, they have no row, and the same upload
    replaces them.
    """
    for name in ("report", "errors"):
        (folder / name).unlink()
    with database.write() as write:
        found = datasets.find(write.session, dataset.id)
        if found is None:
            datasets.add(write, dataset)
        elif uploads.has(found.id, found.size):
            return found, False  # the same was uploaded meanwhile
        uploads.keep(folder, dataset.id)
    return found or dataset, found is None
