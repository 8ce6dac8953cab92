"""The worker slots heard of lately. Kept in memory: they tell again every few seconds."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from backend.runs.schemas import WorkerOut

LOST_S: Final = 15.0
"""Silence after which a slot counts as lost; it speaks every 5 s at least."""
FORGOTTEN_S: Final = 600.0
"""Silence after which a slot is not listed any more."""


@dataclass
class _Slot:
    device: str
    host: str
    pid: int
    run: str | None
    seen: float


class Workers:
    """All slots; safe to use from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()

    def seen(self, name: str, *, device: str, host: str, pid: int, run: str | None) -> None:
        """A slot said that it lives, and what it works on."""
        with self._lock:
            self._slots[name] = _Slot(device, host, pid, run, self._clock())

    def busy(self, name: str, *, run: str, device: str) -> None:
        """A slot's heartbeat; where it runs is known from its last `seen`."""
        with self._lock:
            slot = self._slots.setdefault(name, _Slot(device, "", 0, run, 0.0))
            slot.run, slot.seen = run, self._clock()

    def listed(self) -> list[WorkerOut]:
        """The slots by name."""
        now = self._clock()
        with self._lock:
            for name in [n for n, s in self._slots.items() if now - s.seen > FORGOTTEN_S]:
                del self._slots[name]
            return [
                WorkerOut(
                    name=name,
                    device=slot.device,
                    host=slot.host,
                    state="lost" if now - slot.seen > LOST_S else "busy" if slot.run else "idle",
                    run=slot.run,
                    seen_s_ago=round(now - slot.seen, 3),
                )
                for name, slot in sorted(self._slots.items())
            ]

    def alive(self) -> Counter[str]:
        """Living slots by device class."""
        return Counter(slot.device for slot in self.listed() if slot.state != "lost")
