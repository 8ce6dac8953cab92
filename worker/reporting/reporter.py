"""What a training loop reports to. The loop never knows who listens."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from contract.events import Failure, Preparation, Snapshot

EndState = Literal["succeeded", "failed", "cancelled"]


class Reporter(Protocol):
    """Takes a run's values and words, in order."""

    def preparing(self, preparation: Preparation) -> None:
        """How far something is that comes before the first step."""

    def started(
        self, *, device: str, total_steps: int, steps_per_epoch: int, after: int = 0
    ) -> None:
        """Everything is built; the step behind `after` comes next, which is that of the claim's
        checkpoint or 0."""

    def points(self, step: int, values: Mapping[str, float]) -> None:
        """Values measured after `step` optimiser steps; steps of one key rise.

        A value that is not finite is kept as one that was measured and has no number. May wait
        while the listener is away and too much is outstanding; drops nothing.
        """

    def log(self, lines: Sequence[str]) -> None:
        """Lines for the run's log."""

    def snapshot_stored(self, snapshot: Snapshot) -> None:
        """A snapshot whose blobs are stored; may come from another thread than the rest."""

    def checkpoint_stored(self, step: int, digest: str) -> None:
        """A checkpoint is stored, and all up to its step has been reported; may come from another
        thread than the rest."""

    def ended(self, state: EndState, failure: Failure | None = None) -> None:
        """The run is over; nothing may follow."""


class ListReporter:
    """Keeps everything in lists, for tests and scripts."""

    def __init__(self) -> None:
        self.device = ""
        self.total_steps = 0
        self.steps_per_epoch = 0
        self.series: dict[str, list[tuple[int, float | None]]] = {}
        self.lines: list[str] = []
        self.preparations: list[Preparation] = []
        self.snapshots: list[Snapshot] = []
        self.checkpoints: list[tuple[int, str]] = []
        self.after = 0
        self.state: EndState | None = None
        self.failure: Failure | None = None

    def preparing(self, preparation: Preparation) -> None:
        """Keep it."""
        self.preparations.append(preparation)

    def started(
        self, *, device: str, total_steps: int, steps_per_epoch: int, after: int = 0
    ) -> None:
        """Keep the run's frame."""
        self.device, self.total_steps = device, total_steps
        self.steps_per_epoch, self.after = steps_per_epoch, after

    def points(self, step: int, values: Mapping[str, float]) -> None:
        """Keep the values under their keys."""
        for key, value in values.items():
            self.series.setdefault(key, []).append((step, finite_or_none(value)))

    def log(self, lines: Sequence[str]) -> None:
        """Keep the lines."""
        self.lines += lines

    def snapshot_stored(self, snapshot: Snapshot) -> None:
        """Keep it."""
        self.snapshots.append(snapshot)

    def checkpoint_stored(self, step: int, digest: str) -> None:
        """Keep it."""
        self.checkpoints.append((step, digest))

    def ended(self, state: EndState, failure: Failure | None = None) -> None:
        """Keep the end."""
        self.state, self.failure = state, failure


def finite_or_none(value: float) -> float | None:
    """The value as it travels: None where it is not finite."""
    return value if math.isfinite(value) else None
