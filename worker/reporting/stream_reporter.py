"""The reporter of a real run: numbers its events, which a sender sends down the event stream."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from contract.events import (
    VERSION,
    Artifact,
    ArtifactKept,
    Checkpointed,
    Ended,
    Event,
    Failure,
    Kept,
    Log,
    Noticed,
    Preparation,
    Preparing,
    Snapshot,
    Started,
    encode,
)
from contract.metrics.states import State
from contract.metrics.versions import run_versions
from worker.reporting import signs_of_life
from worker.reporting.event_sender import EventSender
from worker.reporting.outbox import Outbox
from worker.reporting.reporter import EndState, finite_or_none
from worker.reporting.usage import UsageMeter, environment

POLL_S: Final = 0.2
"""Between two looks at whether the sending thread has failed."""

ELAPSED_KEY: Final = "run.elapsed_s"
"""Metric of the training time without measuring."""


class StreamReporter:
    """A Reporter whose events a sender sends from its thread; the training loop only appends.

    Values collect in columns until the next flush, and then become one numbered event. While too
    much is outstanding, `points` waits, until `lift_limit` is called.

    Attributes:
        outbox: the events that the backend has not stored yet.
    """

    def __init__(self, run: str, attempt: int, sender: EventSender, outbox: Outbox) -> None:
        self.outbox = outbox
        self._run = run
        self._attempt = attempt
        self._sender = sender
        self._columns: dict[str, tuple[list[int], list[float]]] = {}
        self._step = 0
        self._writing = threading.Lock()
        self._unlimited = threading.Event()
        self._usage = UsageMeter()
        sender.add(self)

    def preparing(self, preparation: Preparation) -> None:
        """Report how far the work before the first step is."""
        self._write(partial(Preparing, preparation=preparation))

    def started(
        self,
        *,
        device: str,
        total_steps: int,
        steps_per_epoch: int,
        after: int = 0,
        batch_size: int = 0,
        splits: Mapping[str, int] | None = None,
    ) -> None:
        """Report that everything is built; the step after `after` comes next."""
        self._usage.started(batch_size)
        self._write(
            partial(
                Started,
                device=device,
                total_steps=total_steps,
                steps_per_epoch=steps_per_epoch,
                after=after,
                versions=run_versions(),
                splits=dict(splits or {}),
                environment=environment(),
            )
        )

    def points(self, step: int, values: Mapping[str, float]) -> None:
        """Report values measured after `step` steps; waits while too much is outstanding."""
        while self.outbox.full and not self._unlimited.is_set():
            self._sender.check()
            signs_of_life.sign("waiting until what was measured is stored")
            self.outbox.wait_for_room(POLL_S)
        self._sender.check()
        with self._writing:
            self._step = step
            if (seconds := values.get(ELAPSED_KEY)) is not None:
                self._usage.trained(step, seconds)
            for key, value in values.items():
                column = self._columns.get(key)
                if column is None:
                    column = self._columns[key] = ([], [])
                column[0].append(step)
                column[1].append(value)

    def noticed(self, state: State, step: int, message: str, *, over: bool = False) -> None:
        """Report that the run is in a state since a step, or that it has left it."""
        self._write(partial(Noticed, state=state, step=step, message=message, over=over))

    def log(self, lines: Sequence[str]) -> None:
        """Add lines to the run's log."""
        self._write(partial(Log, lines=list(lines)))

    def snapshot_stored(self, snapshot: Snapshot) -> None:
        """Report a snapshot whose blobs are stored."""
        self._write(partial(Kept, snapshot=snapshot))

    def checkpoint_stored(self, step: int, digest: str) -> None:
        """Report a stored checkpoint, after all values up to its step."""
        self._write(partial(Checkpointed, step=step, digest=digest))

    def artifact_kept(self, artifact: Artifact) -> None:
        """Report a part of the trained model whose blob is stored, or why it is not."""
        self._write(partial(ArtifactKept, artifact=artifact))

    def ended(self, state: EndState, failure: Failure | None = None) -> None:
        """Report the end of the run."""
        self._write(partial(Ended, state=state, failure=failure, usage=self._usage.read()))

    def mark_stored(self, seq: int) -> None:
        """Note that the backend has stored all events up to number `seq`."""
        self.outbox.mark_stored(seq)

    def lift_limit(self) -> None:
        """Accept events beyond the limit from now on: the run ends soon, and few still come."""
        self._unlimited.set()

    def close(self) -> None:
        """Wait until everything is stored, also while the backend is away; or discarded.

        Raises:
            ReporterError: the sending thread failed.
        """
        while not self.outbox.wait_until_empty(POLL_S):
            self._sender.check()
            signs_of_life.sign("waiting until the end is stored")

    def flush(self) -> None:
        """Turn the values collected until now into an event."""
        with self._writing:
            self._flush_columns()

    def discard(self) -> None:
        """Drop everything, also what is still reported: it counts no more."""
        self.lift_limit()
        self.outbox.discard()

    def _write(self, event: Callable[..., Event]) -> None:
        """Put one event after the values so far and send it at once.

        Args:
            event: makes it of its run, attempt and number.
        """
        self._sender.check()
        with self._writing:
            self._flush_columns()
            seq = self.outbox.next_seq
            self.outbox.put(encode(event(run=self._run, attempt=self._attempt, seq=seq)))
        self._sender.wake()

    def _flush_columns(self) -> None:
        """Turn the collected columns into one event; the caller holds the writing lock."""
        if not self._columns:
            return
        columns, self._columns = self._columns, {}
        event = {
            "v": VERSION,
            "kind": "points",
            "run": self._run,
            "attempt": self._attempt,
            "seq": self.outbox.next_seq,
            "step": self._step,
            "series": [
                {"key": key, "steps": steps, "values": [finite_or_none(value) for value in values]}
                for key, (steps, values) in columns.items()
            ],
        }
        self.outbox.put(json.dumps(event, separators=(",", ":"), allow_nan=False).encode())
