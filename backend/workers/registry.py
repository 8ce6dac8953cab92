"""Which worker slots and which running attempts are alive.

Both are known from recent heartbeats and kept in the memory of this process: slots report every few
seconds. The deadlines of leases use the monotonic clock. So exactly one API process may serve a
database; after its start every running run gets one full lease.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.http.dependencies import from_state

LOST_S: Final = 15.0
"""Silence after which a slot counts as lost; it reports at least every 5 s."""
FORGOTTEN_S: Final = 600.0
"""Silence after which a slot is no longer listed."""


class SlotUsage(BaseModel):
    """What a slot's trainer uses of its machine, over the last seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu_cores: float = Field(ge=0, allow_inf_nan=False)
    """Processor time a second: 1.0 is one core."""
    memory_bytes: int = Field(ge=0)
    memory_total_bytes: int = Field(ge=0)
    """Of the machine."""
    gpu_share: float | None = Field(None, ge=0, le=1)
    """Share of the time in which the GPU computes; null without one that tells."""
    gpu_memory_bytes: int | None = Field(None, ge=0)
    gpu_memory_total_bytes: int | None = Field(None, ge=0)


class WorkerOut(BaseModel):
    """One worker slot."""

    name: str
    device: str
    host: str
    state: Literal["idle", "busy", "lost"]
    run: str | None
    """The first of its runs."""
    runs: list[str]
    """What it trains: one run, or several as one computation."""
    seen_s_ago: float
    usage: SlotUsage | None
    """Null while it trains nothing, and in the first seconds of a run."""


@dataclass
class _Slot:
    device: str
    host: str
    pid: int
    runs: tuple[str, ...]
    seen: float
    digests: frozenset[str] = frozenset()
    """Of the plug-ins that it has."""
    usage: SlotUsage | None = None


class Workers:
    """All known slots; safe to use from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()

    def seen(
        self,
        name: str,
        *,
        device: str,
        host: str,
        pid: int,
        runs: Sequence[str] = (),
        digests: Iterable[str] = (),
    ) -> None:
        """Note that a slot is alive, which runs it has, and which plug-ins."""
        now = self._clock()
        with self._lock:
            slot = _Slot(device, host, pid, tuple(runs), now, frozenset(digests))
            self._slots[name] = slot

    def busy(
        self, name: str, *, runs: Sequence[str], device: str, usage: SlotUsage | None = None
    ) -> None:
        """Note a heartbeat of a slot's runs; the slot's host is known from its last `seen`."""
        with self._lock:
            slot = self._slots.setdefault(name, _Slot(device, "", 0, (), 0.0))
            slot.runs, slot.seen, slot.usage = tuple(runs), self._clock(), usage

    def listed(self) -> list[WorkerOut]:
        """Return the slots in the order of their names."""
        now = self._clock()
        with self._lock:
            for name in [n for n, s in self._slots.items() if now - s.seen > FORGOTTEN_S]:
                del self._slots[name]
            return [
                WorkerOut(
                    name=name,
                    device=slot.device,
                    host=slot.host,
                    state="lost" if now - slot.seen > LOST_S else "busy" if slot.runs else "idle",
                    run=slot.runs[0] if slot.runs else None,
                    runs=list(slot.runs),
                    seen_s_ago=round(now - slot.seen, 3),
                    usage=slot.usage,
                )
                for name, slot in sorted(self._slots.items())
            ]

    def digests(self) -> dict[str, frozenset[str]]:
        """Return the digests of the plug-ins of each living slot."""
        living = {slot.name for slot in self.listed() if slot.state != "lost"}
        with self._lock:
            return {name: slot.digests for name, slot in self._slots.items() if name in living}

    def digests_by_device(self) -> dict[str, frozenset[str]]:
        """Return the digests of the plug-ins that the living slots of each device class have."""
        found: dict[str, frozenset[str]] = {}
        by_slot = self.digests()
        for slot in self.listed():
            own = by_slot.get(slot.name, frozenset())
            found[slot.device] = found.get(slot.device, frozenset()) | own
        return found

    def alive(self) -> Counter[str]:
        """Return the numbers of living slots by device class."""
        return Counter(slot.device for slot in self.listed() if slot.state != "lost")

    def count_idle(self, device: str, asking: str) -> int:
        """Return how many slots of a device class have no run, a slot that asks for one included,
        whatever it was last known to do."""
        return 1 + sum(
            slot.device == device and slot.state == "idle" and slot.name != asking
            for slot in self.listed()
        )


@dataclass
class Lease:
    """The time until which an attempt's worker counts as alive."""

    run: str
    attempt: int
    deadline: float
    strike: bool = True
    """Whether a lapse counts against the run. It does not if no heartbeat has reached this process,
    as then this process may have been absent."""
    tail: str | None = None
    """Id of the event stream's last entry when the lapse was noticed."""


class Leases:
    """All leases; safe to use from any thread."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._leases: dict[str, Lease] = {}
        self._lock = threading.Lock()

    def grant(self, run: str, attempt: int, *, strike: bool = True) -> None:
        """Start or renew an attempt's lease."""
        lease = Lease(run, attempt, self._clock() + self.seconds, strike)
        with self._lock:
            self._leases[run] = lease

    def renew(self, run: str, attempt: int) -> None:
        """Renew the lease of an attempt, if it has one."""
        with self._lock:
            lease = self._leases.get(run)
            if lease is not None and lease.attempt == attempt:
                self._leases[run] = Lease(run, attempt, self._clock() + self.seconds)

    def end(self, lease: Lease) -> None:
        """Remove a lease, unless it has been renewed meanwhile."""
        with self._lock:
            if self._leases.get(lease.run) is lease:
                del self._leases[lease.run]

    def lapsed(self) -> list[Lease]:
        """Return the leases whose deadline has passed."""
        now = self._clock()
        with self._lock:
            return [lease for lease in self._leases.values() if lease.deadline <= now]

    def holds(self, lease: Lease) -> bool:
        """Return whether the lease is current: not renewed or ended since."""
        with self._lock:
            return self._leases.get(lease.run) is lease


Slots = Annotated[Workers, from_state("workers")]
AliveLeases = Annotated[Leases, from_state("leases")]
