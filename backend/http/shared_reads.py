"""Reads that many ask at once: whoever waits for the same answer gets the same one.

A page that a whole team has open is asked for its numbers by each of them. Here one answer per
address is worked out at a time. Who asks meanwhile waits for the next one, all of them for the
same, so none gets an answer of before they asked.
"""

import asyncio
from collections.abc import Callable, Coroutine
from copy import copy
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
NextAnswer = asyncio.Future[Response | Exception | None]
"""What all that wait get."""


class SharedRoute(APIRoute):
    """A route whose GETs are shared; for answers that are the same for everybody who may ask."""

    def get_route_handler(self) -> Handler:
        """The handler, of GETs behind a line for each address."""
        answer = super().get_route_handler()
        return SharedHandler(answer) if self.methods == {"GET"} else answer


class SharedHandler:
    """A handler whose calls are shared while they wait."""

    def __init__(self, answer: Handler) -> None:
        self._answer = answer
        self._lines: dict[tuple[str, bytes], _Waiting] = {}

    async def __call__(self, request: Request) -> Response:
        """The answer to this request or to one that came after it; never of one before."""
        address = (request.scope["path"], request.scope["query_string"])
        line = self._lines.setdefault(address, _Waiting())
        while (following := line.following) is not None:
            given = await asyncio.shield(following)
            if isinstance(given, Response):
                return _copy_of(given)
            if given is not None:
                raise given
        mine: NextAnswer = asyncio.get_running_loop().create_future()
        line.following = mine
        told: Response | Exception | None = None  # who left has no answer, and the others go on
        try:
            async with line.turn:
                line.following = None  # who comes from now on wants to know of what comes now
                told = await self._answer(request)
                return told
        except Exception as error:
            told = error
            raise
        finally:
            if line.following is mine:
                line.following = None
            mine.set_result(told)
            idle = not line.turn.locked() and line.following is None
            if idle and self._lines.get(address) is line:
                del self._lines[address]


class _Waiting:
    """Who asks one address."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        """Held while an answer is worked out."""
        self.following: NextAnswer | None = None
        """Whoever made it takes the next turn."""


def _copy_of(given: Response) -> Response:
    """The same answer for another request, whose middleware may add headers of its own."""
    made = copy(given)
    made.__dict__.pop("_headers", None)  # a view of the other's
    made.raw_headers = list(given.raw_headers)
    return made
