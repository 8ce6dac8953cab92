"""Keeps snapshots and checkpoints: sends their blobs beside the training, in order."""

import io
import queue
import threading
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from contract.events import Snapshot
from worker.api.blobs import BlobStore
from worker.errors import BlobRefusedError, CancelledError, DataError, ReporterError
from worker.reporting.reporter import Reporter
from worker.snapshots.media import sprite
from worker.snapshots.sample_facts import facts
from worker.snapshots.samples import SampleSet

MAX_WAITING: Final = 16
"""Snapshots that may wait; then the training waits, for none is dropped."""
POLL_S: Final = 0.2


class Checkpoint(NamedTuple):
    """A training's state after so many steps, as bytes."""

    step: int
    content: bytes


class Keeper(Protocol):
    """Takes the embeddings of a run's samples, and its states."""

    def keep_snapshot(self, material: SampleSet, epoch: int, step: int, embeddings: Tensor) -> None:
        """Keep embeddings [N, D] of the material's points, after so many epochs and steps."""

    def ready_for_checkpoint(self) -> bool:
        """Whether the checkpoint before is out of its hands, so that there is room for one."""

    def keep_checkpoint(self, saved: Checkpoint) -> None:
        """Keep a checkpoint, behind the snapshots handed over before."""

    def close(self, *, with_checkpoint: bool = False) -> None:
        """Wait until all snapshots are kept; call it before the run's end is reported. Of use to
        another attempt is the checkpoint too, which is else left out."""


class NoKeeper:
    """Keeps nothing, for tests and the warm-up."""

    def keep_snapshot(self, material: SampleSet, epoch: int, step: int, embeddings: Tensor) -> None:
        """Do nothing."""

    def ready_for_checkpoint(self) -> bool:
        """None."""
        return False

    def keep_checkpoint(self, saved: Checkpoint) -> None:
        """Do nothing."""

    def close(self, *, with_checkpoint: bool = False) -> None:
        """Do nothing."""


class SharedBlobs(NamedTuple):
    """Digests of what all of a run's snapshots share."""

    samples: str
    sprite: str | None
    sounds: str | None


class SnapshotKeeper:
    """Sends from a thread of its own, and reports a snapshot once its blobs are stored.

    A backend that is away is waited for, as the reporter does; one that refuses a blob costs that
    snapshot or checkpoint, which the run's log says, and not the run. A cancelled run leaves out
    what is not sent yet, and one at its end a checkpoint.
    """

    def __init__(
        self, store: BlobStore, reporter: Reporter, cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        self._store = store
        self._reporter = reporter
        self._cancelled = cancelled
        self._waiting: queue.Queue[_PendingSnapshot | Checkpoint | None] = queue.Queue(MAX_WAITING)
        self._saving = threading.Event()
        self._closing = threading.Event()
        self._refused = False
        self._same: SharedBlobs | None = None
        self._fault: BaseException | None = None
        self._thread: threading.Thread | None = None

    def keep_snapshot(self, material: SampleSet, epoch: int, step: int, embeddings: Tensor) -> None:
        """Hand a snapshot over; waits while too many wait.

        Raises:
            ReporterError: keeping broke down.
        """
        own = embeddings.detach().to("cpu", torch.float32).clone()
        self._put(_PendingSnapshot(material, epoch, step, own))

    def ready_for_checkpoint(self) -> bool:
        """Whether the checkpoint before is stored, or was refused."""
        return not self._saving.is_set()

    def keep_checkpoint(self, saved: Checkpoint) -> None:
        """Hand a checkpoint over.

        Raises:
            ReporterError: keeping broke down.
        """
        self._saving.set()
        self._put(saved)

    def close(self, *, with_checkpoint: bool = False) -> None:
        """Wait until all are kept.

        Raises:
            ReporterError: keeping broke down.
        """
        if self._thread is None:
            return
        if not with_checkpoint:
            self._closing.set()
        self._put(None)
        self._thread.join()
        self._check()

    def _put(self, one: "_PendingSnapshot | Checkpoint | None") -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="snapshots", daemon=True)
            self._thread.start()
        while True:
            self._check()
            try:
                self._waiting.put(one, timeout=POLL_S)
            except queue.Full:
                continue
            return

    def _check(self) -> None:
        if self._fault:
            raise ReporterError(f"keeping snapshots broke down: {self._fault!r}") from self._fault

    def _work(self) -> None:
        try:
            while (one := self._waiting.get()) is not None:
                if isinstance(one, Checkpoint):
                    self._save(one)
                elif not self._cancelled():
                    self._send(*one)
        except CancelledError:
            self._leave_out()
        except BaseException as fault:  # noqa: BLE001 - told to the loop, which raises it
            self._fault = fault

    def _leave_out(self) -> None:
        """The run was cancelled amid a snapshot: take what comes, so that nobody waits."""
        while self._waiting.get() is not None:
            pass

    def _send(self, material: SampleSet, epoch: int, step: int, embeddings: Tensor) -> None:
        try:
            shared = self._shared(material)
            labels = torch.tensor(material.samples.labels)
            seen = facts(embeddings, labels).model_dump_json().encode()
            snapshot = Snapshot(
                epoch=epoch,
                step=step,
                embeddings=self._store.put(npy_bytes(embeddings), self._cancelled),
                facts=self._store.put(seen, self._cancelled),
                samples=shared.samples,
                sprite=shared.sprite,
                sounds=shared.sounds,
            )
        except (BlobRefusedError, DataError) as error:
            self._reporter.log([f"the snapshot of epoch {epoch} was not kept: {error}"])
            return
        self._reporter.snapshot_stored(snapshot)

    def _save(self, saved: Checkpoint) -> None:
        """Whose snapshots are stored, and whose points are on their way: they were told before."""
        if not (self._closing.is_set() or self._cancelled()):
            try:
                digest = self._store.put(saved.content, self._cancelled)
            except BlobRefusedError as error:
                if not self._refused:  # the next ones may well be too, and there may be many
                    line = f"the checkpoint of step {saved.step} was not kept: {error}"
                    self._reporter.log([line])
                self._refused = True
            else:
                self._refused = False
                self._reporter.checkpoint_stored(saved.step, digest)
        self._saving.clear()

    def _shared(self, material: SampleSet) -> SharedBlobs:
        if self._same is None:
            told = material.samples.model_dump_json().encode()
            drawn = None
            if material.pictures and material.samples.tile:
                drawn = sprite(material.pictures, material.samples.tile)
            self._same = SharedBlobs(
                self._store.put(told, self._cancelled),
                None if drawn is None else self._store.put(drawn, self._cancelled),
                None
                if material.sounds is None
                else self._store.put(material.sounds, self._cancelled),
            )
        return self._same


class _PendingSnapshot(NamedTuple):
    """What a snapshot is made from."""

    material: SampleSet
    epoch: int
    step: int
    embeddings: Tensor


def npy_bytes(embeddings: Tensor) -> bytes:
    """Embeddings as the bytes of a .npy file."""
    written = io.BytesIO()
    np.save(written, embeddings.numpy(), allow_pickle=False)
    return written.getvalue()
