"""Refuses request bodies that are larger than any sensible one."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import TooLargeError, answer
from contract.names import API_PREFIX

MAX_BODY: Final = 2_000_000
UPLOADS: Final = ("POST", f"{API_PREFIX}/datasets")
BLOBS: Final = ("PUT", f"{API_PREFIX}/internal/blobs/")
"""The start of a blob's address. These two calls' bodies may be larger: they are written to disk as
they arrive."""


class BodyLimit:
    """ASGI middleware: 413 by the announced length, or as soon as more has arrived."""

    def __init__(self, app: ASGIApp, max_upload: int) -> None:
        self._app = app
        self._max_upload = max_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        upload = (method, path) == UPLOADS
        blob = method == BLOBS[0] and path.startswith(BLOBS[1])
        most = self._max_upload if upload or blob else MAX_BODY
        message = f"the body is larger than {most} bytes"
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > most:
            refusal = answer(TooLargeError.status, TooLargeError.code, message)
            await refusal(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            received = await receive()
            read += len(received.get("body", b""))
            if read > most:
                raise HTTPException(TooLargeError.status, message)
            return received

        await self._app(scope, counted, send)
