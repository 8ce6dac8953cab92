"""JSON bodies: read beside the event loop, and refused where two readers could differ on them.

A key that is given twice, NaN and Infinity are told with their path.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute

from backend.errors import InvalidJsonError
from backend.http.body_limits import LIMIT_KEY, SMALL, Limit
from contract.comparison.problems import Problem

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
SHORT: Final = 20_000
"""Bytes that are read at once; reading more takes as long as other callers should not wait."""


class JsonRoute(APIRoute):
    """A route whose JSON body is read by this module."""

    def get_route_handler(self) -> Handler:
        """Return the handler, which gets a request that reads JSON in our way."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(_JsonRequest(request.scope, request.receive))

        return handle if self.body_field else handler


class _JsonRequest(Request):
    async def json(self) -> Any:
        """Return the body's value.

        Raises:
            InvalidJsonError: it is no JSON, or too much of it.
        """
        body = await self.body()
        limit: Limit = self.scope.get(LIMIT_KEY, SMALL)
        if len(body) <= SHORT:
            return read_json(body, limit.entries)
        return await asyncio.to_thread(read_json, body, limit.entries)


class _Repeating(dict[str, Any]):
    """An object in which keys were given more than once; it has the last value of each."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs)
        self.repeated = {name: count for name, count in counts.items() if count > 1}


class _NotFinite(str):
    """The word NaN, Infinity or -Infinity where a value should stand."""


def read_json(body: bytes, max_entries: int | None = None) -> Any:
    """Return the value of a JSON text.

    Args:
        body: the text, in UTF-8.
        max_entries: of one object or list; None for any number.

    Raises:
        InvalidJsonError: it is no JSON, has a key twice or NaN, or has too many entries.
    """
    odd = False

    def to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal odd
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        odd = True
        return _Repeating(pairs)

    def to_constant(word: str) -> _NotFinite:
        nonlocal odd
        odd = True
        return _NotFinite(word)

    try:
        value = json.loads(body, object_pairs_hook=to_object, parse_constant=to_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InvalidJsonError(f"the body is not valid JSON: {error.msg} at {place}") from None
    except UnicodeDecodeError:
        raise InvalidJsonError("the body is not UTF-8; send JSON in UTF-8") from None
    except RecursionError:
        raise InvalidJsonError("the body is nested too deeply to be read") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise InvalidJsonError(f"the body has a value that cannot be read: {error}") from None
    if odd or max_entries is not None:
        problems = list(_problems(value, max_entries))
        if problems:
            raise InvalidJsonError("the JSON body has values that are not accepted", problems)
    return value


def _problems(value: Any, max_entries: int | None) -> Iterator[Problem]:
    """Yield what is wrong inside a value, in its order."""
    left = [("", value)]
    while left:
        path, one = left.pop()
        inner: list[tuple[str, Any]] = []
        if isinstance(one, _NotFinite):
            yield Problem(path, f"{one} is not a number; give a finite one, or null")
        elif isinstance(one, dict):
            if isinstance(one, _Repeating):
                for name, times in one.repeated.items():
                    message = f"the key is given {times} times; give it once"
                    yield Problem(_joined(path, name), message)
            inner = [(_joined(path, name), item) for name, item in one.items() if _has_more(item)]
        elif isinstance(one, list):
            inner = [(f"{path}[{at}]", item) for at, item in enumerate(one) if _has_more(item)]
        if max_entries is not None and isinstance(one, dict | list) and len(one) > max_entries:
            yield Problem(path, f"has {len(one):,} entries; at most {max_entries:,} are taken")
        else:
            left += reversed(inner)


def _has_more(value: Any) -> bool:
    return isinstance(value, dict | list | _NotFinite)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
