"""What can be done to a running product, by name."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

import psutil

from tests.support.stack import Stack
from tests.support.waiting import until

DEADLY: Final = frozenset(
    {
        "kill -9 of the trainer",
        "kill -9 of the worker",
        "SIGTERM to the trainer",
        "kill -9 of the template",
        "SIGTERM to the template",
    }
)
"""Kinds that count against a run, those of the template where it has not got warm yet: at the third
in a row without a new checkpoint it fails, as is meant, so that a run may get two of them."""
APPEARS_S: Final = 2.0
"""From when a run is under way until it has a trainer, at most; its template may still get warm."""
DISK_BYTES: Final = 96_000_000
FULL_S: Final = (0.5, 3.0)
"""Shortest and longest time for which the disk is full."""
BLOCK: Final = 65_536
NAMES: Final = ("trainer", "template", "worker", "api", "broker")
"""Of the processes that are ended, as tests.support.stack tells them apart."""


class Faults:
    """The kinds of faults, and how each is done."""

    def __init__(self, stack: Stack, rng: random.Random, *, disk: bool) -> None:
        """With a disk of its own below the data folder it can be filled too."""
        self._stack = stack
        self._rng = rng
        self.kinds: dict[str, Callable[[str], bool]] = {
            **{f"kill -9 of the {one}": partial(self._send, one, signal.SIGKILL) for one in NAMES},
            **{f"SIGTERM to the {one}": partial(self._send, one, signal.SIGTERM) for one in NAMES},
            "broker comes back without its file": self._forget,
            **({"disk full": self._fill} if disk else {}),
        }

    def inject(self, kind: str, slot: str) -> bool:
        """Do it now, to processes that live; trainer, template and worker are this slot's. Returns
        False where there is no trainer, because the run has just ended or waits for one."""
        return self.kinds[kind](slot)

    def _send(self, name: str, number: signal.Signals, slot: str) -> bool:
        own = slot if name in {"trainer", "template", "worker"} else None
        try:
            timeout = APPEARS_S if name == "trainer" else 60.0
            victims = until(lambda: self._victims(name, own), f"a living {name}", timeout=timeout)
        except TimeoutError:
            if name != "trainer":
                raise
            return False
        for process in victims:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        return True

    def _victims(self, name: str, slot: str | None) -> list[psutil.Process]:
        found = self._stack.processes(name)
        return [one for one in found if slot is None or _slot_of(one) == slot]

    def _forget(self, slot: str) -> bool:
        """The launcher starts it again after a moment, on an empty folder."""
        self._send("broker", signal.SIGKILL, slot)
        shutil.rmtree(self._stack.data_dir / "broker" / "appendonlydir", ignore_errors=True)
        return True

    def _fill(self, slot: str) -> bool:
        filler = self._stack.data_dir / "filler"
        try:
            with suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(bytes(BLOCK)):
                    continue
            time.sleep(self._rng.uniform(*FULL_S))
        finally:
            filler.unlink(missing_ok=True)
        return True


def _slot_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("LOSSBOARD_WORKER_NAME")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None  # it has just ended


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Mount a small disk at the folder. Returns whether this machine allows that."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "lossboard", str(folder)]
    allowed = os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0
    try:
        yield allowed
    finally:
        if allowed:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
