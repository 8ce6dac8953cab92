"""trackio without a server: its log call, and its SQLite storage below."""

import trackio
from trackio.sqlite_storage import SQLiteStorage

from benchmarks.peers.job import BATCH, KEYS, LONG_KEY, Job, answer, expect, repeated, timed

FILLED_AT_ONCE = 50_000
PROJECT = "bench"


def logged(job: Job) -> float:
    """`trackio.log` at every step, then `finish`, which waits until all is stored."""
    steps = list(job.steps)
    run = trackio.init(PROJECT, auto_log_gpu=False, auto_log_cpu=False, embed=False)

    def write() -> None:
        for step, values in steps:
            trackio.log(values, step=step)
        trackio.finish()

    took = timed(write)
    found = SQLiteStorage.get_logs(PROJECT, run.name, scalar_only=True)
    expect(len(found), len(steps), len(steps))
    return took


def stored(job: Job) -> float:
    """`SQLiteStorage.bulk_log` with a thousand points, as rows of twenty."""
    steps = list(job.steps)
    rows = BATCH // len(KEYS)

    def write() -> None:
        for at in range(0, len(steps), rows):
            part = steps[at : at + rows]
            _insert("bare", part)

    return timed(write)


def fill(job: Job) -> float:
    """Put a long series into its storage."""
    steps = [(step, {LONG_KEY: value}) for step, value in job.curve]

    def write() -> None:
        for at in range(0, len(steps), FILLED_AT_ONCE):
            _insert(str(job.points), steps[at : at + FILLED_AT_ONCE])

    return timed(write)


def thinned(job: Job) -> float:
    """A thousand points of a long series, as its dashboard asks for them."""

    def read() -> None:
        found = SQLiteStorage.get_logs(PROJECT, str(job.points), max_points=1000, scalar_only=True)
        expect(len(found), 500, 2002)

    return repeated(read)


def whole(job: Job) -> float:
    """All points of a series."""

    def read() -> None:
        found = SQLiteStorage.get_logs(PROJECT, str(job.points), scalar_only=True)
        expect(len(found), job.points, job.points)

    return repeated(read)


def _insert(run: str, steps: list[tuple[int, dict[str, float]]]) -> None:
    SQLiteStorage.bulk_log(
        PROJECT, run, [values for _, values in steps], steps=[step for step, _ in steps]
    )


if __name__ == "__main__":
    answer(
        "trackio",
        {
            "logged": logged,
            "logged_one": lambda job: logged(job.narrow),
            "stored": stored,
            "fill": fill,
            "thinned": thinned,
            "whole": whole,
        },
    )
