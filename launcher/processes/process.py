"""One running child: its start, its log lines, its end."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from launcher.console import Say
from launcher.processes.plan import ROOT, Process

CHILD = Path(__file__).with_name("child.py")


class Running:
    """A started process; in a session of its own, so that a Ctrl-C reaches the launcher only."""

    def __init__(
        self, spec: Process, handle: asyncio.subprocess.Process, log: int, lifeline: int, say: Say
    ) -> None:
        self.spec = spec
        self.started = time.monotonic()
        self._handle = handle
        self._lifeline = lifeline
        self._relaying = asyncio.create_task(
            _relay(log, spec.name, say), name=f"log of {spec.name}"
        )

    @classmethod
    async def start(cls, spec: Process, say: Say) -> "Running":
        """Start the command, guarded by child.py; call from the main thread only."""
        lifeline, our_lifeline = os.pipe()
        # A pipe of our own for the log: asyncio takes a process for living while anybody, such as
        # a grandchild, holds a pipe that it opened itself.
        our_log, log = os.pipe()
        try:
            handle = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(CHILD), str(os.getpid()), str(lifeline)),
                *spec.command,
                env=dict(spec.environment),
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lifeline,),
                start_new_session=True,
            )
        except BaseException:
            os.close(our_lifeline)
            os.close(our_log)
            raise
        finally:
            os.close(lifeline)
            os.close(log)
        return cls(spec, handle, our_log, our_lifeline, say)

    @property
    def pid(self) -> int:
        """Of the process, which leads its group."""
        return self._handle.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._handle.returncode is not None

    @property
    def status(self) -> str:
        """How it ended, in words."""
        code = self._handle.returncode
        if code is None:
            return "running"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    async def wait(self) -> None:
        """Wait for its end, then clear away what it may have left in its group."""
        await self._handle.wait()
        self.kill()

    def terminate(self) -> None:
        """Ask it to end; its own children are its own business."""
        if not self.ended:
            self._handle.terminate()

    def kill(self) -> None:
        """End it and everything in its group, now."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing left of the group
            os.killpg(self.pid, signal.SIGKILL)

    async def drain(self) -> None:
        """Print what the process wrote last; waits briefly, as it may not have ended."""
        await asyncio.wait([self._relaying], timeout=0.2)

    async def close(self) -> None:
        """Take the last log lines of an ended process and free its pipes."""
        await self.drain()
        self._relaying.cancel()  # where a grandchild still holds the log's other end
        await asyncio.wait([self._relaying])
        os.close(self._lifeline)


async def _relay(descriptor: int, name: str, say: Say) -> None:
    """Print what comes through a pipe, line by line, under the process's name; owns the pipe."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    rest = b""
    try:
        while chunk := await reader.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                say(f"[{name}] {line.decode(errors='replace').rstrip()}")
        if rest:
            say(f"[{name}] {rest.decode(errors='replace').rstrip()}")
    finally:
        transport.close()
