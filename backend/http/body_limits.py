"""How much of a request's body is read, route by route."""

from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import TooLargeError, error_response
from contract.names import API_PREFIX


@dataclass(frozen=True)
class Limit:
    """What the body of one call may have."""

    size: int
    """Bytes."""
    entries: int | None = 10_000
    """Keys of one JSON object, or items of one list; None where the handler looks to that."""


SMALL: Final = Limit(300_000)
"""Of every call that is not named below; the longest notes take 240,000 bytes as JSON."""
SPEC: Final = Limit(2_000_000, entries=None)
LIMIT_KEY: Final = "lossboard.body_limit"
"""Key of a request's scope: the limit of its body."""

_SPECS: Final = (
    ("POST", f"{API_PREFIX}/comparisons"),
    ("POST", f"{API_PREFIX}/comparisons/preview"),
    # Not a spec, but as large: the schemas of all losses of a library.
    ("POST", f"{API_PREFIX}/internal/plugins"),
)
_TEMPLATES: Final = f"{API_PREFIX}/templates"
"""The start of the addresses of templates, each of which has a spec."""
_UPLOADS: Final = ("POST", f"{API_PREFIX}/datasets")
_BLOBS: Final = ("PUT", f"{API_PREFIX}/internal/blobs/")
"""The start of a blob's address."""


def limit_of(method: str, path: str, max_upload: int) -> Limit:
    """Return the limit of a call's body.

    Args:
        method: of HTTP.
        path: decoded.
        max_upload: bytes of the largest file that is taken.
    """
    if (method, path) in _SPECS or path.startswith(_TEMPLATES):
        return SPEC
    return Limit(max_upload) if is_upload(method, path) else SMALL


def is_upload(method: str, path: str) -> bool:
    """Return whether a call may have a large body, which is written to disk as it arrives."""
    is_blob = method == _BLOBS[0] and path.startswith(_BLOBS[1])
    return is_blob or (method, path) == _UPLOADS


class BodyLimit:
    """ASGI middleware: answers 413 by the announced length, or as soon as more has arrived."""

    def __init__(self, app: ASGIApp, max_upload: int) -> None:
        self._app = app
        self._max_upload = max_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = scope[LIMIT_KEY] = limit_of(scope["method"], scope["path"], self._max_upload)
        message = f"the body is larger than {limit.size} bytes, the most that this call takes"
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > limit.size:
            refusal = error_response(TooLargeError.status, TooLargeError.code, message)
            await refusal(scope, receive, send)
            return
        read = 0

        async def receive_counted() -> Message:
            nonlocal read
            received = await receive()
            read += len(received.get("body", b""))
            if read > limit.size:
                raise HTTPException(TooLargeError.status, message)
            return received

        await self._app(scope, receive_counted, send)
