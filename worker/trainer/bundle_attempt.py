"""One attempt of each of many runs that train as one computation; `attempt` has that of one."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from contract.comparison.spec import parse_spec
from worker.api.client import Claim
from worker.errors import CancelledError, GivenBackError, MemoryEstimateError
from worker.reporting.progress import PreparationProgress
from worker.reporting.reporter import Reporter
from worker.snapshots import Keeper
from worker.trainer.attempt import end_of, run_attempt
from worker.trainer.bundle import Bundle, MemberSpec, Outcome


class ClaimedRun(NamedTuple):
    """A claimed run with what takes its reports."""

    claim: Claim
    """Without a checkpoint: a run that was lost before goes on alone."""
    reporter: Reporter
    cancelled: Callable[[], bool]
    keeper: Keeper


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
        runs: that may train as one by `contract.comparison.bundles.bundle_key`.
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
            run.keeper.close(with_checkpoint=True)
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
    while waiting and bundle is None:
        try:
            bundle = _build(runs, waiting, device, checkpoint_s, worker_stopping)
        except CancelledError as error:  # of the run that reports the preparation
            end(waiting.pop(0), error)
        except MemoryEstimateError:
            for number in waiting:
                run = runs[number]
                try:
                    run_attempt(
                        *(run.claim, run.reporter, run.cancelled, device, run.keeper),
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
    return given_back


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
        claim, reporter, cancelled, keeper = runs[number]
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
