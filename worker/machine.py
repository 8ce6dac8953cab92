"""The machine's memory: how much is available, and the refusal of a run that does not fit.

Memory is checked before the first step, so that a run that does not fit fails with numbers instead
of being killed, or taking other processes down with it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import psutil
import torch

from worker.errors import MemoryEstimateError

EXACT_SHARE: Final = 1.0
"""Share of an estimate that is certain where the sizes of all tensors are known."""
MEASURED_SHARE: Final = 0.8
"""The same of an estimate that was measured on a small part and scaled up: lower, so that no run is
refused that would fit."""

CGROUP_MOUNT: Final = Path("/sys/fs/cgroup")
PROCESS_CGROUPS: Final = Path("/proc/self/cgroup")
Cgroup = tuple[Path, str, str, tuple[str, ...]]
"""Folder of a control group; names of the file with its memory limit, of the file with the memory
in use, and of the entries of `memory.stat` that count the page cache."""


def check_memory(
    needs: Mapping[str, int],
    device: torch.device,
    advice: str,
    *,
    certain_share: float = EXACT_SHARE,
) -> None:
    """Refuse what does not fit into memory.

    Args:
        needs: bytes by what they are needed for.
        device: on which they are needed.
        advice: what to change, for people.
        certain_share: share of the estimate that is needed for certain.

    Raises:
        MemoryEstimateError: it does not fit; gives all numbers.
    """
    free = available_memory(device)
    total = sum(needs.values())
    if total * certain_share > free:
        listed = ", ".join(f"{what} {format_bytes(size)}" for what, size in needs.items() if size)
        raise MemoryEstimateError(
            f"this needs about {format_bytes(total)} of memory ({listed}), and "
            f"{format_bytes(free)} are available on {device}. {advice}"
        )


def available_memory(device: torch.device) -> int:
    """Return the bytes that can be allocated now; on a CPU within the limits of control groups."""
    if device.type == "cuda":
        # Memory that torch has reserved and does not use can be allocated too.
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        free: int = torch.cuda.mem_get_info(device)[0] + unused
        return free
    return min(psutil.virtual_memory().available, *cgroup_free_memory())


def cgroup_free_memory(
    process_cgroups: Path = PROCESS_CGROUPS, mount: Path = CGROUP_MOUNT
) -> list[int]:
    """Return the free bytes below each memory limit that holds for this process.

    Limits are those of its own control group and of the groups above it. The page cache counts as
    free: the kernel drops it when memory is needed.

    Args:
        process_cgroups: the file that lists this process's control groups, in the kernel's format.
        mount: where control groups are mounted, of version 2 or 1.
    """
    free = []
    for folder, limit_file, used_file, cache_entries in _cgroups(process_cgroups, mount):
        try:
            limit = int((folder / limit_file).read_text())
            used = int((folder / used_file).read_text())
            stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            cache = sum(int(stat.get(name, 0)) for name in cache_entries)
            free.append(max(0, limit - used + cache))
        except (OSError, ValueError):  # there is no such group, or the limit is "max": none
            continue
    return free


def _cgroups(process_cgroups: Path, mount: Path) -> Iterator[Cgroup]:
    """Yield this process's control groups of memory and all groups above them."""
    try:
        lines = process_cgroups.read_text().splitlines()
    except OSError:  # not Linux
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
        # Inside a container the path may be the host's, and only the root exists.
        folder = root / path.lstrip("/")
        yield from ((one, *names) for one in (folder, *folder.parents) if one.is_relative_to(root))


def format_bytes(size: float) -> str:
    """Return a number of bytes for people to read, as "18.4 GB"."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
