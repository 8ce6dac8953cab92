"""What a run costs beside its training: the start of its trainer, its memory, and processor time.

A trainer is forked from its slot's warm template, or started anew as outside Linux. Its start is
the time from the claim to the first sign of life of the run. The CPU time of a run of the demo is
that of its whole process; beside it stands a bare loop with as many steps, which measures nothing.
A small backend and a real broker take the events. Command: python -m benchmarks.trainers
"""

import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil
import torch

from benchmarks.dynamics import Loop
from benchmarks.report import Row, report
from contract.catalogue.presets import DEMO
from contract.comparison.data import DigitsData
from contract.events import Started
from tests.support.backend import TOKEN, Backend
from tests.support.broker import Broker
from tests.support.slot import worker_environment
from tests.support.specs import endless
from tests.support.trainers import process_of, warm
from tests.support.waiting import until
from worker import data
from worker.settings import Settings
from worker.slot.forked_trainer import TemplateProcess
from worker.slot.slot import Slot
from worker.slot.trainer_process import TrainerProcess
from worker.slot.trainers import SpareTrainer, TemplateTrainers, TrainerSource

BENCH: Final = "trainers"
START_MS: Final = 50.0
STARTS, STARTS_ANEW, RUNS = 20, 3, 3
ANEW: Final = "started anew"
FLOOR: Final = (
    "The bare loop is a floor: a run also measures every step, evaluates twenty times and sends it."
)
IN_TRAINING: Final = 200
"""Step at which a trainer's memory is looked at."""
CLAIM: Final[dict[str, Any]] = {
    **{"run": "r0", "attempt": 1, "lease_s": 10, "comparison": "c0", "seed": 0},
    **{"arm": "triplet", "spec": endless()},
}


def main() -> None:
    """Measure and report."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder))
        broker.start()
        backend = Backend(broker.url)
        try:
            environment = worker_environment(broker.url, backend.url)
            rows = [*_starts(environment), *_runs(backend, broker.url, environment)]
            report(rows, notes=[FLOOR])
        finally:
            backend.close()
            broker.close()


def _starts(environment: dict[str, str]) -> list[Row]:
    began = time.monotonic()
    template = warm(TemplateProcess.start(environment))
    warm_s = time.monotonic() - began
    process = psutil.Process(template.pid)
    cpu = process.cpu_times()
    try:
        forked = [_start_ms(template.fork) for _ in range(STARTS)]
        own, shared = _memory_mb(template.fork()), process.memory_info().rss / 1e6
    finally:
        template.stop()
    start_anew = partial(TrainerProcess.start, environment)
    anew = statistics.median(_start_ms(start_anew) for _ in range(STARTS_ANEW))
    alone = _memory_mb(start_anew())
    start = statistics.median(forked)
    return [
        Row(
            BENCH, "claim to first work", start, "ms", STARTS, anew, "started anew", limit=START_MS
        ),
        Row(BENCH, "template: until it is warm", warm_s, "s", 1),
        Row(BENCH, "template: CPU until then", cpu.user + cpu.system, "s", 1),
        Row(BENCH, "template: resident memory", shared, "MB", 1),
        Row(BENCH, "trainer: memory of its own", own, "MB", 1, alone, ANEW),
    ]


def _start_ms(start: Callable[[], TrainerProcess]) -> float:
    began = time.monotonic()
    trainer = start()
    trainer.send({"claims": [CLAIM]})
    while not trainer.signs:
        assert trainer.exit_code is None, trainer.describe_end()
        time.sleep(0.0005)
    took = time.monotonic() - began
    trainer.stop()
    return 1e3 * took


def _memory_mb(trainer: TrainerProcess) -> float:
    """The memory that only this trainer has, while it trains a small network."""
    trainer.send({"claims": [CLAIM]})
    process = process_of(trainer)

    def in_training() -> bool:
        return trainer.last_sign is not None and (trainer.last_sign.step or 0) >= IN_TRAINING

    until(in_training, f"step {IN_TRAINING}")
    own: float = process.memory_full_info().uss / 1e6
    trainer.stop()
    return own


def _runs(backend: Backend, broker_url: str, environment: dict[str, str]) -> list[Row]:
    templates: list[TemplateProcess] = []

    def start() -> TemplateProcess:
        templates.append(warm(TemplateProcess.start(environment)))
        return templates[-1]

    def of_forked() -> float:
        cpu = psutil.Process(templates[-1].pid).cpu_times()
        return float(cpu.children_user + cpu.children_system)

    def of_children() -> float:
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
        return cpu.ru_utime + cpu.ru_stime

    settings = Settings(broker_url=broker_url, api_url=backend.url, token=TOKEN, name="w1")
    spare = SpareTrainer(partial(TrainerProcess.start, environment))
    forked, steps = _run_cpu_s(settings, backend, TemplateTrainers(start), of_forked)
    anew, _ = _run_cpu_s(settings, backend, spare, of_children)
    train = data.load(DigitsData()).dataset().train
    rows = []
    for arm, cpu_s in forked.items():
        bare = _bare_cpu_s(arm, steps, train)
        case = f"demo, {arm}: CPU of a run"
        rows += [
            Row(BENCH, case, cpu_s, "s", RUNS, bare, "bare loop"),
            Row(BENCH, f"{case}, {ANEW}", anew[arm], "s", RUNS, bare, "bare loop"),
        ]
    return rows


def _run_cpu_s(
    settings: Settings, backend: Backend, source: TrainerSource, cpu_s: Callable[[], float]
) -> tuple[dict[str, float], int]:
    """Train runs of the demo; return the median CPU seconds of one by arm, and its steps."""
    slot = Slot(settings, source)
    slot.open()
    took: dict[str, list[float]] = {}
    steps = 0
    try:
        for seed in range(RUNS):
            for arm in DEMO["arms"]:
                before = cpu_s()
                run = backend.queue(DEMO, arm=arm["name"], seed=seed)
                slot.work()
                assert run.state == "succeeded", run.events[-1]
                took.setdefault(arm["name"], []).append(cpu_s() - before)
                [started] = [event for event in run.events if isinstance(event, Started)]
                steps = started.total_steps
    finally:
        slot.close()
    return {arm: statistics.median(values) for arm, values in took.items()}, steps


def _bare_cpu_s(kind: str, steps: int, train: data.Split) -> float:
    loop = Loop(kind, DEMO["training"]["batch_size"], train, measure=False)
    loop.step(update_norm=False)  # the first one imports more of torch
    began = time.process_time()
    for _ in range(steps):
        loop.step(update_norm=False)
    return time.process_time() - began


if __name__ == "__main__":
    main()
