"""Uploads: a multipart form with one file, parsed and written to disk as it arrives.

The framework's own reader would first collect the whole file in the system's folder for temporary
files, which may be small or in memory, before a handler can look at it.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from backend.errors import TimedOutError

T = TypeVar("T")
FILE_FIELD: Final = "file"
MAX_PARTS: Final = 10
MAX_FIELD_BYTES: Final = 65_536
"""Bytes of a field that is not a file."""
IDLE_LIMIT_S: Final = 60.0
"""A sender that sends nothing for this long counts as gone."""


@dataclass
class Form:
    """The form that was received."""

    fields: dict[str, str] = field(default_factory=dict)
    has_file: bool = False
    size: int = 0
    """Bytes of the file."""
    sha256: str = ""
    """Of the file, as hex digits."""


async def receive_form(request: Request, target: Path) -> Form:
    """Read the form, and write the content of its file to `target`.

    Raises:
        RequestValidationError: it is not such a form, or was cut off.
        TimedOutError: nothing has arrived for too long.
        ClientDisconnect: the client has disconnected.
        OSError: the file cannot be written.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise invalid_field("", "must be multipart/form-data with a boundary")
    with target.open("wb") as file:
        try:
            reader = FormReader(boundary, file)
            async for chunk in read_chunks(request):
                if reader.feed(chunk):
                    await asyncio.to_thread(reader.write)
        except FormParserError as error:
            raise invalid_field("", f"is not a multipart form that can be read: {error}") from error
        if not reader.ended:
            raise invalid_field("", "the form was cut off: its closing boundary is missing")
        await asyncio.to_thread(_sync, file)
    return reader.form


async def read_chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the body as it arrives.

    Raises:
        TimedOutError: nothing has arrived for too long.
        ClientDisconnect: the client has disconnected.
    """
    chunks = request.stream()
    while True:
        try:
            async with asyncio.timeout(IDLE_LIMIT_S):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise TimedOutError(
                f"nothing arrived for {IDLE_LIMIT_S:.0f} s; send it again",
                headers={"Connection": "close"},  # the rest is not the next request
            ) from None
        if chunk is None:
            return
        yield chunk


async def run_while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine for a client whose body has been read; cancel it if the client disconnects.

    Raises:
        ClientDisconnect: the client disconnected before the end.
    """
    task, gone = asyncio.create_task(work), asyncio.create_task(_wait_for_disconnect(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientDisconnect
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


def invalid_field(path: str, message: str) -> RequestValidationError:
    """Build the error for one field of the form; an empty path means the whole form."""
    where = ("body", path) if path else ("body",)
    return RequestValidationError([{"type": "value_error", "loc": where, "msg": message}])


class FormReader:
    """Parser that is fed with chunks of the body; the file's bytes wait until `write` is called.

    Parsing belongs in the event loop and writing in a thread, so they are two calls.
    """

    def __init__(self, boundary: bytes, file: BinaryIO) -> None:
        self.form = Form()
        self.ended = False
        """Whether the closing boundary has arrived."""
        self._file = file
        self._digest = hashlib.sha256()
        self._pending: list[bytes] = []
        self._parts = 0
        self._header = b""
        self._value = b""
        self._disposition = b""
        self._name = ""
        self._text = bytearray()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._part_data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> bool:
        """Parse a chunk; return whether there is something to write.

        Raises:
            FormParserError: it is not a multipart form.
            RequestValidationError: it is a form that the API does not accept.
        """
        self._parser.write(chunk)
        return bool(self._pending)

    def write(self) -> None:
        """Write and hash what has arrived of the file.

        Raises:
            OSError: it cannot be written.
        """
        for block in self._pending:
            self._file.write(block)
            self._digest.update(block)
            self.form.size += len(block)
        self._pending.clear()
        self.form.sha256 = self._digest.hexdigest()

    def _part_begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise invalid_field("", f"has more than {MAX_PARTS} fields")
        self._disposition = b""
        self._text = bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _headers_finished(self) -> None:
        options = parse_options_header(self._disposition)[1]
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._name == FILE_FIELD:
            if self.form.has_file:
                raise invalid_field(FILE_FIELD, "came twice; send one file")
            self.form.has_file = True

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._name == FILE_FIELD:
            self._pending.append(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > MAX_FIELD_BYTES:
            raise invalid_field(self._name, f"is longer than {MAX_FIELD_BYTES} bytes")

    def _part_end(self) -> None:
        if self._name != FILE_FIELD:
            self.form.fields[self._name] = self._text.decode("utf-8", "replace")

    def _end(self) -> None:
        self.ended = True


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _sync(file: BinaryIO) -> None:
    """Force the file to disk: the row that will name this file is durable too."""
    file.flush()
    os.fsync(file.fileno())
