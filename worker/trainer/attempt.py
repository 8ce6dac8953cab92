"""One attempt of a run: train it, and turn every error into an end that people can read."""

import traceback
from collections.abc import Callable
from functools import partial
from typing import Final

import torch

from contract.comparison.bundles import is_eligible
from contract.comparison.problems import SpecError
from contract.comparison.spec import Arm, ComparisonSpec, parse_spec
from contract.events import Failure
from worker.api.client import Claim
from worker.errors import (
    BlobLostError,
    CancelledError,
    CheckpointError,
    DataError,
    DivergedError,
    GivenBackError,
    InputError,
    MemoryEstimateError,
    ReporterError,
    WorkerError,
)
from worker.reporting.progress import PreparationProgress, Progress
from worker.reporting.reporter import EndState, Reporter
from worker.snapshots import Checkpoint, Keeper, NoKeeper
from worker.trainer.bundle import BundleOfOne
from worker.trainer.training import Training


def run_attempt(
    claim: Claim,
    reporter: Reporter,
    cancelled: Callable[[], bool],
    device: torch.device,
    keeper: Keeper | None = None,
    *,
    fetch: Callable[[str], bytes] | None = None,
    checkpoint_s: float = 0.0,
    worker_stopping: Callable[[], bool] = lambda: False,
) -> None:
    """Train the claimed run and report its end.

    Args:
        claim: the run, with the checkpoint that it goes on from.
        reporter: takes all values and the end.
        cancelled: returns whether the run is to stop before its end.
        device: on which it trains.
        keeper: takes snapshots and checkpoints; None keeps none.
        fetch: returns a checkpoint's bytes by their digest; needed if the claim names one.
        checkpoint_s: seconds between checkpoints; 0 for none.
        worker_stopping: returns whether the run is to be given back at a checkpoint.

    Raises:
        GivenBackError: the run was given back; a later attempt reports its end.
        ReporterError: nothing can be reported any more, not even the end.
    """
    keeper = keeper or NoKeeper()

    def build(spec: ComparisonSpec, progress: Progress) -> Training | BundleOfOne:
        arm, seed = spec.arm(claim.arm), claim.seed
        trainer = trainer_of(spec, arm, device)
        made: Callable[..., Training | BundleOfOne] = trainer
        if trainer is Training:
            made = partial(Training, plugin=claim.plugin)
        return made(
            *(spec, arm, seed, device, reporter),
            progress=progress,
            keeper=keeper,
            checkpoint_s=checkpoint_s,
            worker_stopping=worker_stopping,
        )

    try:
        state, failure = _train(claim, reporter, cancelled, build, fetch)
    except GivenBackError:
        keeper.close(with_checkpoint=True)
        raise
    keeper.close()
    reporter.ended(state, failure)


def trainer_of(
    spec: ComparisonSpec, arm: Arm, device: torch.device
) -> type[Training] | type[BundleOfOne]:
    """Return what trains a run of this arm alone."""
    return BundleOfOne if is_eligible(spec, arm, device.type) else Training


def _train(
    claim: Claim,
    reporter: Reporter,
    cancelled: Callable[[], bool],
    build: Callable[[ComparisonSpec, Progress], Training | BundleOfOne],
    fetch: Callable[[str], bytes] | None,
) -> tuple[EndState, Failure | None]:
    """Build and train the run; return how it ended."""
    training: Training | BundleOfOne | None = None
    try:
        spec = parse_spec(claim.spec)
        progress = PreparationProgress(reporter, cancelled)
        training = build(spec, progress)
        if claim.checkpoint and fetch and not _restore(training, claim, reporter, fetch):
            training = build(spec, progress)
        return training.run(cancelled), None
    except Exception as error:  # noqa: BLE001 - every error of a run is its end
        return end_of(error, reporter, training.step if training else None)


def end_of(
    error: Exception, reporter: Reporter, step: int | None
) -> tuple[EndState, Failure | None]:
    """Return how a run ends by an error, and tell its log.

    Args:
        error: that ended it.
        reporter: of the run.
        step: optimiser steps done; None before it was built.

    Raises:
        ReporterError, GivenBackError: these end the attempt, not the run.
    """
    if isinstance(error, ReporterError | GivenBackError):
        raise error
    if isinstance(error, CancelledError):
        return "cancelled", None
    if isinstance(error, SpecError):
        message = f"this worker cannot read the comparison's spec: {error}"
        cause = "The API and this worker run different versions; bring both to the same one."
        return "failed", Failure(message=message, cause=cause)
    if isinstance(error, DivergedError):
        reporter.log([f"{error} {error.cause}"])
        return "failed", Failure(message=str(error), cause=error.cause, step=error.step)
    if isinstance(error, DataError | InputError | MemoryEstimateError):
        return "failed", Failure(message=str(error), cause=_ADVICE[type(error)])
    reporter.log("".join(traceback.format_exception(error)).splitlines())
    message = f"{type(error).__name__}: {error}"
    return "failed", Failure(message=message, cause=_cause(error), step=step)


def _restore(
    training: Training | BundleOfOne,
    claim: Claim,
    reporter: Reporter,
    fetch: Callable[[str], bytes],
) -> bool:
    """Restore the claim's checkpoint; return False if it is lost or damaged. The training must be
    built again then, because parts of it may be restored."""
    after = claim.start_after
    try:
        training.restore(Checkpoint(after, fetch(str(claim.checkpoint))))
    except (BlobLostError, CheckpointError) as error:
        reporter.log([f"the checkpoint of step {after} is no use, so the run starts over: {error}"])
        return False
    reporter.log([f"attempt {claim.attempt} goes on from the checkpoint of step {after}"])
    return True


_ADVICE: Final[dict[type[WorkerError], str]] = {
    DataError: "Data or weights could not be read; the message says what to do.",
    InputError: "The settings do not fit these data; change what the message names.",
    MemoryEstimateError: "It was refused before it began, so that the machine's memory is safe.",
}


def _cause(error: Exception) -> str:
    text = str(error)
    full = isinstance(error, torch.OutOfMemoryError | MemoryError) or "allocate memory" in text
    if full:
        return "The memory is full: take a smaller batch size, encoder or embedding size."
    return "The run's log holds the traceback."
