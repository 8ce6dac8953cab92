"""Converts SVGs one at a time, each in a process that ends with it."""

import asyncio
import json
import logging
import os
import sys
from asyncio.subprocess import PIPE
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import frontend

logger = logging.getLogger(__name__)

Kind = Literal["pdf", "png"]
MAX_AT_ONCE: Final = 2
"""Conversions that run at once; further ones wait."""
MAX_WAITING: Final = 16
TIME_LIMIT_S: Final = 20.0
REFUSED: Final = 3
"""The exit code of a process that cannot convert what it was given."""
_ROOT: Final = Path(frontend.__file__).parents[1]


class RefusedError(Exception):
    """An SVG cannot be converted; the text says why."""


class BusyError(Exception):
    """Too many pictures are waiting."""


@dataclass(frozen=True)
class Asked:
    """What is to be made of an SVG."""

    kind: Kind
    width: float
    """Of the page, in mm."""
    height: float
    """Of the page, in mm."""
    dpi: float
    """Pixels an inch of a PNG."""
    title: str


class Converter:
    """Converts SVGs, a few at once."""

    def __init__(self, *, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._time_limit_s = time_limit_s
        self._places = asyncio.Semaphore(MAX_AT_ONCE)
        self._waiting = 0

    async def convert(self, svg: bytes, asked: Asked) -> bytes:
        """Return the picture.

        Raises:
            RefusedError: it is no SVG, refers to something outside of it, or takes too much.
            BusyError: too many others wait.
        """
        if self._waiting >= MAX_WAITING:
            raise BusyError
        self._waiting += 1
        try:
            async with self._places:
                return await self._run(json.dumps(asdict(asked)).encode() + b"\n" + svg)
        finally:
            self._waiting -= 1

    async def _run(self, given: bytes) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "frontend.pictures.convert_process"),
            cwd=_ROOT,
            env=_environment(),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        try:
            async with asyncio.timeout(self._time_limit_s):
                made, said = await process.communicate(given)
        except TimeoutError:
            raise RefusedError("it takes too long to draw; save it as SVG") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == 0 and made:
            return made
        reason = said.decode(errors="replace").strip()
        if process.returncode == REFUSED:
            raise RefusedError(reason)
        logger.warning("a conversion ended with %s: %s", process.returncode, reason[-2000:])
        raise RefusedError("it takes more memory or time than a picture may; save it as SVG")


def _environment() -> dict[str, str]:
    """Return the environment of a conversion: no secret, and one thread, as each takes memory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOSSBOARD_")}
    limits = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    return {**kept, **limits, "PYTHONPATH": str(_ROOT)}
