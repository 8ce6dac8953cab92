import os
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.support.waiting import until
from worker.slot import usage
from worker.slot.usage import UsageReader


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[bytes]]:
    """A process that keeps a core busy."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield process
        process.kill()


def test_a_busy_process_uses_processor_time_and_memory(
    busy: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "READ_EVERY_S", 0.02)
    known: list[int] = []
    reader = UsageReader(lambda: known[-1] if known else None, "cpu")
    assert reader.read() is None, "a template has not forked it yet"
    known.append(busy.pid)
    assert reader.read() is None, "a share needs two looks"
    until(lambda: (found := reader.read()) is not None and found.cpu_cores > 0, "a measurement")
    found = reader.read()
    assert found is not None
    assert 2**20 < found.memory_bytes < found.memory_total_bytes
    assert found.gpu_share is None
    busy.kill()
    busy.wait()
    until(lambda: reader.read() is None, "no process to measure")


def test_without_a_process_or_a_gpu_there_is_nothing_to_tell() -> None:
    reader = UsageReader(lambda: None, "cuda")
    assert reader.read() is None
    assert reader.read() is None


def two_gpus() -> SimpleNamespace:
    """NVIDIA's library on a machine with two GPUs, which this one lacks."""
    uuids = {0: "GPU-aa11", 1: "GPU-bb22"}
    return SimpleNamespace(
        NVMLError=RuntimeError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: len(uuids),
        nvmlDeviceGetHandleByIndex=lambda number: [number],
        nvmlDeviceGetUUID=lambda gpu: uuids[gpu[0]],
        nvmlDeviceGetMemoryInfo=lambda gpu: SimpleNamespace(used=1, total=2),
        nvmlDeviceGetUtilizationRates=lambda gpu: SimpleNamespace(gpu=(10, 90)[gpu[0]]),
    )


@pytest.mark.parametrize(
    ("visible", "share"), [(None, 0.1), ("", 0.1), ("1", 0.9), ("1,0", 0.9), ("GPU-bb", 0.9)]
)
def test_the_gpu_is_the_one_that_the_trainer_sees(
    visible: str | None, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", two_gpus())
    monkeypatch.setattr(usage, "READ_EVERY_S", 0.0)
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    reader = UsageReader(os.getpid, "cuda")
    reader.read()
    found = reader.read()
    assert found is not None
    assert found.gpu_share == share
