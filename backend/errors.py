"""All errors of the backend, and the one place that turns them into HTTP answers.

BackendError
├── SettingsError          the process cannot start
└── HttpError              answered to a caller in the one JSON shape
    ├── InvalidSpecError     422 invalid_spec       every problem with its path
    ├── InvalidDatasetError  422 invalid_dataset    the first problems, with their rows
    ├── BadRequestError      400 bad_request
    ├── UnauthorizedError    401 unauthorized
    ├── ForbiddenError       403 forbidden
    ├── NotFoundError        404 not_found
    ├── TimedOutError        408 request_timeout
    ├── ConflictError        409 conflict
    │   └── EditedMeanwhileError   with what was edited, as it is now
    ├── TooLargeError        413 too_large
    ├── MisdirectedError     421 misdirected_request
    ├── TooFastError         429 too_fast
    ├── UnavailableError     503 unavailable
    └── DiskFullError        507 disk_full

InvalidJsonError           422 invalid_request; one of the framework's, which passes only those on
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DataError, DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from contract.comparison.problems import MAX_PROBLEMS, Problem, SpecError

log = logging.getLogger(__name__)

REDACT_KEY: Final = "redact"
"""Key of an app's state: the function that removes tokens from a text."""
DATABASE_UNAVAILABLE: Final = "database_unavailable"
"""Code of the 503 of a database that does not answer or is locked by another program."""
RETRY_AFTER_S: Final = "5"
"""Seconds after which a caller may try again, for that answer's header."""
MAX_PATH: Final = 300
MAX_MESSAGE: Final = 3000
"""Characters of a problem's path, and of a message, in an answer."""
ERROR_CODE: Final = "lossboard.error"
"""Key of a request's scope: the code of the error in its answer."""


class BackendError(Exception):
    """Base of the backend's own errors."""


class SettingsError(BackendError):
    """A setting in the environment is missing or not valid."""


class HttpError(BackendError):
    """An error that is answered with a status other than 2xx."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "internal"

    def __init__(
        self,
        message: str,
        problems: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
        total: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.problems = tuple(problems)
        self.total = total
        """Number of all problems, if these are the first ones only."""
        self.more: dict[str, Any] = {}
        """Further keys of the answer."""
        self.headers = dict(headers or {})


class InvalidSpecError(HttpError):
    """A comparison's spec has problems; all of them are named."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid_spec"


class InvalidDatasetError(HttpError):
    """An uploaded data set is refused; the paths of its problems are rows and files."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid_dataset"


class BadRequestError(HttpError):
    """A header of the request is missing or malformed."""

    status = HTTPStatus.BAD_REQUEST
    code = "bad_request"


class MisdirectedError(HttpError):
    """The request is for a host that this is not."""

    status = HTTPStatus.MISDIRECTED_REQUEST
    code = "misdirected_request"


class UnauthorizedError(HttpError):
    """The token of a person or a worker is missing or wrong."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthorized"


class ForbiddenError(HttpError):
    """The caller is known, but may not do this."""

    status = HTTPStatus.FORBIDDEN
    code = "forbidden"


class NotFoundError(HttpError):
    """The thing does not exist."""

    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class ConflictError(HttpError):
    """The thing is in a state that does not allow this."""

    status = HTTPStatus.CONFLICT
    code = "conflict"


class EditedMeanwhileError(ConflictError):
    """Somebody else has edited what the caller wants to change."""

    def __init__(self, message: str, current: Mapping[str, Any]) -> None:
        """Create the error; `current` is what was edited, as it is now."""
        super().__init__(message)
        self.more = {"current": dict(current)}


class TooLargeError(HttpError):
    """The request body is larger than the limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "too_large"


class TooFastError(HttpError):
    """One person sends more requests than allowed; a header says when to try again."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_fast"


class TimedOutError(HttpError):
    """The rest of the request did not arrive in time."""

    status = HTTPStatus.REQUEST_TIMEOUT
    code = "request_timeout"


class UnavailableError(HttpError):
    """The process cannot do this now, but can later."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"


class DiskFullError(HttpError):
    """The disk has no room for what was sent."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
    code = "disk_full"


class InvalidJsonError(HTTPException):
    """The body of a request is no JSON, or JSON on which two readers could differ."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(HTTPStatus.UNPROCESSABLE_ENTITY, message)
        self.problems = tuple(problems)


class FieldOut(BaseModel):
    """One problem of a request."""

    path: str
    """The place, as `arms[0].loss.margin`; empty for the whole request."""
    message: str


class ErrorOut(BaseModel):
    """The body of every answer other than 2xx."""

    error: str
    message: str
    fields: list[FieldOut]


def error_response(
    status: int,
    code: str,
    message: str,
    problems: Sequence[Problem] = (),
    *,
    total: int | None = None,
    more: Mapping[str, Any] | None = None,
) -> JSONResponse:
    """Build an answer in the one error shape.

    Its size is bounded: of many problems it has the first, and says so; of long texts the start.

    Args:
        status: of HTTP.
        code: the kind of the error.
        message: what was seen and what to do.
        problems: the problems of single fields.
        total: number of all problems, if there are more than these.
        more: further keys of the answer.
    """
    fields = [
        FieldOut(path=_start(path, MAX_PATH), message=_start(text, MAX_MESSAGE))
        for path, text in problems[:MAX_PROBLEMS]
    ]
    total = len(problems) if total is None else total
    if total > len(fields):
        message = f"{message}; here are {len(fields)} of {total:,} problems"
    body = ErrorOut(error=code, message=_start(message, MAX_MESSAGE), fields=fields)
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None
    content = {**body.model_dump(), **(more or {})}
    response = _ErrorResponse(content, status_code=status, headers=headers)
    response.error = code
    return response


def _start(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


class _ErrorResponse(JSONResponse):
    """An answer that leaves the error's code in the request's scope, for the metrics, and removes
    tokens that were sent in the wrong place."""

    error = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ERROR_CODE] = self.error
        redact: Callable[[str], str] | None = getattr(scope["app"].state, REDACT_KEY, None)
        if redact:
            self.body = redact(bytes(self.body).decode()).encode()
            self.headers["content-length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def install_handlers(app: FastAPI) -> None:
    """Make the app answer every error in the one shape."""
    app.add_exception_handler(HttpError, _on_http_error)
    app.add_exception_handler(SpecError, _on_spec_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(InvalidJsonError, _on_json_error)
    app.add_exception_handler(HTTPException, _on_framework_error)
    app.add_exception_handler(DataError, _on_data_error)
    app.add_exception_handler(OperationalError, _on_database_error)
    # PostgreSQL raises this where SQLite raises OperationalError, for example for a missing table.
    app.add_exception_handler(ProgrammingError, _on_database_error)
    app.add_exception_handler(PoolTimeoutError, _on_database_error)
    app.add_exception_handler(Exception, _on_unexpected_error)


def response_to(error: HttpError) -> JSONResponse:
    """Build the answer to an error."""
    response = error_response(
        error.status,
        error.code,
        error.message,
        error.problems,
        total=error.total,
        more=error.more,
    )
    response.headers.update(error.headers)
    return response


def _on_http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HttpError)
    return response_to(error)


def _on_spec_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SpecError)
    message = f"the spec has {error.total:,} problem{'s' if error.total > 1 else ''}"
    return _on_http_error(_, InvalidSpecError(message, error.problems, total=error.total))


def _on_json_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InvalidJsonError)
    return error_response(error.status_code, "invalid_request", error.detail, error.problems)


def _on_validation_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = [
        # The first part of the location is body, query or path.
        Problem(".".join(map(str, detail["loc"][1:])) or str(detail["loc"][0]), detail["msg"])
        for detail in error.errors()
    ]
    return error_response(422, "invalid_request", "the request is not valid", problems)


def _on_framework_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    code = TooLargeError.code if status == TooLargeError.status else status.name.lower()
    response = error_response(status, code, error.detail)
    response.headers.update(error.headers or {})
    return response


def _on_data_error(_: Request, error: Exception) -> JSONResponse:
    """Refuse a value that SQLite accepts and PostgreSQL does not, such as a text with a NUL."""
    assert isinstance(error, DataError)
    reason = str(error.orig).partition("\n")[0]
    message = f"the database refuses a value of the request ({reason}); leave it out"
    return error_response(422, "invalid_request", message)


def _on_database_error(request: Request, error: Exception) -> JSONResponse:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, TimeoutError | PoolTimeoutError):  # it is busy, and nothing is broken
        log.warning("%s %s: the database is busy: %s", request.method, request.url.path, error)
        message = f"the database is busy ({str(cause).partition(chr(10))[0]}); try again"
    else:
        log.error("%s %s: the database failed", request.method, request.url.path, exc_info=error)
        message = "the database does not answer; try again"
    response = error_response(503, DATABASE_UNAVAILABLE, message)
    response.headers["Retry-After"] = RETRY_AFTER_S
    return response


def _on_unexpected_error(_: Request, error: Exception) -> JSONResponse:
    """Answer 500 without details; the server logs the error with its traceback."""
    del error
    return error_response(500, "internal", "something went wrong on the server; its log says what")
