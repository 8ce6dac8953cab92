"""A blob's body, written to disk and hashed as it arrives."""

import asyncio
import shutil
from typing import Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect

from backend.datasets.repository import FULL
from backend.datasets.upload import RESERVE
from backend.errors import DiskFullError, HttpError
from backend.http.multipart import read_chunks
from backend.storage.blobs import Blobs

NO_ROOM: Final = "the API's disk has no room for it; delete comparisons, or give it more"
CHUNK: Final = 1 << 20
"""Bytes that are written at once."""


async def take(request: Request, blobs: Blobs, digest: str) -> None:
    """Keep the body if its content has that digest; else nothing is left of it.

    Raises:
        RequestValidationError: the content has another.
        DiskFullError: there is no room.
        TimedOutError: nothing arrives any more.
        HttpError: the sender went.
    """
    try:
        announced = request.headers.get("content-length", "0")
        if shutil.disk_usage(blobs.root).free < int(announced) + RESERVE:
            raise DiskFullError(NO_ROOM)
        with blobs.incoming() as incoming:
            waiting = bytearray()
            async for chunk in read_chunks(request):
                waiting += chunk
                if len(waiting) >= CHUNK:
                    await asyncio.to_thread(incoming.write, bytes(waiting))
                    waiting.clear()
            incoming.write(bytes(waiting))
            if incoming.digest != digest:
                raise _other(digest, incoming.digest, incoming.size)
            await asyncio.to_thread(blobs.keep, incoming)
    except OSError as error:
        if error.errno in FULL:
            raise DiskFullError(NO_ROOM) from error
        raise
    except ClientDisconnect as error:
        raise HttpError("the client went") from error  # told to nobody


def _other(asked: str, seen: str, size: int) -> RequestValidationError:
    message = f"the {size} bytes that came have the SHA-256 {seen}; send them again"
    where = ("path", "digest")
    return RequestValidationError(
        [{"type": "value_error", "loc": where, "msg": message, "input": asked}]
    )
