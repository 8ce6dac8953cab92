"""Send a file that is written first, so that its length is known and no transaction stays open
while a slow client reads."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from fastapi.responses import StreamingResponse

from backend.errors import DiskFullError
from backend.export.files import content_disposition

CHUNK: Final = 1 << 18
"""Bytes sent at a time."""
NO_ROOM: Final = "there is no room to write the file before it is sent"


def send_written(
    folder: Path, name: str, media_type: str, write: Callable[[IO[bytes]], None]
) -> StreamingResponse:
    """Write a file, then answer with it.

    Args:
        folder: on whose disk it is written; it is deleted when it is sent.
        name: under which it is downloaded.
        media_type: of its content.
        write: writes its content.

    Raises:
        DiskFullError: the disk has no room.
    """
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed when sent
    try:
        write(file)
        size = file.seek(0, os.SEEK_END)
    except OSError as error:
        file.close()
        if error.errno == errno.ENOSPC:
            raise DiskFullError(NO_ROOM) from error
        raise
    except BaseException:
        file.close()
        raise
    headers = {"Content-Disposition": content_disposition(name), "Content-Length": str(size)}
    return StreamingResponse(_content(file), headers=headers, media_type=media_type)


def _content(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk
