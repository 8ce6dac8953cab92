"""One attempt of a run: whatever happens in it becomes the run's end."""

import traceback
from collections.abc import Callable

import torch

from contract.events import Failure
from contract.problems import SpecError
from contract.spec import parse_spec
from worker.claim import Claim
from worker.errors import DataError, DivergedError, ReporterError
from worker.reporter import Reporter
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
        training = Training(spec, spec.arm(claim.arm), claim.seed, device, reporter)
        reporter.ended(training.run(cancelled))
    except ReporterError:
        raise
    except SpecError as error:
        message = f"this worker cannot read the comparison's spec: {error}"
        cause = "The API and this worker run different versions; bring both to the same one."
        reporter.ended("failed", Failure(message=message, cause=cause))
    except DivergedError as error:
        failure = Failure(message=str(error), cause=error.cause, step=error.step)
        reporter.log([f"{failure.message} {failure.cause}"])
        reporter.ended("failed", failure)
    except DataError as error:
        cause = "The data set could not be read; the message says what to do."
        reporter.ended("failed", Failure(message=str(error), cause=cause))
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


def _cause(error: Exception) -> str:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return "The memory is full: take a smaller batch size, encoder or embedding size."
    return "The run's log holds the traceback."
