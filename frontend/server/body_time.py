"""The time that a request's body may take: in all, or from piece to piece for an upload."""

import asyncio
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from frontend.server.proxy import PREFIX

BODY_LIMIT_S: Final = 60.0
UPLOADS: Final = ("POST", f"{PREFIX}/datasets")
"""Its body may take hours as long as it moves."""
STREAMLIT_UPLOADS: Final = "/_stcore/upload_file/"
"""Streamlit reads these itself, from signed-in visitors."""


class BodyTimeout:
    """ASGI middleware: ends a request with 408 if its body does not come in time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body timed, until it is complete or answered."""
        if scope["type"] != "http" or scope["path"].startswith(STREAMLIT_UPLOADS):
            await self._app(scope, receive, send)
            return
        is_upload = (scope["method"], scope["path"]) == UPLOADS
        clock = asyncio.get_running_loop().time
        ends = clock() + BODY_LIMIT_S
        over = False

        async def receive_in_time() -> Message:
            nonlocal ends, over
            if over:  # what comes now is that the visitor has left, which may take its time
                return await receive()
            try:
                async with asyncio.timeout_at(ends):
                    received = await receive()
            except TimeoutError:
                raise _timed_out() from None
            over = over or not received.get("more_body", False)
            if is_upload:
                ends = clock() + BODY_LIMIT_S
            return received

        async def send_and_note(message: Message) -> None:
            nonlocal over
            over = True
            await send(message)

        await self._app(scope, receive_in_time, send_and_note)


def _timed_out() -> HTTPException:
    return HTTPException(
        408,
        f"The body was not complete after {BODY_LIMIT_S:g} s; send it again.",
        headers={"Connection": "close"},  # else the rest would be read as the next request
    )
