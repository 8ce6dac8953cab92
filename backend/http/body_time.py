"""The time that a request's body may take to arrive.

A caller that sends a byte now and then would keep a connection and a task for as long as it likes.
Uploads have a limit of their own: they may take hours as long as they move
(`backend.http.multipart.read_chunks`).
"""

import asyncio
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import TimedOutError
from backend.http.body_limits import is_upload

BODY_LIMIT_S: Final = 60.0
"""Seconds for a whole body of at most 2 MB, from when it is asked for."""


class BodyTimeout:
    """ASGI middleware: answers 408 to a body that is not complete in time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body timed."""
        if scope["type"] != "http" or is_upload(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        ends: float | None = None
        whole = False

        async def receive_in_time() -> Message:
            nonlocal ends, whole
            if whole:  # what comes now is that the caller has left, which may take its time
                return await receive()
            ends = ends or asyncio.get_running_loop().time() + BODY_LIMIT_S
            try:
                async with asyncio.timeout_at(ends):
                    received = await receive()
            except TimeoutError:
                raise _timed_out() from None
            whole = not received.get("more_body", False)
            return received

        await self._app(scope, receive_in_time, send)


def _timed_out() -> HTTPException:
    return HTTPException(
        TimedOutError.status,
        f"the body was not complete after {BODY_LIMIT_S:g} s; send it again",
        headers={"Connection": "close"},  # else the rest would be read as the next request
    )
