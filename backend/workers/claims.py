"""Hand out the next queued run together with the spec that it is trained by."""

import logging
from dataclasses import dataclass
from typing import Any, Final

from backend.db.database import Write
from backend.db.models import Run
from backend.runs import repository as runs
from backend.runs.specs import UnreadableSpecError, spec_to_train
from contract import logs
from contract.events import Failure

log = logging.getLogger(__name__)

MAX_UNREADABLE: Final = 50
"""Runs without a usable spec that one claim ends; the next claim goes on, so that no write takes
long."""
_CAUSE: Final = (
    "Its curves and runs can still be read. Duplicate the comparison, correct its spec and submit "
    "it anew."
)


@dataclass(frozen=True)
class ClaimedRun:
    """A run that now belongs to a slot."""

    run: Run
    spec: dict[str, Any]
    """What it is trained by, as JSON."""


def claim(write: Write, *, worker: str, device: str, now: float) -> ClaimedRun | None:
    """Give the next queued run to a slot; None if no run waits for its device class.

    A run whose spec cannot be made fails with the reason, and the one after it is next: it must
    hold up no other.
    """
    for _ in range(MAX_UNREADABLE):
        run = runs.claim(write, worker=worker, device=device, now=now)
        if run is None:
            return None
        try:
            return ClaimedRun(run, spec_to_train(write.session, run))
        except UnreadableSpecError as error:
            fields = logs.attempt_fields(run.id, run.attempt)
            log.warning("it cannot be trained: %s", error, extra=fields)
            failure = Failure(
                message=f"the spec of this run cannot be read: {error}", cause=_CAUSE, step=run.step
            )
            runs.end(write, run, state="failed", failure=failure, now=now)
            write.session.flush()
    return None
