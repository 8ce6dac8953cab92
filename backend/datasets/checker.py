"""Run the checks of uploads, each in a separate process and within limits."""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import ValidationError

import backend
from backend.datasets.check_report import ANSWERS, DISK_FULL_EXIT, Note, Report
from backend.datasets.repository import NO_ROOM
from backend.errors import DiskFullError, UnavailableError
from backend.http.dependencies import from_state
from contract.dataset_files import Answers

log = logging.getLogger(__name__)

MAX_CHECKS: Final = 2
"""Checks that run at once; further ones wait."""
_ROOT: Final = Path(backend.__file__).parents[1]
_LOGGED_BYTES: Final = 2000
"""The last bytes of a failed check's error output that are logged."""


@dataclass(frozen=True)
class CheckLimits:
    """What one check may use."""

    wall_s: float = 1800.0
    cpu_s: int = 3600
    """Summed over all threads of the check."""
    memory: int = 0
    """Bytes of address space; 0 means half of the machine's memory, but at least 4 GiB."""


class Checker:
    """Starts checks and ends them.

    All methods except `close_soon` must be called in the event loop's thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: CheckLimits | None = None) -> None:
        self._loop = loop
        self.limits = limits or CheckLimits()
        self._room = asyncio.Semaphore(MAX_CHECKS)
        self._running: set[Process] = set()
        self._closed = False

    async def check(self, kind: str, folder: Path, answers: Answers) -> Report:
        """Check the uploaded file in a folder, read as the answers say.

        If cancelled, no process is left.

        Raises:
            UnavailableError: the API is stopping.
            DiskFullError: the disk had no room to unpack the file.
        """
        async with self._room:
            if self._closed:
                raise UnavailableError("the API is stopping; upload it again later")
            (folder / ANSWERS).write_text(answers.model_dump_json(), encoding="utf-8")
            process = await self._start(kind, folder)
            self._running.add(process)
            ended = False
            try:
                async with asyncio.timeout(self.limits.wall_s):
                    await process.wait()
                ended = True
            except TimeoutError:
                pass
            finally:
                self._running.discard(process)
                _kill(process)
                await asyncio.shield(process.wait())
        if self._closed:
            raise UnavailableError("the API is stopping; upload it again later")
        if not ended:
            return _refused(f"could not be checked within {self.limits.wall_s:.0f} s; upload less")
        return await asyncio.to_thread(_read_report, process.returncode, folder)

    def close_soon(self) -> None:
        """Do the same as `close`, from any thread or signal handler."""
        self._loop.call_soon_threadsafe(self.close)

    def close(self) -> None:
        """End all checks, and refuse new ones."""
        self._closed = True
        for process in self._running:
            _kill(process)

    async def _start(self, kind: str, folder: Path) -> Process:
        memory = self.limits.memory or _default_memory()
        command = [sys.executable, "-P", "-m", "backend.datasets.check_process", kind, str(folder)]
        command += ["--memory", str(memory), "--cpu", str(self.limits.cpu_s)]
        with (folder / "report").open("wb") as report, (folder / "errors").open("wb") as errors:
            return await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                env=_environment(),
                stdin=PIPE,  # never written to; its end tells the process that the API is gone
                stdout=report,
                stderr=errors,
                start_new_session=True,
            )


UploadChecker = Annotated[Checker, from_state("checker")]


def _environment() -> dict[str, str]:
    """Return the environment of a check.

    It has no secrets of the product, and keeps numerical libraries from starting threads, each of
    which takes address space.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("LOSSBOARD_") and name != "REDIS_URL"
    }
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    pools = {"MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    return {**kept, **threads, **pools, "PYTHONPATH": str(_ROOT)}


def _default_memory() -> int:
    least = 4 * 2**30
    if not hasattr(os, "sysconf"):
        return least
    return max(least, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        if process.returncode is not None:
            return
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:  # on Windows
            process.kill()


def _read_report(code: int | None, folder: Path) -> Report:
    """Return the report of a process that has ended; if it failed, the uploaded file is refused.

    Raises:
        DiskFullError: the process had no room on the disk.
    """
    try:
        report = Report.model_validate_json((folder / "report").read_bytes())
    except ValidationError:
        log.warning(
            "a check ended with %s: %s",
            code,
            (folder / "errors").read_bytes()[-_LOGGED_BYTES:].decode(errors="replace"),
        )
    else:
        if code == 0:
            return report
    if code == DISK_FULL_EXIT:
        raise DiskFullError(NO_ROOM)
    if code == -getattr(signal, "SIGXCPU", 0):
        return _refused("takes too long to check; upload less")
    return _refused(
        f"ended the process that was to check it ({_ending(code)}); the API's log says more. The "
        "file may be damaged or larger than it seems: save it again, or upload less"
    )


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def _refused(message: str) -> Report:
    return Report(problems=[Note(where="", message=message)], total=1)
