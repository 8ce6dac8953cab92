"""Trainers that a template process forks, seen from the slot; Linux only.

The template has imported everything and has warmed up, so that a trainer starts in a hundredth of a
second. The slot sends it one message for each trainer, over a Unix socket, with the ends of four
pipes: the trainer's stdin, stdout and stderr, and a pipe on which the template reports the
trainer's process id and, once it has reaped it, its exit code. The end of that pipe without an exit
code means that the template has ended, and its trainers with it. The template's side is in
`worker.trainer.template`.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final, Self

from worker.processes.parent import PARENT_VARIABLE
from worker.slot.trainer_process import ALLOCATOR, TrainerProcess

TEMPLATE_FLAG: Final = "--template"
"""Makes `python -m worker.trainer` a template; the socket's file descriptor follows."""
FORK: Final = b"fork"
"""The message, with the descriptors of stdin, stdout, stderr and the reports."""
UNFIT: Final = 76
"""Exit code of a template that must not be forked; its stderr says why."""
ONE_THREAD: Final = {
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""Keeps OpenBLAS and Arrow from starting threads when they are loaded: a process with threads must
not be forked. A trainer sets the number of its own threads afterwards."""
END_S: Final = 1.0
"""From the end of a template's pipes to its exit, at most."""


class TemplateProcess:
    """The process that trainers are forked from.

    Start it from a thread that lives as long as the slot, as every `TrainerProcess`.
    """

    def __init__(self, process: TrainerProcess, orders: socket.socket) -> None:
        self._process = process
        self._orders = orders

    @classmethod
    def start(
        cls,
        environ: Mapping[str, str] = os.environ,
        program: Sequence[str] = ("-m", "worker.trainer"),
    ) -> Self:
        """Start it; it warms up, and orders wait meanwhile."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            popen = subprocess.Popen(
                [sys.executable, *program, TEMPLATE_FLAG, str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                env={**ALLOCATOR, **environ, **ONE_THREAD, PARENT_VARIABLE: str(os.getpid())},
                start_new_session=True,
            )
        ours.setblocking(False)
        return cls(TrainerProcess(popen, "trainer template"), ours)

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None, "it is a process of our own"
        return self._process.pid

    @property
    def is_warm(self) -> bool:
        """Whether it forks as soon as it is asked."""
        return self._process.is_warm

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative if a signal killed it."""
        return self._process.exit_code

    def fork(self) -> "ForkedTrainer":
        """Return a new trainer, which starts once the template is warm."""
        return ForkedTrainer(ForkedProcess(self), self)

    def order(self, descriptors: list[int]) -> None:
        """Order a trainer on these pipes; where the template has ended, so have the pipes."""
        with contextlib.suppress(ConnectionError, BlockingIOError):
            socket.send_fds(self._orders, [FORK], descriptors)

    def wait(self, seconds: float) -> bool:
        """Wait for its exit up to a number of seconds; return whether it has exited."""
        return self._process.wait(seconds)

    def stop(self) -> None:
        """End it and its trainers."""
        self._orders.close()
        self._process.stop()

    def describe_end(self) -> str:
        """Return how it ended, with the last lines of its stderr."""
        return self._process.describe_end()


class ForkedProcess:
    """A trainer as a process with pipes: `worker.slot.trainer_process.Process`.

    Attributes:
        stdin: takes the orders.
        stdout: gives the answers.
        stderr: gives the log.
        pid: None until the template has forked it.
        ended_with_template: whether the template ended before it reported an exit code.
    """

    def __init__(self, template: TemplateProcess) -> None:
        self.pid: int | None = None
        self.ended_with_template = False
        self._exit_code: int | None = None
        self._said = b""
        self._lock = threading.RLock()
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            stdin, to_stdin = _pipe(theirs, ours)
            from_stdout, stdout = _pipe(ours, theirs)
            from_stderr, stderr = _pipe(ours, theirs)
            from_reports, reports = _pipe(ours, theirs)
            template.order([one.fileno() for one in (stdin, stdout, stderr, reports)])
            ours.pop_all()
        self.stdin: BinaryIO = to_stdin
        self.stdout: BinaryIO = from_stdout
        self.stderr: BinaryIO = from_stderr
        self._reports = from_reports
        os.set_blocking(from_reports.fileno(), False)

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        with self._lock:
            while self._exit_code is None:
                try:
                    said = os.read(self._reports.fileno(), select.PIPE_BUF)
                except BlockingIOError:
                    return None
                if said:
                    self._take(said)
                else:  # the kernel ends a trainer with its template
                    self.ended_with_template = True
                    self._end(-signal.SIGKILL)
            return self._exit_code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit and return its code.

        Raises:
            subprocess.TimeoutExpired: it still runs after so many seconds.
        """
        until = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            while (code := self.poll()) is None:
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    raise subprocess.TimeoutExpired("trainer", timeout or 0.0)
                news = select.poll()
                news.register(self._reports, select.POLLIN)
                news.poll(None if left is None else 1000 * left)
            return code

    def _take(self, said: bytes) -> None:
        *lines, self._said = (self._said + said).split(b"\n")
        for line in lines:
            report: dict[str, Any] = json.loads(line)
            self.pid = report.get("pid", self.pid)
            if "exit" in report:
                self._end(report["exit"])

    def _end(self, code: int) -> None:
        self._exit_code = code
        self._reports.close()


class ForkedTrainer(TrainerProcess):
    """A trainer that a template forks."""

    def __init__(self, process: ForkedProcess, template: TemplateProcess) -> None:
        super().__init__(process)
        self._forked = process
        self._template = template

    @property
    def pid(self) -> int | None:
        """Id of the process; None until the template has reported it."""
        self._forked.poll()
        return self._forked.pid

    @property
    def is_warm(self) -> bool:
        """Whether it has imported everything and has warmed up, or its template has."""
        return self._template.is_warm

    @property
    def ended_with_template(self) -> bool:
        """Whether it ended because its template did, in good health until then."""
        if not self._forked.ended_with_template:
            return False
        self._template.wait(END_S)
        return self._template.is_warm or self._template.exit_code == UNFIT

    def stop(self) -> None:
        """End the trainer and all processes it has started, as every trainer; and the template if
        that does not report the trainer's end."""
        super().stop()
        if self.exit_code is None:
            self._template.stop()

    def describe_end(self) -> str:
        """Return how an ended trainer ended, with the last lines of the stderr that says why."""
        of_trainer = super().describe_end()
        if self._forked.ended_with_template and self.pid is None:
            return self._template.describe_end()
        return of_trainer

    def _signal(self, number: int) -> None:
        if self.pid is None:  # the template is still warming up, or hangs
            self._template.stop()
        elif self.exit_code is None:  # else the id may belong to another process by now
            super()._signal(number)


def _pipe(reader: contextlib.ExitStack, writer: contextlib.ExitStack) -> tuple[BinaryIO, BinaryIO]:
    """Return both ends of a new pipe; each stack closes its end, unless it is emptied before."""
    read, write = os.pipe()
    return (
        reader.enter_context(os.fdopen(read, "rb")),
        writer.enter_context(os.fdopen(write, "wb")),
    )
