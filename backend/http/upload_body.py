"""An upload's body, written to disk as it arrives.

The framework's own reader would collect the whole file in the system's folder for temporary files,
which may be small or in memory, before anybody can look at it.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from backend.errors import TimedOutError
from backend.http.multipart import Form, FormReader, invalid

IDLE_S: Final = 60.0
"""A sender who says nothing for so long is gone."""

T = TypeVar("T")


async def receive(request: Request, target: Path) -> Form:
    """Read the form; the content of its file goes to `target`.

    Raises:
        RequestValidationError: it is no such form, or was cut off.
        TimedOutError: nothing arrives any more.
        ClientDisconnect: the sender has gone.
        OSError: the file cannot be written.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise invalid("", "must be multipart/form-data with a boundary")
    with target.open("wb") as file:
        try:
            reader = FormReader(boundary, file)
            async for chunk in unless_idle(request):
                if reader.feed(chunk):
                    await asyncio.to_thread(reader.write)
        except FormParserError as error:
            raise invalid("", f"is no multipart form that can be read: {error}") from error
        if not reader.ended:
            raise invalid("", "the form was cut off: its closing boundary is missing")
        await asyncio.to_thread(_settle, file)
    return reader.form


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do something for a client whose body has been read; cancel it when the client goes.

    Raises:
        ClientDisconnect: the client went first.
    """
    task, gone = asyncio.create_task(work), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientDisconnect
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def unless_idle(request: Request) -> AsyncIterator[bytes]:
    """The body as it arrives.

    Raises:
        TimedOutError: nothing arrives any more.
        ClientDisconnect: the sender has gone.
    """
    chunks = request.stream()
    while True:
        try:
            async with asyncio.timeout(IDLE_S):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise TimedOutError(f"nothing arrived for {IDLE_S:.0f} s; send it again") from None
        if chunk is None:
            return
        yield chunk


def _settle(file: BinaryIO) -> None:
    """On disk, not only on its way there: the row that will name this file is durable too."""
    file.flush()
    os.fsync(file.fileno())
