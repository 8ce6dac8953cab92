"""Say in one line why the process does not start, where the framework would send a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import SettingsError

PROBLEM: Final = "start_problem"
"""Key of an app's state: the line."""


@contextmanager
def noting_start_problem(app: FastAPI) -> Iterator[None]:
    """While inside, leave the text of a SettingsError in the app's state."""
    try:
        yield
    except SettingsError as error:
        setattr(app.state, PROBLEM, str(error))
        raise


class StartProblem:
    """ASGI middleware: the message of a failed start is that text; the server logs it and ends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass all on."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_line(message: Message) -> None:
            problem = getattr(scope["app"].state, PROBLEM, None)
            if problem and message["type"] == "lifespan.startup.failed":
                message = {**message, "message": problem}
            await send(message)

        await self._app(scope, receive, send_line)
