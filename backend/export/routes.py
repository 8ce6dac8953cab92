"""HTTP route: export a comparison: its spec, its tables, or all that is known of it."""

import json
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError
from sqlmodel import Session

from backend.comparisons import repository as comparisons
from backend.comparisons.schemas import comparison_detail
from backend.db.models import Comparison
from backend.export.files import content_disposition, file_name, write_csv, write_parquet
from backend.export.sending import send_written
from backend.export.tables import Everything, TableName, build_document, build_table
from backend.http.dependencies import Db
from backend.http.openapi import BINARY, TEXT
from backend.http.times import Now
from backend.storage.data_folder import DataFolder
from backend.workers.registry import Slots, Workers
from contract.comparison.spec import ComparisonSpec

router = APIRouter(prefix="/comparisons", tags=["comparisons"])

_TABLES: Final[dict[str, TableName]] = {name: name for name in get_args(TableName)}
_WRITERS: Final = {"csv": write_csv, "parquet": write_parquet}
_TYPES: Final = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


def _refuse_html(asked: object) -> object:
    if asked == "html":
        raise PydanticCustomError(
            "not_made_here",
            "the HTML report is made beside the API: take it from the comparison's page, "
            "or by `python -m launcher report ID`",
        )
    return asked


Format = Annotated[Literal["json", "csv", "parquet"], BeforeValidator(_refuse_html)]


@router.get(
    "/{comparison}/export",
    response_class=Response,
    responses={
        200: {
            "model": Everything | ComparisonSpec,
            "content": {"text/csv": TEXT, _TYPES["parquet"]: BINARY},
        }
    },
)
def export_comparison(
    comparison: str,
    *,
    database: Db,
    workers: Slots,
    folder: DataFolder,
    now: Now,
    format: Annotated[Format, Query()] = "json",
    what: Annotated[
        Literal["spec", "all", "results", "series", "runs", "leaderboard", "trials"] | None, Query()
    ] = None,
) -> Response:
    """Return a file with the spec, everything or a table.

    json: `spec`, as POST /comparisons takes it, or `all`: spec, runs, summary, verdict and
    versions. csv and parquet: `results`, a row for each value; `series`, a row for each measured
    point; `runs`; `leaderboard`, a row for each metric and arm; or `trials` of a comparison
    that is tuned, with a column for each setting that was searched. All but the last are of final
    runs. A table is sent with its
    length, so that a client notices if it is cut off.
    """
    with database.read() as session:
        found = comparisons.get(session, comparison)
        table_asked = _TABLES.get(what or "results")
        if format != "json":
            if table_asked is None:
                raise _invalid(what, f"comes as json; {format} has {', '.join(_TABLES)}")
            return _table(folder, session, found, format, table_asked)
        if what in _TABLES:
            raise _invalid(what, "comes as csv or parquet; json has spec and all")
        return _document(workers, session, found, now, everything=what == "all")


def _document(
    workers: Workers, session: Session, found: Comparison, now: float, *, everything: bool
) -> Response:
    """Answer with the spec, or with everything, as JSON with indents."""
    if not everything:
        content = json.dumps(found.spec, indent=2, ensure_ascii=False)
        return Response(content, headers=_headers(found, ".json"), media_type="application/json")
    detail = comparison_detail(session, found, workers, now)
    content = build_document(session, found, detail, now).model_dump_json(indent=2)
    return Response(content, headers=_headers(found, "-all.json"), media_type="application/json")


def _table(
    folder: Path,
    session: Session,
    found: Comparison,
    kind: Literal["csv", "parquet"],
    what: TableName,
) -> Response:
    """Answer with a table. It is written to a file before the first byte is sent: otherwise a slow
    client would keep the read transaction open, and the database's journal would grow by everything
    that is written meanwhile."""
    table = build_table(session, found, what)
    name = file_name(found.name, found.id, f"-{what}.{kind}")
    return send_written(folder, name, _TYPES[kind], lambda file: _WRITERS[kind](table, file))


def _headers(found: Comparison, ending: str) -> dict[str, str]:
    return {"Content-Disposition": content_disposition(file_name(found.name, found.id, ending))}


def _invalid(what: str | None, message: str) -> RequestValidationError:
    detail = {"type": "value_error", "loc": ("query", "what"), "msg": f"{what!r} {message}"}
    return RequestValidationError([detail])
