"""A trainer as its slot sees it: a child process that is told things and watched.

The warm spare: a trainer that has imported everything before there is anything to train.

What the slot tells its trainer on stdin, and what the trainer says back on stdout.
"""

import collections
import contextlib
import ctypes
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import IO, Any, BinaryIO, Final, Self

from worker.api.client import Claim

PARENT_VARIABLE: Final = "LOSSBOARD_PARENT"
"""Tells the trainer the slot's process id, so that it notices if the slot died before it looked."""
GIVEN_BACK: Final = 75
"""Exit code of a trainer that gave its run back at a checkpoint, as it was told to."""
TERM_GRACE_S: Final = 0.5
"""Between TERM and KILL."""
STDERR_LINES: Final = 20
ALLOCATOR: Final = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**26),
}
"""For glibc, which otherwise hands each step's activations back to the system and has them zeroed
again at the next step: up to a third of a step's time. A trainer keeps its memory to its end."""

log = logging.getLogger(__name__)


class TrainerProcess:
    """One trainer, warming up or at work, in a session of its own.

    Start it from a thread that lives as long as the slot: Linux ends the trainer when the thread
    that started it ends.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self._stderr: collections.deque[str] = collections.deque(maxlen=STDERR_LINES)
        self.warm = threading.Event()
        """Set once everything is imported."""
        self.finished = threading.Event()
        """Set once the trainer has sent its end and only waits for it to be stored."""
        self.log_context: dict[str, Any] = {}
        """The run and attempt that its lines belong to, as the log wants it."""
        self._readers = [
            threading.Thread(target=self._listen, daemon=True),
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
    def pid(self) -> int:
        """Of the process, which leads its group."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it lives; negative for a signal."""
        return self._popen.poll()

    def send(self, message: Mapping[str, Any]) -> None:
        """Tell the trainer something; nothing happens if it has died, which `exit_code` tells."""
        with contextlib.suppress(BrokenPipeError):
            stdin = _pipe(self._popen.stdin)
            stdin.write(json.dumps(message).encode() + b"\n")
            stdin.flush()

    def wait(self, seconds: float) -> bool:
        """Wait for its end; whether it has ended."""
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """End it and whatever it has started: TERM, then KILL. Does nothing to an ended one."""
        if self.exit_code is None:
            self._signal(signal.SIGTERM)
            if not self.wait(TERM_GRACE_S):
                self._signal(signal.SIGKILL)
                self._popen.wait()
        for reader in self._readers:
            reader.join(timeout=1)
        with contextlib.suppress(BrokenPipeError):  # a message may still be buffered
            _pipe(self._popen.stdin).close()

    def describe_end(self) -> str:
        """How an ended trainer ended, with what it said last."""
        self.stop()  # waits for the last lines
        code = self._popen.returncode
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        said = "\n".join(self._stderr)
        return f"the trainer ended without a result ({how})" + (f":\n{said}" if said else "")

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.killpg(self.pid, number)

    def _listen(self) -> None:
        with _pipe(self._popen.stdout) as lines:
            for line in lines:
                said = json.loads(line)
                if said.get("ready"):
                    self.warm.set()
                elif said.get("ended"):
                    self.finished.set()

    def _read_stderr(self) -> None:
        with _pipe(self._popen.stderr) as lines:
            for raw in lines:
                line = raw.decode(errors="replace").rstrip()
                self._stderr.append(line)
                log.warning("trainer %d: %s", self.pid, line, extra=self.log_context)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None, "all three streams are pipes"
    return pipe


class SpareTrainer:
    """At most one idle trainer, so that a run starts without waiting for torch's import."""

    def __init__(self, start: Callable[[], TrainerProcess]) -> None:
        self._start = start
        self._idle: TrainerProcess | None = None

    def prepare(self) -> None:
        """Start a trainer unless one is idle; call it from the slot's main thread only."""
        if self._idle is None or self._idle.exit_code is not None:
            self.close()
            self._idle = self._start()

    def take(self) -> TrainerProcess:
        """The idle trainer, now the caller's. It may still be warming up: what it is told waits."""
        self.prepare()
        taken, self._idle = self._idle, None
        assert taken is not None, "prepare() leaves one"
        return taken

    def close(self) -> None:
        """End the idle trainer."""
        if self._idle:
            self._idle.stop()
            self._idle = None


PR_SET_PDEATHSIG: Final = 1
"""From <linux/prctl.h>."""


class SlotPipes:
    """The two pipes to the slot. The end of stdin is the end of the slot, and of this process."""

    def __init__(self, orders: BinaryIO, answers: BinaryIO) -> None:
        self._orders = orders
        self._answers = answers
        self._cancelled = threading.Event()
        self._worker_stopping = threading.Event()

    @classmethod
    def of_this_process(cls) -> Self:
        """stdin and stdout; from now on what libraries print goes to stderr."""
        answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        return cls(sys.stdin.buffer, answers)

    def say(self, **facts: object) -> None:
        """Send the slot one line."""
        self._answers.write(json.dumps(facts).encode() + b"\n")

    def wait_for_claim(self) -> Claim | None:
        """The first line; None if the slot has ended."""
        line = self._orders.readline()
        return Claim.model_validate_json(line) if line else None

    def listen(self, on_stored: Callable[[int], None], on_end_soon: Callable[[], None]) -> None:
        """Pass on all further lines, in a thread."""
        threading.Thread(
            target=self._listen, args=(on_stored, on_end_soon), name="control", daemon=True
        ).start()

    def cancelled(self) -> bool:
        """Whether the run is to stop before its end."""
        return self._cancelled.is_set()

    def worker_stopping(self) -> bool:
        """Whether the run is to be given back at a checkpoint."""
        return self._worker_stopping.is_set()

    def _listen(self, on_stored: Callable[[int], None], on_end_soon: Callable[[], None]) -> None:
        for line in self._orders:
            order = json.loads(line)
            if "committed_seq" in order:
                on_stored(order["committed_seq"])
            elif order.get("cancel"):
                self._cancelled.set()
                on_end_soon()
            elif order.get("leave"):
                self._worker_stopping.set()
                on_end_soon()
        os._exit(1)  # no slot, no run: it may be given to another at any moment


def die_with_parent() -> None:
    """End this process when its slot ends, however that ends (Linux; elsewhere stdin's end does).

    Exits at once if the slot has ended already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is not None and int(parent) != os.getppid():
        sys.exit(1)
