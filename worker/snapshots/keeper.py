"""Sends the blobs of snapshots, checkpoints and the trained model to the API, in order, while the
training goes on."""

import io
import queue
import threading
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from contract.artifacts import Keep
from contract.events import Artifact, Snapshot
from worker.api.blobs import BlobStore
from worker.errors import BlobRefusedError, CancelledError, DataError, ReporterError
from worker.reporting import signs_of_life
from worker.reporting.reporter import Reporter
from worker.snapshots.media import sprite
from worker.snapshots.sample_facts import facts
from worker.snapshots.samples import SampleSet

MAX_WAITING: Final = 16
"""Snapshots and checkpoints that may wait to be sent. Then the training waits: none is dropped."""
POLL_S: Final = 0.2
"""Between two looks at whether the sending thread has failed."""


class Checkpoint(NamedTuple):
    """The state of a training after `step` steps, as bytes."""

    step: int
    content: bytes


class NewArtifact(NamedTuple):
    """A part of the trained model, as bytes."""

    artifact: Artifact
    """Without a digest."""
    content: bytes


class Keeper(Protocol):
    """Takes a run's snapshots and checkpoints, and its trained model."""

    @property
    def keeps(self) -> Keep | None:
        """What is kept of the trained model; None for nothing."""

    def keep_snapshot(self, samples: SampleSet, epoch: int, step: int, embeddings: Tensor) -> None:
        """Keep embeddings [N, D] of the samples after `epoch` epochs and `step` steps."""

    def ready_for_checkpoint(self) -> bool:
        """Return whether the previous checkpoint is stored or was refused."""

    def keep_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint, after the snapshots handed over before it."""

    def keep_artifact(self, new: NewArtifact) -> None:
        """Keep a part of the trained model."""

    def close(self, *, with_checkpoint: bool = False) -> None:
        """Wait until all snapshots are kept; call it before the run's end is reported.

        Args:
            with_checkpoint: whether to wait for the checkpoint too, for another attempt. At a run's
                end it is of no use and left out.
        """


class NoKeeper:
    """A Keeper that keeps nothing, for the warm-up and tests."""

    keeps: Keep | None = None

    def keep_snapshot(self, samples: SampleSet, epoch: int, step: int, embeddings: Tensor) -> None:
        """Do nothing."""

    def ready_for_checkpoint(self) -> bool:
        """Return False: there is never a checkpoint to take."""
        return False

    def keep_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Do nothing."""

    def keep_artifact(self, new: NewArtifact) -> None:
        """Do nothing."""

    def close(self, *, with_checkpoint: bool = False) -> None:
        """Do nothing."""


class SharedBlobs(NamedTuple):
    """Digests of the blobs that all snapshots of a run share."""

    samples: str
    sprite: str | None
    sounds: str | None


class SnapshotKeeper:
    """A Keeper that sends from a separate thread, and reports what is stored.

    It waits while the API is away, as the reporter does. A blob that the API refuses costs that
    snapshot, checkpoint or part of the model, which the run's log says, and not the run. A
    cancelled run leaves out what is not sent yet; a run at its end leaves out a checkpoint.

    Attributes:
        keeps: what is kept of the trained model; None for nothing.
    """

    def __init__(
        self,
        store: BlobStore,
        reporter: Reporter,
        cancelled: Callable[[], bool] = lambda: False,
        keeps: Keep | None = None,
    ) -> None:
        self.keeps = keeps
        self._store = store
        self._reporter = reporter
        self._cancelled = cancelled
        self._waiting: queue.Queue[_Item] = queue.Queue(MAX_WAITING)
        self._saving = threading.Event()
        self._closing = threading.Event()
        self._refused = False
        self._shared_blobs: SharedBlobs | None = None
        self._fault: BaseException | None = None
        self._moves = 0
        """How often the sending thread has got on."""
        self._thread: threading.Thread | None = None

    def keep_snapshot(self, samples: SampleSet, epoch: int, step: int, embeddings: Tensor) -> None:
        """Hand over a snapshot; waits while too many wait to be sent.

        Raises:
            ReporterError: the sending thread failed.
        """
        copy = embeddings.detach().to("cpu", torch.float32).clone()
        self._put(_PendingSnapshot(samples, epoch, step, copy))

    def ready_for_checkpoint(self) -> bool:
        """Return whether the previous checkpoint is stored or was refused."""
        return not self._saving.is_set()

    def keep_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Hand over a checkpoint.

        Raises:
            ReporterError: the sending thread failed.
        """
        self._saving.set()
        self._put(checkpoint)

    def keep_artifact(self, new: NewArtifact) -> None:
        """Hand over a part of the trained model.

        Raises:
            ReporterError: the sending thread failed.
        """
        self._put(new)

    def close(self, *, with_checkpoint: bool = False) -> None:
        """Wait until all are sent.

        Raises:
            ReporterError: the sending thread failed.
        """
        if self._thread is None:
            return
        if not with_checkpoint:
            self._closing.set()
        self._put(None)
        moves = -1
        while self._thread.is_alive():
            moves = self._sign_if_moved(moves)
            self._thread.join(POLL_S)
        self._check()

    def _put(self, item: "_Item") -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="snapshots", daemon=True)
            self._thread.start()
        moves = self._moves
        while True:
            self._check()
            try:
                self._waiting.put(item, timeout=POLL_S)
            except queue.Full:
                moves = self._sign_if_moved(moves)
                continue
            return

    def _sign_if_moved(self, before: int) -> int:
        """Give a sign of life for a training that waits, if the sending thread has got on since;
        return its count of moves now."""
        if self._moves != before:
            signs_of_life.sign("waiting until snapshots are stored")
        return self._moves

    def _is_cancelled(self) -> bool:
        """Return whether the run is cancelled; the store calls it whenever it has got on."""
        self._moves += 1
        return self._cancelled()

    def _check(self) -> None:
        if self._fault:
            raise ReporterError(f"keeping snapshots broke down: {self._fault!r}") from self._fault

    def _work(self) -> None:
        try:
            while (item := self._waiting.get()) is not None:
                if isinstance(item, Checkpoint):
                    self._send_checkpoint(item)
                elif self._is_cancelled():
                    self._discard(item)
                elif isinstance(item, NewArtifact):
                    self._send_artifact(item)
                else:
                    self._send_snapshot(*item)
        except CancelledError:
            self._discard_rest()
        except BaseException as fault:  # noqa: BLE001 - raised again in the training loop
            self._fault = fault

    def _discard_rest(self) -> None:
        """Discard all further items of a cancelled run, so that the training never waits."""
        while (item := self._waiting.get()) is not None:
            self._discard(item)

    def _discard(self, item: "_PendingSnapshot | Checkpoint | NewArtifact") -> None:
        """Discard an item of a cancelled run. The run may have succeeded before it learnt of that:
        then it says why a part of its model is missing."""
        if isinstance(item, NewArtifact):
            self._report_lacking(item, "the run was cancelled before it was stored")

    def _send_snapshot(self, samples: SampleSet, epoch: int, step: int, embeddings: Tensor) -> None:
        try:
            shared = self._send_shared(samples)
            labels = torch.tensor(samples.description.labels)
            content = facts(embeddings, labels).model_dump_json().encode()
            snapshot = Snapshot(
                epoch=epoch,
                step=step,
                embeddings=self._store.put(npy_bytes(embeddings), self._is_cancelled),
                facts=self._store.put(content, self._is_cancelled),
                samples=shared.samples,
                sprite=shared.sprite,
                sounds=shared.sounds,
            )
        except (BlobRefusedError, DataError) as error:
            self._reporter.log([f"the snapshot of epoch {epoch} was not kept: {error}"])
            return
        self._reporter.snapshot_stored(snapshot)

    def _send_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Send and report a checkpoint. The snapshots before it are stored by now, and its values
        were reported before it was handed over, so the report comes after all of them."""
        if not (self._closing.is_set() or self._is_cancelled()):
            try:
                digest = self._store.put(checkpoint.content, self._is_cancelled)
            except BlobRefusedError as error:
                if not self._refused:  # the next ones may be refused too, and there may be many
                    line = f"the checkpoint of step {checkpoint.step} was not kept: {error}"
                    self._reporter.log([line])
                self._refused = True
            else:
                self._refused = False
                self._reporter.checkpoint_stored(checkpoint.step, digest)
        self._saving.clear()

    def _send_artifact(self, new: NewArtifact) -> None:
        """Send and report a part of the model; where it cannot be stored, report why."""
        try:
            digest = self._store.put(new.content, self._is_cancelled)
        except BlobRefusedError as error:
            self._report_lacking(new, str(error))
        except CancelledError:
            self._discard(new)
            raise
        else:
            self._reporter.artifact_kept(new.artifact.model_copy(update={"digest": digest}))

    def _report_lacking(self, new: NewArtifact, problem: str) -> None:
        self._reporter.log([f"the model's {new.artifact.kind} could not be kept: {problem}"])
        self._reporter.artifact_kept(new.artifact.model_copy(update={"problem": problem}))

    def _send_shared(self, samples: SampleSet) -> SharedBlobs:
        """Send the blobs that all snapshots share, once, and return their digests."""
        if self._shared_blobs is None:
            description = samples.description.content()
            picture = None
            if samples.pictures and samples.description.tile:
                picture = sprite(samples.pictures, samples.description.tile)
            self._shared_blobs = SharedBlobs(
                self._store.put(description, self._is_cancelled),
                None if picture is None else self._store.put(picture, self._is_cancelled),
                None
                if samples.sounds is None
                else self._store.put(samples.sounds, self._is_cancelled),
            )
        return self._shared_blobs


class _PendingSnapshot(NamedTuple):
    """A snapshot that waits to be sent."""

    samples: SampleSet
    epoch: int
    step: int
    embeddings: Tensor


_Item = _PendingSnapshot | Checkpoint | NewArtifact | None
"""What waits to be sent; None for the end."""


def npy_bytes(embeddings: Tensor) -> bytes:
    """Return embeddings as the bytes of a .npy file."""
    written = io.BytesIO()
    np.save(written, embeddings.numpy(), allow_pickle=False)
    return written.getvalue()
