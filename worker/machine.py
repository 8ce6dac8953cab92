"""What memory there is, and the refusal of what cannot fit.

What memory there is, and the refusal of what cannot fit.

Stepping back, so that whoever looks on is served first.
"""

import os
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
import torch

from worker.errors import MemoryEstimateError

EXACT: Final = 1.0
MEASURED: Final = 0.8
"""How much of an estimate is certain: of tensors whose sizes are known all of it, of what was
measured on a small part and scaled less, so that nothing is refused that fits."""

CGROUPS: Final = Path("/sys/fs/cgroup")
OWN_CGROUPS: Final = Path("/proc/self/cgroup")


def check(
    needs: Mapping[str, int], device: torch.device, advice: str, *, certain: float = EXACT
) -> None:
    """Refuse what cannot fit.

    Args:
        needs: bytes by what they are for.
        device: where they are needed.
        advice: what to change.
        certain: share of the estimate that surely is needed.

    Raises:
        MemoryEstimateError: with all numbers.
    """
    free = available(device)
    total = sum(needs.values())
    if total * certain > free:
        listed = ", ".join(f"{what} {in_words(size)}" for what, size in needs.items() if size)
        raise MemoryEstimateError(
            f"this needs about {in_words(total)} of memory ({listed}), and {in_words(free)} are "
            f"available on {device}. {advice}"
        )


def available(device: torch.device) -> int:
    """Bytes that can be taken now; on a CPU no more than the limit of a container leaves."""
    if device.type == "cuda":
        # What torch has set aside and does not use can be taken too.
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        free: int = torch.cuda.mem_get_info(device)[0] + unused
        return free
    return min(psutil.virtual_memory().available, *cgroup_rooms())


def cgroup_rooms(own: Path = OWN_CGROUPS, mount: Path = CGROUPS) -> list[int]:
    """Bytes that each limit on this process leaves, its control group's and those above it.

    What a limit leaves is counted without the files' pages that are held only because nobody else
    wanted the memory.

    Args:
        own: says which control groups this process is in, in the kernel's format.
        mount: where control groups are mounted, of version 2 or 1.
    """
    rooms = []
    for folder, limit, used, pages in _groups(own, mount):
        try:
            most = int((folder / limit).read_text())
            taken = int((folder / used).read_text())
            facts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            rooms.append(max(0, most - taken + sum(int(facts.get(name, 0)) for name in pages)))
        except (OSError, ValueError):  # no such group here, or "max": no limit
            continue
    return rooms


Group = tuple[Path, str, str, tuple[str, ...]]


def _groups(own: Path, mount: Path) -> Iterator[Group]:
    """The control groups above and with this process's, and the names of what they say."""
    try:
        lines = own.read_text().splitlines()
    except OSError:  # another system than Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            names = ("memory.max", "memory.current", ("inactive_file", "active_file"))
            root = mount
        elif "memory" in controllers.split(","):
            names = (
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                ("total_inactive_file", "total_active_file"),
            )
            root = mount / "memory"
        else:
            continue
        # Inside a container the path may be the host's, and only the root is there.
        folder = root / path.lstrip("/")
        yield from ((one, *names) for one in (folder, *folder.parents) if one.is_relative_to(root))


def in_words(size: float) -> str:
    """Bytes for people: "18.4 GB"."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


AUTOGROUP: Final = Path("/proc/self/autogroup")
TRIES: Final = 50
BUSY_S: Final = 0.1
"""The kernel lets one session in so many seconds change its niceness."""


def step_back(niceness: int) -> None:
    """Let others run before this process.

    Where Linux weighs sessions against each other (autogroups), a niceness counts within its own
    session only, and four trainers, each with a session, would get four parts to the API's one: so
    a process that leads a session has that step back too.
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # a kernel without autogroups, or another system
            _weigh_session(niceness)


def _weigh_session(niceness: int) -> None:
    for _ in range(TRIES):
        with suppress(BlockingIOError):  # another one's turn
            AUTOGROUP.write_text(str(niceness))
            return
        time.sleep(BUSY_S * random.uniform(1, 2))
