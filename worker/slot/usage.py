"""What a slot's trainer uses of the machine at the moment."""

import importlib
import logging
import os
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import psutil

READ_EVERY_S: Final = 2.0
"""Between two measurements: long enough for a share of a core to mean something."""

log = logging.getLogger(__name__)


class SlotUsage(NamedTuple):
    """What a trainer uses."""

    cpu_cores: float
    """Processor time a second: 1.0 is one core."""
    memory_bytes: int
    memory_total_bytes: int
    """Of the machine."""
    gpu_share: float | None = None
    """Share of the time in which the GPU computes, for whatever process."""
    gpu_memory_bytes: int | None = None
    gpu_memory_total_bytes: int | None = None


class UsageReader:
    """Reads what a process uses; one for each trainer."""

    def __init__(self, pid: Callable[[], int | None], device: str) -> None:
        """Args:
        pid: returns that of the trainer; None while it is not known, as before a template forks.
        device: of the slot, cpu or cuda.
        """
        self._pid = pid
        self._gpu = _gpu() if device == "cuda" else None
        self._before: tuple[float, float] | None = None
        self._last: SlotUsage | None = None

    def read(self) -> SlotUsage | None:
        """Return the latest measurement, not older than `READ_EVERY_S`; None before the first, and
        once the process has ended."""
        now = time.monotonic()
        if self._before is not None and now - self._before[0] < READ_EVERY_S:
            return self._last
        try:
            pid = self._pid()
            if pid is None:
                return None
            process = psutil.Process(pid)
            times = process.cpu_times()
            memory = process.memory_info().rss
        except psutil.Error:
            return None
        cpu = times.user + times.system
        before, self._before = self._before, (now, cpu)
        if before is None:
            return None
        cores = max(0.0, cpu - before[1]) / (now - before[0])
        total = psutil.virtual_memory().total
        self._last = SlotUsage(cores, memory, total, *self._read_gpu())
        return self._last

    def _read_gpu(self) -> tuple[float | None, int | None, int | None]:
        if self._gpu is None:
            return None, None, None
        library, handle = self._gpu
        try:
            rates = library.nvmlDeviceGetUtilizationRates(handle)
            memory = library.nvmlDeviceGetMemoryInfo(handle)
        except library.NVMLError as error:
            log.warning("the GPU does not tell its utilisation: %s", error)
            self._gpu = None
            return None, None, None
        return rates.gpu / 100, memory.used, memory.total


def _gpu() -> tuple[Any, Any] | None:
    """Return NVIDIA's management library and the GPU that trains; None where there is none."""
    try:
        library = importlib.import_module("pynvml")
    except ImportError:
        return None
    try:
        library.nvmlInit()
        return library, _visible_gpu(library)
    except library.NVMLError as error:
        log.warning("the GPU's utilisation cannot be read: %s", error)
        return None


def _visible_gpu(library: Any) -> Any:
    """Return the first GPU that CUDA shows: by default the first of all, else the first that is
    named in CUDA_VISIBLE_DEVICES, by number or by a beginning of its name. The library itself
    counts those that are hidden too."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0].strip()
    if named.isdecimal():
        return library.nvmlDeviceGetHandleByIndex(int(named))
    gpus = (
        library.nvmlDeviceGetHandleByIndex(number) for number in range(library.nvmlDeviceGetCount())
    )
    own = (gpu for gpu in gpus if named and library.nvmlDeviceGetUUID(gpu).startswith(named))
    return next(own, None) or library.nvmlDeviceGetHandleByIndex(0)
