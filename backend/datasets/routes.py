"""HTTP routes: upload, list, read and delete data sets."""

import zipfile
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from backend.auth import audit
from backend.auth.dependencies import worker_token
from backend.datasets import repository as datasets
from backend.datasets.answers import answer
from backend.datasets.check_report import KINDS, Kind
from backend.datasets.checker import UploadChecker
from backend.datasets.repository import UploadFolder
from backend.datasets.schemas import (
    DatasetDetail,
    DatasetList,
    DatasetOut,
    dataset_detail,
    dataset_out,
)
from backend.datasets.upload import upload
from backend.errors import NotFoundError
from backend.http.dependencies import Db
from backend.http.json_body import JsonRoute
from backend.http.openapi import BINARY
from backend.http.times import Now
from backend.http.writing import writes
from contract.dataset_files import Answers

router = APIRouter(tags=["datasets"], route_class=JsonRoute)

_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "name", "kind"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "name": {"type": "string", "minLength": 1, "maxLength": 200},
                        "kind": {"type": "string", "enum": list(KINDS)},
                        **{
                            name: {"type": "string", "description": "An answer, see Answers."}
                            for name in Answers.model_fields
                        },
                    },
                }
            }
        },
    }
}
# The id is made from the content, so an answer never changes.
_FOREVER: Final = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}


@router.post(
    "/datasets",
    status_code=201,
    openapi_extra=_FORM,
    responses={
        200: {"model": DatasetOut, "description": "it is there already"},
        202: {"model": DatasetOut, "description": "it is kept, with questions to answer"},
    },
)
async def upload_dataset(
    request: Request,
    response: Response,
    *,
    database: Db,
    uploads: UploadFolder,
    checker: UploadChecker,
    now: Now,
) -> DatasetOut:
    """Check a data set and keep it: a zip of class folders, or a table of features.

    Every problem is reported with its row. The same content again is the same data set. A file that
    can be read in several ways is kept and waits until its questions are answered."""
    dataset, new = await upload(request, database, uploads, checker, now)
    audit.note_created(request.scope, dataset=dataset.id)
    if dataset.questions:
        response.status_code = 202
    elif not new:
        response.status_code = 200
    return dataset_out(dataset)


@router.post(
    "/datasets/{dataset}/answers",
    responses={202: {"model": DatasetOut, "description": "there are further questions"}},
)
async def answer_questions(
    request: Request,
    response: Response,
    dataset: str,
    answers: Answers,
    *,
    database: Db,
    uploads: UploadFolder,
    checker: UploadChecker,
) -> DatasetOut:
    """Answer the questions about an uploaded file, which is then checked again.

    The data set that can be used has another id. With problems it still waits for answers."""
    found = await answer(request, database, uploads, checker, dataset=dataset, answers=answers)
    audit.note_created(request.scope, dataset=found.id)
    if found.questions:
        response.status_code = 202
    return dataset_out(found)


class _FindQuery(BaseModel):
    q: str = Field("", max_length=1000, description="Words of the name, or the id.")
    kind: Kind | None = None
    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int | None = Field(None, ge=1, le=200, description="Without it, all are returned.")


@router.get("/datasets")
def list_datasets(asked: Annotated[_FindQuery, Query()], database: Db) -> DatasetList:
    """Return the data sets that match, newest first: all of them, or one page."""
    with database.read() as session:
        found, total = datasets.find_page(session, **asked.model_dump())
        return DatasetList(
            datasets=[dataset_out(row) for row in found],
            total=total,
            page=asked.page,
            page_size=asked.page_size,
        )


@router.get("/datasets/{dataset}")
def get_dataset(dataset: str, database: Db) -> DatasetDetail:
    """Return one data set with its classes."""
    with database.read() as session:
        return dataset_detail(datasets.get(session, dataset))


@router.get(
    "/datasets/{dataset}/thumbnails/{n}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": BINARY}}},
)
def get_thumbnail(
    dataset: str, n: Annotated[int, Path(ge=0)], database: Db, uploads: UploadFolder
) -> Response:
    """Return a small picture of one of its images."""
    with database.read() as session:
        found = datasets.get(session, dataset)
    try:
        with zipfile.ZipFile(uploads.thumbnails(found.id)) as archive:
            content = archive.read(str(n))
    except (FileNotFoundError, KeyError):
        raise NotFoundError(f"data set {dataset!r} has no thumbnail {n}") from None
    return Response(content, media_type="image/jpeg", headers=_FOREVER)


@router.delete("/datasets/{dataset}", status_code=204)
@writes
def delete_dataset(dataset: str, database: Db, uploads: UploadFolder) -> None:
    """Delete a data set with its files; refused while comparisons use it."""
    with database.write() as write:
        datasets.remove(write, dataset)
        # Under the write lock: the same file may be uploaded again meanwhile.
        uploads.remove(dataset)


@router.get(
    "/internal/datasets/{dataset}/answers",
    tags=["internal"],
    dependencies=[Depends(worker_token)],
    response_model_exclude_none=True,
)
def get_dataset_answers(dataset: str, database: Db) -> Answers:
    """Return how a worker has to read the file of a data set."""
    with database.read() as session:
        return Answers.model_validate(datasets.get(session, dataset).answers)


@router.get(
    "/internal/datasets/{dataset}/content",
    tags=["internal"],
    dependencies=[Depends(worker_token)],
    response_class=FileResponse,
)
def get_dataset_content(dataset: str, database: Db, uploads: UploadFolder) -> FileResponse:
    """Return the uploaded file to a worker, with its hash in the header X-Content-SHA256."""
    with database.read() as session:
        found = datasets.get(session, dataset)
    if not uploads.has(found.id, found.size):
        raise NotFoundError(f"the file of data set {dataset!r} is gone; upload it again")
    return FileResponse(
        uploads.content(found.id),
        media_type="application/octet-stream",
        headers={"X-Content-SHA256": found.sha256, "X-Content-Type-Options": "nosniff"},
    )
