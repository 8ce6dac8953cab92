"""The interface a training reports to, and a reporter that keeps everything in lists.

The training loop does not know where its reports go. In a real run they go down the event stream,
by `worker.reporting.stream_reporter`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from contract.events import Artifact, Failure, Preparation, Snapshot
from contract.metrics.states import State

EndState = Literal["succeeded", "failed", "cancelled"]


class Reporter(Protocol):
    """Takes the reports of one run, in order."""

    def preparing(self, preparation: Preparation) -> None:
        """Report how far the work before the first step is."""

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
        """Report that everything is built and the first step comes next.

        Args:
            device: on which the run trains.
            total_steps: of the whole run.
            steps_per_epoch: of each epoch.
            after: the step of the checkpoint that the run goes on from; 0 without one.
            batch_size: items of a step; 0 where there are no data.
            splits: items of each split; None where there are no data.
        """

    def points(self, step: int, values: Mapping[str, float]) -> None:
        """Report values by metric key, measured after `step` optimiser steps.

        The steps of one key rise. A value that is not finite is kept as measured, without a number.
        May wait while the backend is away and too much is not stored yet; never drops a value.
        """

    def noticed(self, state: State, step: int, message: str, *, over: bool = False) -> None:
        """Report that the run is in a state since a step, or that it has left it."""

    def log(self, lines: Sequence[str]) -> None:
        """Add lines to the run's log."""

    def snapshot_stored(self, snapshot: Snapshot) -> None:
        """Report a snapshot whose blobs are stored; may be called from another thread."""

    def checkpoint_stored(self, step: int, digest: str) -> None:
        """Report a stored checkpoint, after all values up to its step; may be called from another
        thread."""

    def artifact_kept(self, artifact: Artifact) -> None:
        """Report a part of the trained model whose blob is stored, or why it is not; may be called
        from another thread."""

    def ended(self, state: EndState, failure: Failure | None = None) -> None:
        """Report the end of the run; nothing may follow it."""


class ListReporter:
    """Keeps all reports in lists, for the warm-up, tests and benchmarks."""

    def __init__(self) -> None:
        self.device = ""
        self.total_steps = 0
        self.steps_per_epoch = 0
        self.splits: dict[str, int] = {}
        self.series: dict[str, list[tuple[int, float | None]]] = {}
        self.states: dict[State, tuple[int, str]] = {}
        self.lines: list[str] = []
        self.preparations: list[Preparation] = []
        self.snapshots: list[Snapshot] = []
        self.checkpoints: list[tuple[int, str]] = []
        self.artifacts: list[Artifact] = []
        self.after = 0
        self.state: EndState | None = None
        self.failure: Failure | None = None

    def preparing(self, preparation: Preparation) -> None:
        """Keep the preparation."""
        self.preparations.append(preparation)

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
        """Keep the device and the numbers of steps and items."""
        self.splits = dict(splits or {})
        self.device, self.total_steps = device, total_steps
        self.steps_per_epoch, self.after = steps_per_epoch, after

    def points(self, step: int, values: Mapping[str, float]) -> None:
        """Keep each value in its series."""
        for key, value in values.items():
            self.series.setdefault(key, []).append((step, finite_or_none(value)))

    def noticed(self, state: State, step: int, message: str, *, over: bool = False) -> None:
        """Keep the state, or forget it."""
        self.states.pop(state, None)
        if not over:
            self.states[state] = (step, message)

    def log(self, lines: Sequence[str]) -> None:
        """Keep the lines."""
        self.lines += lines

    def snapshot_stored(self, snapshot: Snapshot) -> None:
        """Keep the snapshot."""
        self.snapshots.append(snapshot)

    def checkpoint_stored(self, step: int, digest: str) -> None:
        """Keep the checkpoint's step and digest."""
        self.checkpoints.append((step, digest))

    def artifact_kept(self, artifact: Artifact) -> None:
        """Keep what is told of it."""
        self.artifacts.append(artifact)

    def ended(self, state: EndState, failure: Failure | None = None) -> None:
        """Keep the end."""
        self.state, self.failure = state, failure


def finite_or_none(value: float) -> float | None:
    """Return the value as events carry it: None if it is not finite."""
    return value if math.isfinite(value) else None
