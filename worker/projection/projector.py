"""The projector: takes what viewers wait for, one projection after the other.

All arms and epochs of one question, laid over one another.
"""

import io
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.api.blobs import BlobClient
from worker.api.client import ProjectionApi, ProjectionTask
from worker.errors import ApiUnavailableError, BlobRefusedError, CancelledError
from worker.projection.methods import Points, align
from worker.projection.methods import layout_method as method_of
from worker.settings import Settings


def project(
    snapshots: Sequence[Sequence[Points]],
    *,
    method: str,
    dims: int,
    seed: int,
    on_progress: Callable[[float], None] = lambda _: None,
) -> NDArray[np.float32]:
    """Coordinates of every snapshot, the same for the same snapshots and seed.

    An epoch's layout starts from the epoch before. The first arm's epochs are turned to lie over
    one another, every other arm's to lie over the first arm's of the same epoch.

    Args:
        snapshots: by arm, then by epoch, embeddings [N, D]; the same samples in all of them, D may
            differ between arms.
        method: pca, tsne or pacmap.
        dims: 2 or 3.
        seed: of whatever the method draws.
        on_progress: how much is done, 0 to 1; may raise to end it.

    Returns:
        [arms, epochs, N, dims], each layout about its mean.
    """
    layout = method_of(method)
    total, done = sum(map(len, snapshots)), 0
    arms: list[list[Points]] = []
    for epochs in snapshots:
        own: list[Points] = []
        start: Points | None = None
        for embeddings in epochs:
            before = done / total
            start = layout(
                np.asarray(embeddings, dtype=np.float64),
                dims,
                seed,
                start,
                lambda share, before=before: on_progress(before + share / total),  # type: ignore[misc]
            )
            target = arms[0][len(own)] if arms else own[-1] if own else start
            own.append(align(start, target))
            done += 1
        arms.append(own)
    return np.asarray(arms, dtype=np.float32)


POLL_S: Final = 0.4
"""Between two looks while nothing waits."""
RETRY_S: Final = 2.0
PROGRESS_S: Final = 0.5
MAX_SILENCE_S: Final = 5.0
"""Between words about a layout that says nothing of itself; the API waits 30 s for one."""

log = logging.getLogger(__name__)


class UnwantedError(Exception):
    """Nobody waits for this projection any more."""


class Projector:
    """One process's work; `stop` may be called from a signal handler."""

    def __init__(self, settings: Settings) -> None:
        self._api = ProjectionApi(settings)
        self._beat_api = ProjectionApi(settings)
        self._blobs = BlobClient(settings)
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Take nothing more; what is under way is left to whoever takes it next."""
        self._stopping.set()

    def work(self) -> None:
        """Take what waits, until stopped."""
        away = False
        while not self._stopping.is_set():
            try:
                task = self._api.claim()
                if task:
                    self._do(task)
            except ApiUnavailableError as error:
                if not away:
                    log.warning("the API does not answer, asking again: %s", error)
                away = True
                self._stopping.wait(RETRY_S)
                continue
            if away:
                log.warning("the API answers again")
            away = False
            if task is None:
                self._stopping.wait(POLL_S)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()
        self._beat_api.close()
        self._blobs.close()

    def _do(self, task: ProjectionTask) -> None:
        try:
            with _ProgressReports(self._beat_api, task.id) as beat:
                snapshots = [
                    [self._embeddings(one.embeddings) for one in arm.epochs] for arm in task.inputs
                ]
                coordinates = project(
                    snapshots,
                    method=task.method,
                    dims=task.dims,
                    seed=task.seed,
                    on_progress=lambda share: self._check(beat, share),
                )
            content = coordinates.astype("<f4").tobytes()
            digest = self._blobs.put(content, self._stopping.is_set)
        except (UnwantedError, CancelledError):
            return
        except ApiUnavailableError:
            raise
        except BlobRefusedError as error:
            self._api.end(task.id, error=f"the coordinates cannot be stored: {error}")
        except Exception as error:
            log.exception("projection %s", task.id)
            self._api.end(task.id, error=f"{type(error).__name__}: {error}")
        else:
            self._api.end(task.id, digest=digest)

    def _embeddings(self, digest: str) -> Points:
        content = self._blobs.get(digest)
        loaded: Points = np.load(io.BytesIO(content), allow_pickle=False).astype(np.float64)
        return loaded

    def _check(self, beat: "_ProgressReports", share: float) -> None:
        beat.share = share
        if self._stopping.is_set() or beat.unwanted.is_set():
            raise UnwantedError


class _ProgressReports:
    """Says how far a projection is, from a thread of its own: some layouts are one long call."""

    def __init__(self, api: ProjectionApi, task: str) -> None:
        self.share = 0.0
        self.unwanted = threading.Event()
        self._api = api
        self._task = task
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="beat", daemon=True)

    def __enter__(self) -> "_ProgressReports":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _tell(self) -> None:
        told, told_at = -1.0, 0.0
        while not self._ended.wait(PROGRESS_S):
            if self.share == told and time.monotonic() < told_at + MAX_SILENCE_S:
                continue
            told, told_at = self.share, time.monotonic()
            try:
                if not self._api.progress(self._task, told):
                    self.unwanted.set()
            except ApiUnavailableError:
                continue  # the end is what counts, and is sent when it answers again
