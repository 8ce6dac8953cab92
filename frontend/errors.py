"""What can go wrong between the pages and the API.

ApiError          the API refused, and says why
├─ SignedOutError the API needs a token, or knows this one no more (401)
├─ MissingError   what was asked for does not exist (404)
└─ ApiAwayError   the API cannot be reached, or cannot serve now (502, 503, 504)
"""

from collections.abc import Sequence
from typing import NamedTuple


class FieldProblem(NamedTuple):
    """One thing wrong with what was sent."""

    path: str
    """Where, as `arms[0].loss.margin`."""
    message: str


class ApiError(Exception):
    """The API refused a call, or could not be asked."""

    def __init__(
        self, code: str, message: str, fields: Sequence[FieldProblem] = (), *, status: int = 0
    ) -> None:
        super().__init__(message)
        self.code = code
        """The API's own word for it, e.g. `invalid_spec`."""
        self.message = message
        """For people: what happened and what to do."""
        self.fields = tuple(fields)
        """Every problem of what was sent, each with its path."""
        self.status = status
        """The answer's HTTP status; 0 where there was no answer."""


class SignedOutError(ApiError):
    """The API needs a token, or does not know the one that it was shown."""


class MissingError(ApiError):
    """What was asked for does not exist."""


class ApiAwayError(ApiError):
    """The API cannot be reached, or cannot serve now."""
