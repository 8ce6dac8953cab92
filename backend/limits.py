"""Refuses request bodies that are larger than any sensible one."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import TooLargeError, answer

MAX_BODY: Final = 2_000_000
_MESSAGE: Final = f"the body is larger than {MAX_BODY} bytes"


class BodyLimit:
    """ASGI middleware: 413 by the announced length, or as soon as more has arrived."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > MAX_BODY:
            refusal = answer(TooLargeError.status, TooLargeError.code, _MESSAGE)
            await refusal(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY:
                raise HTTPException(TooLargeError.status, _MESSAGE)
            return message

        await self._app(scope, counted, send)
