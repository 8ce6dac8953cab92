"""Reads that many clients request at once: all who wait for the same answer get the same one.

When a whole team has a page open, each of them requests its numbers. Here only one answer per
address is computed at a time. Requests that arrive meanwhile wait for the next answer and share it,
so none gets an answer that was computed before it asked.
"""

import asyncio
from collections.abc import Callable, Coroutine
from copy import copy
from typing import Any

from fastapi import Request, Response

from backend.http.json_body import JsonRoute

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
NextAnswer = asyncio.Future[Response | Exception | None]
"""The result that all waiting requests share."""


class SharedRoute(JsonRoute):
    """A route whose GETs are shared; for answers that are the same for all who may ask."""

    def get_route_handler(self) -> Handler:
        """Return the handler; for GETs one that shares its answers."""
        handler = super().get_route_handler()
        return SharedHandler(handler) if self.methods == {"GET"} else handler


class SharedHandler:
    """A handler whose waiting calls share one answer."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._waiting: dict[tuple[str, bytes], _Waiting] = {}

    async def __call__(self, request: Request) -> Response:
        """Answer with a result computed after this request arrived, never before."""
        address = (request.scope["path"], request.scope["query_string"])
        waiting = self._waiting.setdefault(address, _Waiting())
        while (following := waiting.following) is not None:
            shared = await asyncio.shield(following)
            if isinstance(shared, Response):
                return _copy_of(shared)
            if shared is not None:
                raise shared
        mine: NextAnswer = asyncio.get_running_loop().create_future()
        waiting.following = mine
        # None if this request is cancelled: it has no answer then, and the others try again.
        result: Response | Exception | None = None
        try:
            async with waiting.turn:
                # A request that arrives from now on needs an answer that starts later.
                waiting.following = None
                result = await self._handler(request)
                return result
        except Exception as error:
            result = error
            raise
        finally:
            if waiting.following is mine:
                waiting.following = None
            mine.set_result(result)
            idle = not waiting.turn.locked() and waiting.following is None
            if idle and self._waiting.get(address) is waiting:
                del self._waiting[address]


class _Waiting:
    """The requests for one address."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        """Held while an answer is computed."""
        self.following: NextAnswer | None = None
        """The answer that comes next; the request that created it takes the next turn."""


def _copy_of(response: Response) -> Response:
    """Copy an answer for another request, whose middleware may add its own headers."""
    copied = copy(response)
    copied.__dict__.pop("_headers", None)  # a view of the original's headers
    copied.raw_headers = list(response.raw_headers)
    return copied
