"""One attempt of each of many runs that train as one computation; `attempt` has that of one."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch

from contract.comparison.spec import parse_spec
from worker.api.client import Claim
from worker.errors import (
    BlobLostError,
    CancelledError,
    CheckpointError,
    GivenBackError,
    MemoryEstimateError,
    WorkerError,
)
from worker.reporting.progress import PreparationProgress
from worker.reporting.reporter import Reporter
from worker.snapshots import Checkpoint, Keeper
from worker.trainer.attempt import end_of, run_attempt
from worker.trainer.bundle import Bundle, MemberSpec, Outcome


class ClaimedRun(NamedTuple):
    """A claimed run with what takes its reports."""

    claim: Claim
    reporter: Reporter
    cancelled: Callable[[], bool]
    keeper: Keeper
    fetch: Callable[[str], bytes] | None = None
    """Returns a checkpoint's bytes by their digest; needed if the claim names one."""


def run_bundle(
    runs: Sequence[ClaimedRun],
    device: torch.device,
    *,
    checkpoint_s: float = 0.0,
    worker_stopping: Callable[[], bool] = lambda: False,
    ended: Callable[[int], None] | None = None,
) -> list[int]:
    """Train claimed runs together, and report the end of each as soon as it has ended.

    Where they do not fit into memory together they are trained one after the other.

    Args:
        runs: that may train as one by `contract.comparison.bundles.bundle_key`, and start after
            the same step.
        device: on which they train.
        checkpoint_s: seconds between checkpoints; 0 for none.
        worker_stopping: returns whether the runs are to be given back at a checkpoint.
        ended: is told the number of a run whose end was reported.

    Returns:
        The numbers of the runs that were given back; a later attempt reports their end.

    Raises:
        ReporterError: nothing can be reported any more, not even the ends.
    """
    given_back: list[int] = []
    steps: list[int | None] = [None] * len(runs)

    def end(number: int, outcome: Outcome) -> None:
        run = runs[number]
        if isinstance(outcome, GivenBackError):
            given_back.append(number)
            return
        failure = None
        if isinstance(outcome, Exception):
            outcome, failure = end_of(outcome, run.reporter, steps[number])
        run.keeper.close()
        run.reporter.ended(outcome, failure)
        if ended is not None:
            ended(number)

    bundle = None
    waiting = list(range(len(runs)))
    checkpoints = _fetch_checkpoints(runs, waiting, end)
    while waiting and bundle is None:
        try:
            built = _build(runs, waiting, device, checkpoint_s, worker_stopping)
            if checkpoints and not _restore(built, [runs[at] for at in waiting], checkpoints):
                checkpoints = {}
                continue  # parts of it may be restored
            bundle = built
        except CancelledError as error:  # of the run that reports the preparation
            end(waiting.pop(0), error)
        except MemoryEstimateError:
            for number in waiting:
                run = runs[number]
                try:
                    run_attempt(
                        *(run.claim, run.reporter, run.cancelled, device, run.keeper),
                        fetch=run.fetch,
                        checkpoint_s=checkpoint_s,
                        worker_stopping=worker_stopping,
                    )
                    if ended is not None:
                        ended(number)
                except GivenBackError:
                    given_back.append(number)
            return given_back
        except Exception as error:  # noqa: BLE001 - what is shared failed, and so each run does
            for number in waiting:
                end(number, error)
            return given_back
    if bundle is not None:
        numbers, training = list(waiting), bundle

        def end_member(at: int, outcome: Outcome) -> None:
            steps[numbers[at]] = training.step
            end(numbers[at], outcome)

        training.run(end_member)
    for number in given_back:  # now that all have handed over theirs, so that none waits for others
        runs[number].keeper.close(with_checkpoint=True)
    return given_back


def _fetch_checkpoints(
    runs: Sequence[ClaimedRun], waiting: list[int], end: Callable[[int, Outcome], None]
) -> dict[str, Checkpoint]:
    """Return the checkpoints that runs go on from, by run; none if one is lost, because the runs
    start after the same step.

    Args:
        runs: all of them.
        waiting: the numbers of those that have not ended; one that is cancelled meanwhile is ended
            and removed.
        end: ends one.
    """
    found: dict[str, Checkpoint] = {}
    for number in list(waiting):
        claim, fetch = runs[number].claim, runs[number].fetch
        if claim.checkpoint is None or fetch is None:
            continue
        try:
            found[claim.run] = Checkpoint(claim.start_after, fetch(claim.checkpoint))
        except CancelledError as error:
            waiting.remove(number)
            end(number, error)
        except BlobLostError as error:
            _log_new_start([runs[at] for at in waiting], error)
            return {}
    return found


def _restore(
    bundle: Bundle, runs: Sequence[ClaimedRun], checkpoints: Mapping[str, Checkpoint]
) -> bool:
    """Restore the runs of a bundle; return False if that is not possible."""
    try:
        bundle.restore([checkpoints[run.claim.run] for run in runs])
    except CheckpointError as error:
        _log_new_start(runs, error)
        return False
    for run in runs:
        after = run.claim.start_after
        run.reporter.log(
            [f"attempt {run.claim.attempt} goes on from the checkpoint of step {after}"]
        )
    return True


def _log_new_start(runs: Sequence[ClaimedRun], error: WorkerError) -> None:
    for run in runs:
        after = run.claim.start_after
        run.reporter.log(
            [
                f"the checkpoint of step {after}, of this run or of one that trains with it, is no "
                f"use, so the run starts over: {error}"
            ]
        )


def _build(
    runs: Sequence[ClaimedRun],
    numbers: Sequence[int],
    device: torch.device,
    checkpoint_s: float,
    worker_stopping: Callable[[], bool],
) -> Bundle:
    """Build the bundle; the first run reports the preparation, and its cancelling ends it."""
    members = []
    for number in numbers:
        claim, reporter, cancelled, keeper, _ = runs[number]
        spec = parse_spec(claim.spec)
        members.append(
            MemberSpec(spec, spec.arm(claim.arm), claim.seed, reporter, cancelled, keeper)
        )
    first = runs[numbers[0]]
    return Bundle(
        members,
        device,
        progress=PreparationProgress(first.reporter, first.cancelled),
        checkpoint_s=checkpoint_s,
        worker_stopping=worker_stopping,
    )
