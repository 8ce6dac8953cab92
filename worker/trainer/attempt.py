"""One attempt of a run: whatever happens in it becomes the run's end."""

import traceback
from collections.abc import Callable
from typing import Final

import torch

from contract.events import Failure
from contract.problems import SpecError
from contract.spec import parse_spec
from worker.claim import Claim
from worker.errors import (
    CancelledError,
    DataError,
    DivergedError,
    InputError,
    MemoryEstimateError,
    ReporterError,
    WorkerError,
)
from worker.reporter import Reporter
from worker.trainer.preparing import Preparing
from worker.trainer.training import Training


def attempt(
    claim: Claim, reporter: Reporter, cancelled: Callable[[], bool], device: torch.device
) -> None:
    """Train the claimed run and report its end.

    Raises:
        ReporterError: nothing can be reported any more, so not the end either.
    """
    training: Training | None = None
    try:
        spec = parse_spec(claim.spec)
        preparing = Preparing(reporter, cancelled)
        arm = spec.arm(claim.arm)
        training = Training(spec, arm, claim.seed, device, reporter, progress=preparing)
        reporter.ended(training.run(cancelled))
    except ReporterError:
        raise
    except CancelledError:
        reporter.ended("cancelled")
    except SpecError as error:
        message = f"this worker cannot read the comparison's spec: {error}"
        cause = "The API and this worker run different versions; bring both to the same one."
        reporter.ended("failed", Failure(message=message, cause=cause))
    except DivergedError as error:
        failure = Failure(message=str(error), cause=error.cause, step=error.step)
        reporter.log([f"{failure.message} {failure.cause}"])
        reporter.ended("failed", failure)
    except (DataError, InputError, MemoryEstimateError) as error:
        reporter.ended("failed", Failure(message=str(error), cause=_ADVICE[type(error)]))
    except Exception as error:  # noqa: BLE001 - any fault of a run is that run's failure
        reporter.log(traceback.format_exc().splitlines())
        reporter.ended(
            "failed",
            Failure(
                message=f"{type(error).__name__}: {error}",
                cause=_cause(error),
                step=training.step if training else None,
            ),
        )


_ADVICE: Final[dict[type[WorkerError], str]] = {
    DataError: "Data or weights could not be read; the message says what to do.",
    InputError: "The settings do not fit these data; change what the message names.",
    MemoryEstimateError: "It was refused before it began, so that the machine's memory is safe.",
}


def _cause(error: Exception) -> str:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return "The memory is full: take a smaller batch size, encoder or embedding size."
    return "The run's log holds the traceback."
