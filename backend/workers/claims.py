"""Hand out the next queued run together with the spec that it is trained by, and with it others
that may be trained as one computation."""

import logging
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from backend.db.database import Write
from backend.db.models import Run
from backend.runs import queue
from backend.runs import repository as runs
from backend.runs.specs import Kind, SpecReader, TrainedSpec, UnreadableSpecError
from contract import logs
from contract.comparison.bundles import MOST_RUNS
from contract.events import Failure

log = logging.getLogger(__name__)

MAX_UNREADABLE: Final = 50
"""Runs without a usable spec that one claim ends; the next claim goes on, so that no write takes
long."""
MAX_LOOKED_AT: Final = 10 * MOST_RUNS
"""Queued runs among which a claim looks for those that may be trained with its first one."""
MAX_UNFIT: Final = 2 * MOST_RUNS
"""Kinds of settings that do not fit, after which it looks no further, so that no write takes long.
"""
_CAUSE: Final = (
    "Its curves and runs can still be read. Duplicate the comparison, correct its spec and submit "
    "it again."
)


@dataclass(frozen=True)
class ClaimedRun:
    """A run that now belongs to a slot."""

    run: Run
    spec: dict[str, Any]
    """What it is trained by, as JSON."""


def claim(
    write: Write,
    *,
    worker: str,
    device: str,
    now: float,
    most: int = 1,
    idle_slots: int = 1,
    digests: Collection[str] = (),
) -> list[ClaimedRun]:
    """Give the next queued run to a slot, with others that may be trained together with it; an
    empty list if no run waits for its device class.

    A run whose spec cannot be made fails with the reason, and the one after it is next: it must
    hold up no other.

    Args:
        write: the transaction.
        worker: name of the slot.
        device: its class.
        now: seconds since the epoch.
        most: runs that it takes at most.
        idle_slots: of the device class, this one included; what is queued is shared among them.
        digests: of the plug-ins that it has.
    """
    specs = SpecReader(write.session)
    for _ in range(MAX_UNREADABLE):
        run = runs.claim(write, worker=worker, device=device, now=now, digests=digests)
        if run is None:
            return []
        try:
            spec = specs.of(run)
        except UnreadableSpecError as error:
            fields = logs.attempt_fields(run.id, run.attempt)
            log.warning("it cannot be trained: %s", error, extra=fields)
            failure = Failure(
                message=f"the spec of this run cannot be read: {error}", cause=_CAUSE, step=run.step
            )
            runs.end(write, run, state="failed", failure=failure, now=now)
            write.session.flush()
            continue
        queued = 1 + runs.count_queued(write.session, device, digests)
        wanted = min(most, MOST_RUNS, math.ceil(queued / max(1, idle_slots)))
        found = {run.id: spec} | _find_others(write, specs, run, spec, wanted - 1)
        others = [one.run for one in found.values() if one.run is not run]
        together = runs.claim_with(write, run, others, now=now) if others else [run]
        return [ClaimedRun(one, found[one.id].raw) for one in together]
    return []


def _find_others(
    write: Write, specs: SpecReader, first: Run, spec: TrainedSpec, wanted: int
) -> dict[str, TrainedSpec]:
    """Return the specs of up to so many queued runs that may be trained together with a run that
    was just claimed, by run.

    One whose trainer died is trained alone until its next checkpoint: what killed that one must
    kill no others again. One that was given back, or is tried again, is not.
    """
    assert first.device is not None, "it was claimed"
    device = first.device
    key = spec.bundle_key(device)
    if wanted < 1 or key is None or first.strikes:
        return {}
    candidates = queue.trained_with(write.session, first, device, MAX_LOOKED_AT)
    specs.read_trials(candidates)
    found: dict[str, TrainedSpec] = {}
    unfit: set[Kind] = set()
    for run in candidates:
        kind = specs.kind(run)
        if kind in unfit:
            continue
        try:
            own = specs.of(run)
        except UnreadableSpecError:
            continue  # it fails when it is next
        if own.bundle_key(device) == key:
            found[run.id] = own
        else:
            unfit.add(kind)
        if len(found) == wanted or len(unfit) == MAX_UNFIT:
            break
    return found
