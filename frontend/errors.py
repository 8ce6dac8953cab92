"""Errors of calls to the API.

ApiError          the API refused a call, or could not be asked
├─ SignedOutError the API needs a token, or no longer accepts this one (401)
├─ MissingError   what was asked for does not exist (404)
├─ EditedMeanwhileError  somebody else has edited it (409)
└─ ApiAwayError   the API cannot be reached, or cannot answer now (502, 503, 504)
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class FieldProblem(NamedTuple):
    """One problem with the data that was sent."""

    path: str
    """Path of the field, such as `arms[0].loss.margin`."""
    message: str


class ApiError(Exception):
    """The API refused a call, or could not be asked."""

    def __init__(
        self, code: str, message: str, fields: Sequence[FieldProblem] = (), *, status: int = 0
    ) -> None:
        super().__init__(message)
        self.code = code
        """The API's name of the error, such as `invalid_spec`."""
        self.message = message
        """What happened and what to do, as a text for people."""
        self.fields = tuple(fields)
        """All problems with the data that was sent."""
        self.status = status
        """The HTTP status of the answer; 0 if there was no answer."""


class SignedOutError(ApiError):
    """The API needs a token, or does not accept the one it got."""


class MissingError(ApiError):
    """What was asked for does not exist."""


class EditedMeanwhileError(ApiError):
    """Somebody else has edited a comparison since the version that the change names."""

    def __init__(self, error: ApiError, current: Mapping[str, Any]) -> None:
        super().__init__(error.code, error.message, error.fields, status=error.status)
        self.current = current
        """Its name, notes, tags and version as they are now."""


class ApiAwayError(ApiError):
    """The API cannot be reached, or cannot answer now."""
