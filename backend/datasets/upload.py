"""Receive an upload, check it and store it. Of a refused upload nothing is left."""

import asyncio
import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import ClientDisconnect

from backend.datasets import repository as datasets
from backend.datasets.check_report import ANSWERS, CONTENT, Facts, Kind, Report
from backend.datasets.checker import Checker
from backend.datasets.repository import NO_ROOM, Uploads
from backend.db.database import Database
from backend.db.models import Dataset
from backend.errors import ConflictError, DiskFullError, HttpError, InvalidDatasetError
from backend.http.multipart import Form, invalid_field, receive_form, run_while_connected
from backend.http.writing import run_write
from backend.storage.disk_space import (
    DISK_FULL_ERRORS,
    UNWRITABLE_ERRORS,
    describe_write_error,
    has_room,
)
from contract.comparison.problems import Problem
from contract.comparison.spec import NewName
from contract.dataset_files import NO_ANSWERS, QUESTIONS, Answers

STORE_WAIT_S: Final = 30.0
"""How long the row of a file that was received and checked may wait for the database."""
NO_FACTS: Final = Facts(
    items=0, class_names=[], counts=[], has_fine=False, shape={}, warnings=[], thumbnails=[]
)
"""The facts of a data set that waits for answers."""


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: NewName
    kind: Kind


async def upload(
    request: Request, database: Database, uploads: Uploads, checker: Checker, now: float
) -> tuple[Dataset, bool]:
    """Receive, check and store an uploaded data set; return it, and whether it is new.

    A file that can be read in several ways is stored with its questions.

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
            fields, answers = _fields(form)
            key = dataset_id(fields.kind, form.sha256, answers)
            found = await asyncio.to_thread(_find_complete, database, uploads, key)
            if found:
                return found, False
            check = checker.check(fields.kind, folder, answers)
            report = await run_while_connected(request, check)
            refuse_problems(report)
            dataset = build_dataset(
                report,
                answers,
                name=fields.name,
                kind=fields.kind,
                created_at=now,
                size=form.size,
                sha256=form.sha256,
            )
            return await store(database, uploads, folder, dataset)
    except OSError as error:
        if error.errno in DISK_FULL_ERRORS | UNWRITABLE_ERRORS:
            raise DiskFullError(describe_write_error(error, uploads.root)) from error
        raise
    except ClientDisconnect as error:
        raise HttpError("the client went") from error  # there is no client to answer


def dataset_id(kind: str, sha256: str, answers: Answers = NO_ANSWERS) -> str:
    """Return the id of a data set, which its kind, the hash of its content and the answers about it
    determine: the same file read in another way is another data set."""
    told = json.dumps(answers.given(), sort_keys=True) if answers.given() else ""
    name = ":".join(filter(None, (kind, sha256, told)))
    return f"d{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def build_dataset(
    report: Report,
    answers: Answers,
    *,
    name: str,
    kind: str,
    created_at: float,
    size: int,
    sha256: str,
) -> Dataset:
    """Return the row of a data set without problems: ready, or with its questions."""
    facts = report.facts or NO_FACTS
    return Dataset(
        id=dataset_id(kind, sha256, answers),
        name=name,
        kind=kind,
        created_at=created_at,
        size=size,
        sha256=sha256,
        items=facts.items,
        facts=facts.model_dump(),
        answers=answers.given(),
        questions=[question.model_dump() for question in report.questions],
    )


def check_answers(kind: str, answers: Answers) -> None:
    """Refuse answers to questions that data of this kind do not have.

    Raises:
        RequestValidationError: with each of them.
    """
    asked = QUESTIONS[kind]
    unasked = [name for name in answers.given() if name not in asked]
    if unasked:
        has = f"its questions are {', '.join(asked)}" if asked else "it has none"
        message = f"is not a question about data of kind {kind!r}; {has}"
        raise RequestValidationError(
            [{"type": "value_error", "loc": ("body", name), "msg": message} for name in unasked]
        )


def _check_room(folder: Path, announced: str) -> None:
    """Refuse an upload that is too large for the disk, before it is received."""
    if not has_room(folder, int(announced)):
        raise DiskFullError(NO_ROOM)


def _fields(form: Form) -> tuple[_Fields, Answers]:
    """Read the fields of the form, and the answers among them.

    Raises:
        RequestValidationError: with every problem.
    """
    told = {name: text for name, text in form.fields.items() if name in Answers.model_fields}
    others = {name: text for name, text in form.fields.items() if name not in told}
    details: list[Any] = []
    fields, answers = None, NO_ANSWERS
    try:
        fields = _Fields.model_validate(others)
    except ValidationError as error:
        details += error.errors()
    try:
        answers = Answers.model_validate({name: _json_or_text(told[name]) for name in told})
    except ValidationError as error:
        details += error.errors()
    details = [{**detail, "loc": ("body", *detail["loc"])} for detail in details]
    if not form.has_file:
        details += invalid_field("file", "is missing").errors()
    if details or fields is None:
        raise RequestValidationError(details)
    if not form.size:
        raise invalid_field("file", "is empty")
    check_answers(fields.kind, answers)
    return fields, answers


def _json_or_text(text: str) -> object:
    """Return the value of a field: a JSON object or array, or else the text itself."""
    if text.lstrip()[:1] not in {"{", "["}:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _find_complete(database: Database, uploads: Uploads, key: str) -> Dataset | None:
    """Return the data set of this id if its file exists too."""
    with database.read() as session:
        found = datasets.find(session, key)
    return found if found and uploads.has(key, found.size) else None


def refuse_problems(report: Report) -> None:
    """Refuse a data set with problems.

    Raises:
        InvalidDatasetError: with the first of them.
    """
    if report.facts or report.questions:
        return
    shown = [Problem(note.where, note.message) for note in report.problems]
    message = f"{report.total:,} problem{'s' if report.total > 1 else ''} in the data set"
    if report.total > len(shown):
        message += f", of which the first {len(shown)} are listed"
    raise InvalidDatasetError(message, shown)


async def store(
    database: Database, uploads: Uploads, folder: Path, dataset: Dataset, *, replaces: str = ""
) -> tuple[Dataset, bool]:
    """Store the row and the files of a checked data set; return it, and whether it is new.

    Always finished, even if the server stops: the folder is moved out of `incoming`.

    Args:
        database: gets the row.
        uploads: gets the folder.
        folder: holds the files.
        dataset: the new row.
        replaces: the id of the data set that waited for answers, and is deleted.

    Raises:
        ConflictError: that one does not wait any more.
    """
    storing = asyncio.create_task(
        run_write(partial(_store, database, uploads, folder, dataset, replaces), STORE_WAIT_S)
    )
    try:
        return await asyncio.shield(storing)
    finally:
        await asyncio.wait({storing})


def _store(
    database: Database, uploads: Uploads, folder: Path, dataset: Dataset, replaces: str
) -> tuple[Dataset, bool]:
    """Store the row and the files.

    The files are moved last before the commit. If it fails, they have no row, and the same upload
    replaces them.
    """
    for name in ("report", "errors", ANSWERS):
        (folder / name).unlink()
    with database.write() as write:
        if replaces:
            waiting = datasets.find(write.session, replaces)
            if waiting is None or not waiting.questions:
                raise ConflictError(f"data set {replaces!r} does not wait for answers any more")
            write.session.delete(waiting)
            write.session.flush()
        found = datasets.find(write.session, dataset.id)
        if found is None:
            datasets.add(write, dataset)
        complete = found is not None and uploads.has(found.id, found.size)
        if not complete:
            uploads.keep(folder, dataset.id)
        if replaces and replaces != dataset.id:
            uploads.remove(replaces)
    return found or dataset, found is None
