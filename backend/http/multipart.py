"""The parts of a multipart form with one file, told apart as they arrive."""

import hashlib
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from fastapi.exceptions import RequestValidationError
from python_multipart import MultipartParser
from python_multipart.multipart import parse_options_header

FILE: Final = "file"
MOST_PARTS: Final = 10
MOST_TEXT: Final = 4096
"""Bytes of a field that is no file."""


@dataclass
class Form:
    """What was received."""

    fields: dict[str, str] = field(default_factory=dict)
    has_file: bool = False
    size: int = 0
    """Bytes of the file."""
    sha256: str = ""
    """Of the file, as hex digits."""


def invalid(path: str, message: str) -> RequestValidationError:
    """The error for one field of the form; an empty path stands for the whole."""
    where = ("body", path) if path else ("body",)
    return RequestValidationError([{"type": "value_error", "loc": where, "msg": message}])


class FormReader:
    """Fed with chunks of the body; the file's bytes wait until `write` is called.

    Parsing belongs into the event loop and writing into a thread, so they are two calls.
    """

    def __init__(self, boundary: bytes, file: BinaryIO) -> None:
        self.form = Form()
        self.ended = False
        """Whether the closing boundary has come."""
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
        """Parse a chunk; whether there is something to write.

        Raises:
            FormParserError: it is no multipart form.
            RequestValidationError: it is none of ours.
        """
        self._parser.write(chunk)
        return bool(self._pending)

    def write(self) -> None:
        """Write and hash what has come of the file.

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
        if self._parts > MOST_PARTS:
            raise invalid("", f"has more than {MOST_PARTS} fields")
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
        if self._name == FILE:
            if self.form.has_file:
                raise invalid(FILE, "came twice; send one file")
            self.form.has_file = True

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._name == FILE:
            self._pending.append(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > MOST_TEXT:
            raise invalid(self._name, f"is longer than {MOST_TEXT} bytes")

    def _part_end(self) -> None:
        if self._name != FILE:
            self.form.fields[self._name] = self._text.decode("utf-8", "replace")

    def _end(self) -> None:
        self.ended = True
