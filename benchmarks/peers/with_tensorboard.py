"""TensorBoard's event files: its writer, records made by hand, and its reader."""

import time
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary import Writer
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from benchmarks.peers.job import LONG_KEY, Job, answer, expect, repeated, timed


def logged(job: Job) -> float:
    """`Writer.add_scalar` for every value, then `close`, which flushes."""
    steps = list(job.steps)
    writer = Writer(str(job.folder / f"logged-{time.time_ns()}"))

    def write() -> None:
        for step, values in steps:
            for key, value in values.items():
                writer.add_scalar(key, value, step=step)
        writer.close()

    return timed(write)


def stored(job: Job) -> float:
    """An event for every step, with all its values, straight to the file."""
    steps = list(job.steps)
    return timed(lambda: _write(job.folder / f"bare-{time.time_ns()}", steps))


def fill(job: Job) -> float:
    """Write a long series."""
    steps = [(step, {LONG_KEY: value}) for step, value in job.curve]
    return timed(lambda: _write(job.folder / str(job.points), steps))


def thinned(job: Job) -> float:
    """A thousand points of a long series, from the file."""

    def read() -> None:
        expect(_read(job, 1000), 500, 1000)

    return repeated(read)


def whole(job: Job) -> float:
    """All points of a series, from the file."""
    return repeated(lambda: expect(_read(job, 0), job.points, job.points))


def _read(job: Job, most: int) -> int:
    guidance = {"scalars": most, "tensors": most}
    reader = EventAccumulator(str(job.folder / str(job.points)), size_guidance=guidance)
    reader.Reload()
    return len(reader.Scalars(LONG_KEY))


def _write(folder: Path, steps: list[tuple[int, dict[str, float]]]) -> None:
    writer = EventFileWriter(str(folder))
    for step, values in steps:
        summary = Summary(
            value=[Summary.Value(tag=key, simple_value=value) for key, value in values.items()]
        )
        writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))
    writer.close()


if __name__ == "__main__":
    answer(
        "tensorboard",
        {
            "logged": logged,
            "logged_one": lambda job: logged(job.narrow),
            "stored": stored,
            "fill": fill,
            "thinned": thinned,
            "whole": whole,
        },
    )
