"""The trainer as a child process of its slot, and the two pipes between them: both ends.

Slot and trainer exchange JSON lines. On the trainer's stdin come the claim, the number of the last
stored event, and the orders to cancel the run or to give it back; the trainer answers on stdout
that it is warm, that its work gets on, and that it has sent its end. `TrainerProcess` and
`SpareTrainer` are the slot's side, `SlotPipes` is the trainer's. This module imports no torch: a
slot never does.
"""

import collections
import contextlib
import ctypes
import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import IO, Any, BinaryIO, Final, Self

from worker.api.client import Claim
from worker.reporting.signs_of_life import Sign

PARENT_VARIABLE: Final = "LOSSBOARD_PARENT"
"""Environment variable with the slot's process id. By it the trainer notices that the slot ended
before the trainer could ask the kernel to watch it."""
GIVEN_BACK: Final = 75
"""Exit code of a trainer that gave its run back at a checkpoint, as its slot asked."""
TERM_GRACE_S: Final = 0.5
"""Between TERM and KILL."""
KILL_GRACE_S: Final = 10.0
"""After KILL. A process that waits for a disk ends only when that answers."""
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
PR_SET_PDEATHSIG: Final = 1
"""From <linux/prctl.h>."""

log = logging.getLogger(__name__)


class TrainerProcess:
    """One trainer, warming up or training, which leads its own session.

    Start it from a thread that lives as long as the slot: Linux kills the trainer when the thread
    that started it ends.

    Attributes:
        warm: set once the trainer has imported everything and has warmed up.
        finished: set once the trainer has sent the end of its run and only waits until it is
            stored.
        signs: how many signs of life have come.
        last_sign: the last one.
        log_context: the run and attempt that its log lines belong to, as `logging`'s `extra`.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
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
    def pid(self) -> int:
        """Id of the process, which leads its process group."""
        return self._popen.pid

    @property
    def is_warm(self) -> bool:
        """Whether it has imported everything and has warmed up."""
        return self.warm.is_set()

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative if a signal killed it."""
        return self._popen.poll()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send the trainer one message; nothing happens if it has ended, see `exit_code`.

        A short message is dropped where the trainer has read none for so long that the pipe is
        full: a slot must never wait for a trainer that is stopped.
        """
        line = json.dumps(message).encode() + b"\n"
        stdin = _pipe(self._popen.stdin)
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
            self._popen.wait(seconds)
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
                    text = "trainer %d does not end: it waits for a disk or device; left behind"
                    log.error(text, self.pid, extra=self.log_context)
        for reader in self._readers:
            reader.join(timeout=1)
        with contextlib.suppress(BrokenPipeError):  # a message may still be buffered
            _pipe(self._popen.stdin).close()

    def describe_end(self) -> str:
        """Return how an ended trainer ended, with the last lines of its stderr."""
        self.stop()  # waits for the last lines
        code = self._popen.returncode
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        said = "\n".join(self._stderr)
        return f"the trainer ended without a result ({how})" + (f":\n{said}" if said else "")

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has just exited
            os.killpg(self.pid, number)

    def _read_stdout(self) -> None:
        with _pipe(self._popen.stdout) as lines:
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
        with _pipe(self._popen.stderr) as lines:
            for raw in lines:
                line = raw.decode(errors="replace").rstrip()
                self._stderr.append(line)
                log.warning("trainer %d: %s", self.pid, line, extra=self.log_context)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None, "all three streams are pipes"
    return pipe


class SpareTrainer:
    """At most one idle trainer, warmed up ahead so that a run need not wait for torch's import."""

    def __init__(self, start: Callable[[], TrainerProcess]) -> None:
        self._start = start
        self._idle: TrainerProcess | None = None

    def prepare(self) -> None:
        """Start a trainer unless one is idle; call it from the slot's main thread only."""
        if self._idle is None or self._idle.exit_code is not None:
            self.close()
            self._idle = self._start()

    def take(self) -> TrainerProcess:
        """Hand over the idle trainer. It may still be warming up; it reads its messages after."""
        self.prepare()
        taken, self._idle = self._idle, None
        assert taken is not None, "prepare() leaves one"
        return taken

    def close(self) -> None:
        """End the idle trainer."""
        if self._idle:
            self._idle.stop()
            self._idle = None


class SlotPipes:
    """The trainer's side of the pipes to its slot.

    The end of stdin means that the slot has ended; a trainer with a run then exits at once.
    """

    def __init__(self, orders: BinaryIO, answers: BinaryIO) -> None:
        self._orders = orders
        self._answers = answers
        self._cancelled = threading.Event()
        self._worker_stopping = threading.Event()

    @classmethod
    def of_this_process(cls) -> Self:
        """Take over stdin and stdout; what libraries print from now on goes to stderr."""
        answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        return cls(sys.stdin.buffer, answers)

    def send(self, **facts: object) -> None:
        """Send the slot one message."""
        self._answers.write(json.dumps(facts).encode() + b"\n")

    def send_sign(self, sign: Sign) -> None:
        """Send the slot a sign of life; exits if the slot has ended."""
        try:
            self.send(alive=sign.model_dump())
        except BrokenPipeError:
            os._exit(1)  # as `_listen`, which may notice later

    def wait_for_claim(self) -> Claim | None:
        """Return the first message, the claim; None if the slot has ended."""
        line = self._orders.readline()
        return Claim.model_validate_json(line) if line else None

    def listen(self, on_stored: Callable[[int], None], on_end_soon: Callable[[], None]) -> None:
        """Handle all further messages, in a thread.

        Args:
            on_stored: called with the number of the last event that the backend has stored.
            on_end_soon: called when the run is to be cancelled or given back.
        """
        threading.Thread(
            target=self._listen, args=(on_stored, on_end_soon), name="control", daemon=True
        ).start()

    def cancelled(self) -> bool:
        """Return whether the run is to stop before its end."""
        return self._cancelled.is_set()

    def worker_stopping(self) -> bool:
        """Return whether the run is to be given back at a checkpoint."""
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
        os._exit(1)  # without its slot the run may be given to another one at any moment


def die_with_parent() -> None:
    """Make this process end when its slot ends, for any reason.

    On Linux the kernel does it; elsewhere the end of stdin does. Exits at once if the slot has
    ended already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is not None and int(parent) != os.getppid():
        sys.exit(1)
