"""Aim's repository of files: its track call is its only way to write."""

from aim import Repo, Run
from aim.sdk.index_manager import RepoIndexManager
from aim.sdk.sequences.metric import Metric

from benchmarks.peers.job import LONG_KEY, Job, answer, expect, repeated, timed


def logged(job: Job) -> float:
    """`Run.track` at every step, then `close`."""
    steps = list(job.steps)
    run = _run(job)

    def write() -> None:
        for step, values in steps:
            run.track(values, step=step)
        run.close()

    return timed(write)


def fill(job: Job) -> float:
    """Track a long series, and index its run as Aim's server does before it reads one."""
    run = _run(job)

    def write() -> None:
        for step, value in job.curve:
            run.track(value, name=LONG_KEY, step=step)
        run.close()

    took = timed(write)
    RepoIndexManager.get_index_manager(Repo(str(job.folder))).index(run.hash)
    (job.folder / str(job.points)).write_text(run.hash)
    return took


def thinned(job: Job) -> float:
    """A thousand points of a long series, as its page asks for them."""

    def read() -> None:
        steps, _ = _metric(job).data.view("val").sample(1000).numpy()
        expect(len(steps), 500, 1001)

    return repeated(read)


def whole(job: Job) -> float:
    """All points of a series."""

    def read() -> None:
        steps, _ = _metric(job).data.view("val").numpy()
        expect(len(steps), job.points, job.points)

    return repeated(read)


def _run(job: Job) -> Run:
    return Run(
        repo=str(job.folder),
        system_tracking_interval=None,
        log_system_params=False,
        capture_terminal_logs=False,
    )


def _metric(job: Job) -> Metric:
    run = Run((job.folder / str(job.points)).read_text(), repo=str(job.folder), read_only=True)
    [metric] = run.metrics()
    return metric


if __name__ == "__main__":
    answer(
        "aim",
        {
            "logged": logged,
            "logged_one": lambda job: logged(job.narrow),
            "fill": fill,
            "thinned": thinned,
            "whole": whole,
        },
    )
