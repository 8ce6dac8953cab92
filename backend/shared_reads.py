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

Answer = Callable[[Request], Coroutine[Any, Any, Response]]


class SharedRoute(APIRoute):
    """A route whose GETs are shared; for answers that are the same for everybody who may ask."""

    def get_route_handler(self) -> Answer:
        """The handler, of GETs behind a line for each address."""
        answer = super().get_route_handler()
        return Shared(answer) if self.methods == {"GET"} else answer


class Shared:
    """A handler whose calls are shared while they wait."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._lines: dict[tuple[str, bytes], _Line] = {}

    async def __call__(self, request: Request) -> Response:
        """The answer to this request or to one that came after it; never of one before."""
        address = (request.scope["path"], request.scope["query_string"])
        line = self._lines.setdefault(address, _Line())
        while (following := line.following) is not None:
            given = await asyncio.shield(following)
            if given is not None:
                return _again(given)
        mine: asyncio.Future[Response | None] = asyncio.get_running_loop().create_future()
        line.following = mine
        given = None
        try:
            async with line.turn:
                line.following = None  # who comes from now on wants to know of what comes now
                given = await self._answer(request)
        finally:
            if line.following is mine:
                line.following = None
            mine.set_result(given)  # without an answer the others ask themselves
            if not line.turn.locked() and line.following is None:
                self._lines.pop(address, None)
        return given


class _Line:
    """Who asks one address."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        """Held while an answer is worked out."""
        self.following: asyncio.Future[Response | None] | None = None
        """What all that wait get; who made it takes the next turn."""


def _again(given: Response) -> Response:
    """The same answer for another request, whose middleware may add headers of its own."""
    made = copy(given)
    made.raw_headers = list(given.raw_headers)
    return made
