"""A process that computes layouts, so that a computation can be ended at any moment.

A layout by PaCMAP is one long call into a library, and nothing else would stop it. The process is
started at the first computation and kept for the next, because its libraries take seconds to load.
Run as a program, this module is that process.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.processes.parent import PARENT_VARIABLE, die_with_parent, name_process
from worker.processes.priority import lower_priority
from worker.projection.layouts import Snapshots, project

NICENESS: Final = 5
"""Of a projector: below the API and the pages, above the trainers, because a person waits for it
and it takes one core at most."""
LOOK_S: Final = 0.2
"""Between two looks at whether a computation is still wanted."""
NAME: Final = "lb-layouts"
ROOT: Final = Path(__file__).resolve().parents[2]


class LayoutError(Exception):
    """A computation failed, for the reason that the message gives."""


@dataclass(frozen=True)
class Order:
    """What is to be computed; see `project`."""

    snapshots: Snapshots
    method: str
    dims: int
    seed: int


class LayoutProcess:
    """The process, as the projector sees it. Start it from a thread that goes on: it ends with
    that thread."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def project(
        self, order: Order, on_progress: Callable[[float], None], check: Callable[[], None]
    ) -> NDArray[np.float32]:
        """Return what `project` does.

        Args:
            order: what is to be computed.
            on_progress: takes the share that is done, 0 to 1.
            check: called several times a second; what it raises ends the computation and is passed
                on.

        Raises:
            LayoutError: the computation failed, or the process ended.
        """
        pipe = self._ready()
        try:
            pipe.send(order)
            while True:
                check()
                if not pipe.poll(LOOK_S):
                    continue
                answer = pipe.recv()
                if isinstance(answer, float):
                    on_progress(answer)
                elif isinstance(answer, str):
                    raise LayoutError(answer)
                else:
                    coordinates: NDArray[np.float32] = answer
                    return coordinates
        except (EOFError, OSError) as error:
            raise LayoutError(self._ended()) from error
        except LayoutError:
            raise
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the process, whatever it computes."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def _ready(self) -> Connection:
        """Return the pipe to the process, after starting it if there is none."""
        if self._pipe is not None and self._process is not None and self._process.poll() is None:
            return self._pipe
        self.close()
        self._pipe, far = Pipe()
        with far:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(far.fileno())],
                cwd=ROOT,
                env={**os.environ, PARENT_VARIABLE: str(os.getpid())},
                stdin=subprocess.DEVNULL,
                pass_fds=[far.fileno()],
                start_new_session=True,  # so that its priority counts for itself
            )
        return self._pipe

    def _ended(self) -> str:
        """Return why the process is gone, for people, and forget it."""
        code = None if self._process is None else self._process.wait()
        self.close()
        killed = code == -signal.SIGKILL
        why = "; the system may have ended it for want of memory" if killed else ""
        return f"the process that computes layouts ended with code {code}{why}"


def main() -> None:
    """Compute what comes through the pipe, until it closes."""
    die_with_parent()
    name_process(NAME)
    lower_priority(NICENESS)
    pipe: Connection = Connection(int(sys.argv[1]))
    while True:
        try:
            order: Order = pipe.recv()
        except EOFError:
            return
        try:
            answer: object = project(
                order.snapshots,
                method=order.method,
                dims=order.dims,
                seed=order.seed,
                on_progress=pipe.send,
            )
        except Exception as error:  # noqa: BLE001 - the projector reports it
            answer = f"{type(error).__name__}: {error}"
        pipe.send(answer)


if __name__ == "__main__":
    main()
