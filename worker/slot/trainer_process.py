"""The trainer as a child process of its slot, and the slot's side of the two pipes between them.

Slot and trainer exchange JSON lines. On the trainer's stdin come the claims of the runs that it
trains, the numbers of their last stored events, and the orders to cancel a run, to give one up that
is no longer its, or to give all back; the trainer answers on stdout that it is warm, that its work
gets on, and that it has sent all ends. The trainer's side is in
`worker.slot.pipes`. This module imports no torch: a slot never does.
"""

import collections
import contextlib
import fcntl
import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import IO, Any, Final, Protocol, Self

from worker.processes.parent import PARENT_VARIABLE
from worker.reporting.signs_of_life import Sign

TERM_GRACE_S: Final = 0.5
"""Between TERM and KILL."""
KILL_GRACE_S: Final = 10.0
"""After KILL. A process that waits for a disk ends only when that answers."""
PIPE_BYTES: Final = 2**20
"""Size of a trainer's stdin where the system lets us choose: the claims of all its runs fit, so
that the slot need not wait until it is warm."""
STDERR_LINES: Final = 20
"""Last lines of a trainer's stderr that are kept for the reason of a lost attempt."""
ALLOCATOR: Final = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**26),
}
"""Settings of glibc's allocator. By default it returns the memory of each step's activations to the
system, which zeroes it again for the next step: up to a third of a step's time. With these a
trainer keeps its memory until it exits."""

log = logging.getLogger(__name__)


class Process(Protocol):
    """A child process with three pipes, as `subprocess.Popen` has it."""

    @property
    def stdin(self) -> IO[bytes] | None:
        """Takes the orders."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """Gives the answers."""

    @property
    def stderr(self) -> IO[bytes] | None:
        """Gives the log."""

    @property
    def pid(self) -> int | None:
        """Its id, which is that of its process group too; None while it is not known."""

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit and return its code.

        Raises:
            subprocess.TimeoutExpired: it still runs after so many seconds.
        """


class TrainerProcess:
    """One trainer, warming up or training, which leads its own session.

    Start it from a thread that lives as long as the slot: Linux kills the trainer when the thread
    that started it ends.

    Attributes:
        warm: set once the trainer has imported everything and has warmed up.
        finished: set once the trainer has sent the ends of its runs and only waits until they are
            stored.
        signs: how many signs of life have come.
        last_sign: the last one.
        log_context: the run and attempt that its log lines belong to, if it has only one, as
            `logging`'s `extra`.
    """

    def __init__(self, process: Process, kind: str = "trainer") -> None:
        """Args:
        process: a process that has just been started, or will be.
        kind: what log lines call it.
        """
        self._process = process
        self._kind = kind
        _enlarge(_pipe(process.stdin))
        self._stderr: collections.deque[str] = collections.deque(maxlen=STDERR_LINES)
        self.warm = threading.Event()
        self.finished = threading.Event()
        self.signs = 0
        self.last_sign: Sign | None = None
        self.log_context: dict[str, Any] = {}
        self._readers = [
            threading.Thread(target=self._read_stdout, daemon=True),
            threading.Thread(target=self._read_stderr, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @classmethod
    def start(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Start a trainer; it warms up and waits for a claim."""
        return cls(
            subprocess.Popen(
                [sys.executable, "-m", "worker.trainer"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**ALLOCATOR, **environ, PARENT_VARIABLE: str(os.getpid())},
                start_new_session=True,
            )
        )

    @property
    def pid(self) -> int | None:
        """Id of the process, which leads its process group; None while it is not known."""
        return self._process.pid

    @property
    def name(self) -> str:
        """What log lines call it."""
        return f"{self._kind} {self._process.pid or '(not started yet)'}"

    @property
    def ended_with_template(self) -> bool:
        """Whether it ended because the process that it was forked from did."""
        return False

    @property
    def is_warm(self) -> bool:
        """Whether it has imported everything and has warmed up."""
        return self.warm.is_set()

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative if a signal killed it."""
        return self._process.poll()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send the trainer one message; nothing happens if it has ended, see `exit_code`.

        A short message is dropped where the trainer has read none for so long that the pipe is
        full: a slot must never wait for a trainer that is stopped.
        """
        line = json.dumps(message).encode() + b"\n"
        stdin = _pipe(self._process.stdin)
        room = select.poll()
        room.register(stdin, select.POLLOUT)
        if len(line) <= select.PIPE_BUF and not room.poll(0):
            return
        with contextlib.suppress(BrokenPipeError):
            stdin.write(line)
            stdin.flush()

    def wait(self, seconds: float) -> bool:
        """Wait for its exit up to a number of seconds; return whether it has exited."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """End the trainer and all processes it has started, by TERM and then KILL; does nothing if
        it has exited."""
        if self.exit_code is None:
            self._signal(signal.SIGTERM)
            if not self.wait(TERM_GRACE_S):
                self._signal(signal.SIGKILL)
                if not self.wait(KILL_GRACE_S):
                    text = "%s does not end: it waits for a disk or device; left behind"
                    log.error(text, self.name, extra=self.log_context)
        for reader in self._readers:
            reader.join(timeout=1)
        with contextlib.suppress(BrokenPipeError):  # a message may still be buffered
            _pipe(self._process.stdin).close()

    def describe_end(self) -> str:
        """Return how an ended trainer ended, with the last lines of its stderr."""
        self.stop()  # waits for the last lines
        code = self.exit_code or 0
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        said = "\n".join(self._stderr)
        return f"the trainer ended without a result ({how})" + (f":\n{said}" if said else "")

    def _signal(self, number: int) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):  # it has just exited
                os.killpg(self.pid, number)

    def _read_stdout(self) -> None:
        with _pipe(self._process.stdout) as lines:
            for line in lines:
                message = json.loads(line)
                if message.get("ready"):
                    self.warm.set()
                elif message.get("ended"):
                    self.finished.set()
                elif sign := message.get("alive"):
                    self.last_sign = Sign.model_validate(sign)
                    self.signs += 1

    def _read_stderr(self) -> None:
        with _pipe(self._process.stderr) as lines:
            for raw in lines:
                line = raw.decode(errors="replace").rstrip()
                self._stderr.append(line)
                log.warning("%s: %s", self.name, line, extra=self.log_context)


def _enlarge(pipe: IO[bytes]) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(PermissionError):  # this user's pipes have too many bytes already
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None, "all three streams are pipes"
    return pipe
