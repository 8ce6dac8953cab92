"""One running child process: start, log lines and end."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from launcher.console import PrintLine
from launcher.processes.plan import ROOT, ProcessSpec

CHILD = Path(__file__).with_name("child.py")


class RunningProcess:
    """A started process. It has its own session, so that a Ctrl-C reaches only the launcher."""

    def __init__(
        self,
        spec: ProcessSpec,
        handle: asyncio.subprocess.Process,
        log: int,
        lifeline: int,
        print_line: PrintLine,
    ) -> None:
        self.spec = spec
        self.started = time.monotonic()
        self._handle = handle
        self._lifeline = lifeline
        self._relaying = asyncio.create_task(
            _relay_log(log, spec, print_line), name=f"log of {spec.name}"
        )

    @classmethod
    async def start(cls, spec: ProcessSpec, print_line: PrintLine) -> "RunningProcess":
        """Start the command through child.py; call this from the main thread only."""
        # child.py ends the command when this pipe closes: only the launcher holds its other end.
        lifeline, our_lifeline = os.pipe()
        # The log's pipe is opened here, not by asyncio: asyncio takes a process for running while
        # any other process, such as a grandchild, holds a pipe that asyncio opened.
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
        return cls(spec, handle, our_log, our_lifeline, print_line)

    @property
    def pid(self) -> int:
        """Id of the process, and of its process group, which it leads."""
        return self._handle.pid

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._handle.returncode is not None

    @property
    def status(self) -> str:
        """How the process ended, in words."""
        code = self._handle.returncode
        if code is None:
            return "running"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    async def wait(self) -> None:
        """Wait for the end of the process, then kill what it may have left in its group."""
        await self._handle.wait()
        self.kill()

    def terminate(self) -> None:
        """Ask the process to end; it ends its own children itself."""
        if not self.ended:
            self._handle.terminate()

    def kill(self) -> None:
        """Kill the process and everything in its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the group is empty
            os.killpg(self.pid, signal.SIGKILL)

    async def drain(self) -> None:
        """Print the last log lines; waits briefly, as the process may not have ended."""
        await asyncio.wait([self._relaying], timeout=0.2)

    async def close(self) -> None:
        """Print the last log lines of an ended process and close its pipes."""
        await self.drain()
        self._relaying.cancel()  # needed when a grandchild still holds the log's other end
        await asyncio.wait([self._relaying])
        os.close(self._lifeline)


async def _relay_log(descriptor: int, spec: ProcessSpec, print_line: PrintLine) -> None:
    """Print what comes through a pipe line by line, with the process's name; closes the pipe."""

    def relay(line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        if not any(hidden in text for hidden in spec.hidden):
            print_line(f"[{spec.name}] {text}")

    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    rest = b""
    try:
        while chunk := await reader.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                relay(line)
        if rest:
            relay(rest)
    finally:
        transport.close()
