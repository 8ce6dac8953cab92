"""Answer the questions about a data set: its file is checked again, read as the answers say."""

import asyncio
import os
import shutil
from functools import partial
from pathlib import Path

from fastapi import Request
from starlette.requests import ClientDisconnect

from backend.datasets import repository as datasets
from backend.datasets.check_report import CONTENT
from backend.datasets.checker import Checker
from backend.datasets.repository import Uploads
from backend.datasets.upload import (
    STORE_WAIT_S,
    build_dataset,
    check_answers,
    refuse_problems,
    store,
)
from backend.db.database import Database
from backend.db.models import Dataset
from backend.errors import ConflictError, DiskFullError, HttpError, NotFoundError
from backend.http.multipart import run_while_connected
from backend.http.writing import run_write
from backend.storage.disk_space import DISK_FULL_ERRORS, UNWRITABLE_ERRORS, describe_write_error
from contract.dataset_files import Answers, Question


async def answer(
    request: Request,
    database: Database,
    uploads: Uploads,
    checker: Checker,
    *,
    dataset: str,
    answers: Answers,
) -> Dataset:
    """Check a data set that waits for answers, and return it.

    With the last answer it becomes an ordinary data set, under an id of its own, as an id depends
    on the answers. If further questions come up, it waits for those. If the file, read as the
    answers say, has problems, nothing changes.

    Raises:
        RequestValidationError: nobody asked this.
        NotFoundError: there is no such data set, or its file is gone.
        ConflictError: it does not wait for answers.
        InvalidDatasetError: the file, read as the answers say, is invalid.
        HttpError: 503 or 507.
    """
    waiting = await asyncio.to_thread(_read_waiting, database, uploads, dataset)
    check_answers(waiting.kind, answers)
    together = Answers.model_validate(waiting.answers).with_more(answers)
    try:
        async with uploads.incoming() as folder:
            await asyncio.to_thread(_link, uploads.content(dataset), folder / CONTENT)
            check = checker.check(waiting.kind, folder, together)
            report = await run_while_connected(request, check)
            refuse_problems(report)
            if report.questions:
                questions = report.questions
                return await run_write(
                    partial(_keep_waiting, database, dataset, together, questions), STORE_WAIT_S
                )
            ready = build_dataset(
                report,
                together,
                name=waiting.name,
                kind=waiting.kind,
                created_at=waiting.created_at,
                size=waiting.size,
                sha256=waiting.sha256,
            )
            kept, _ = await store(database, uploads, folder, ready, replaces=dataset)
            return kept
    except OSError as error:
        if error.errno in DISK_FULL_ERRORS | UNWRITABLE_ERRORS:
            raise DiskFullError(describe_write_error(error, uploads.root)) from error
        raise
    except ClientDisconnect as error:
        raise HttpError("the client went") from error  # there is no client to answer


def _read_waiting(database: Database, uploads: Uploads, dataset: str) -> Dataset:
    with database.read() as session:
        found = datasets.get(session, dataset)
    if not found.questions:
        raise ConflictError(f"{found.name!r} does not wait for answers")
    if not uploads.has(found.id, found.size):
        raise NotFoundError(f"the file of data set {dataset!r} is gone; upload it again")
    return found


def _link(content: Path, target: Path) -> None:
    """Give the file a second name, or copy it where the file system has no links."""
    try:
        os.link(content, target)
    except OSError:
        shutil.copyfile(content, target)


def _keep_waiting(
    database: Database, dataset: str, answers: Answers, questions: list[Question]
) -> Dataset:
    with database.write() as write:
        found = datasets.get(write.session, dataset)
        found.answers = answers.given()
        found.questions = [question.model_dump() for question in questions]
        write.session.add(found)
    return found
