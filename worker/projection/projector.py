"""The projector: computes the projections that viewers wait for, one after the other.

A projection has a layout for every arm and epoch, all aligned with one another.
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
from worker.projection.methods import Points, layout_method
from worker.settings import Settings

POLL_S: Final = 0.4
"""Between two claims while nothing waits."""
RETRY_S: Final = 2.0
"""Before the next claim while the API is away."""
PROGRESS_S: Final = 0.5
"""Between two looks at the progress of a projection."""
MAX_SILENCE_S: Final = 5.0
"""Longest time without a report about a projection, also while its progress stands still: the API
gives a projection to another projector after 30 s of silence."""

log = logging.getLogger(__name__)


def project(
    snapshots: Sequence[Sequence[Points]],
    *,
    method: str,
    dims: int,
    seed: int,
    on_progress: Callable[[float], None] = lambda _: None,
) -> NDArray[np.float32]:
    """Compute coordinates of all snapshots; the same for the same snapshots and seed.

    The layout of an epoch starts from that of the epoch before. The epochs of the first arm are
    aligned with one another; each epoch of another arm is aligned with that of the first.

    Args:
        snapshots: by arm, then by epoch, embeddings [N, D] of the same samples; D may differ
            between arms.
        method: pca, tsne or pacmap.
        dims: 2 or 3.
        seed: of the numbers that the method draws.
        on_progress: takes the share that is done, 0 to 1; may raise to stop the computation.

    Returns:
        [arms, epochs, N, dims], each layout centred at its mean.
    """
    layout = layout_method(method)
    total, done = sum(map(len, snapshots)), 0
    arms: list[list[Points]] = []
    for epochs in snapshots:
        layouts: list[Points] = []
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
            target = arms[0][len(layouts)] if arms else layouts[-1] if layouts else start
            layouts.append(align(start, target))
            done += 1
        arms.append(layouts)
    return np.asarray(arms, dtype=np.float32)


def align(points: Points, target: Points) -> Points:
    """Rotate and mirror points [N, d] about their mean to lie nearest to the target [N, d].

    Orthogonal Procrustes (Schönemann 1966): the R with R^T R = I that minimises ||P R - T||, with P
    and T centred at their means. Distances between points stay as they are; nothing is scaled, so
    that a wider space is shown wider.

    Returns:
        [N, d], centred at its mean.
    """
    centred, centred_target = points - points.mean(axis=0), target - target.mean(axis=0)
    left, _, right = np.linalg.svd(centred.T @ centred_target)
    rotated: Points = centred @ (left @ right)
    return rotated


class UnwantedError(Exception):
    """No viewer waits for this projection any more, or the projector is stopping."""


class Projector:
    """The work of one process. `stop` may be called from a signal handler."""

    def __init__(self, settings: Settings) -> None:
        self._api = ProjectionApi(settings)
        self._progress_api = ProjectionApi(settings)
        self._blobs = BlobClient(settings)
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Claim nothing more, and drop the current projection: another projector claims it."""
        self._stopping.set()

    def work(self) -> None:
        """Compute the projections that wait, until stopped."""
        away = False
        while not self._stopping.is_set():
            try:
                task = self._api.claim()
                if task:
                    self._compute(task)
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
        self._progress_api.close()
        self._blobs.close()

    def _compute(self, task: ProjectionTask) -> None:
        try:
            with _ProgressReports(self._progress_api, task.id) as reports:
                snapshots = [
                    [self._embeddings(epoch.embeddings) for epoch in arm.epochs]
                    for arm in task.inputs
                ]
                coordinates = project(
                    snapshots,
                    method=task.method,
                    dims=task.dims,
                    seed=task.seed,
                    on_progress=lambda share: self._note(reports, share),
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

    def _note(self, reports: "_ProgressReports", share: float) -> None:
        """Note the share done; raise UnwantedError if the computation is to stop."""
        reports.share = share
        if self._stopping.is_set() or reports.unwanted.is_set():
            raise UnwantedError


class _ProgressReports:
    """Reports how far a projection is, from a separate thread: some layouts are one long call.

    Attributes:
        share: of the projection that is done, 0 to 1.
        unwanted: set once no viewer waits for it any more.
    """

    def __init__(self, api: ProjectionApi, task: str) -> None:
        self.share = 0.0
        self.unwanted = threading.Event()
        self._api = api
        self._task = task
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._report, name="beat", daemon=True)

    def __enter__(self) -> "_ProgressReports":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _report(self) -> None:
        reported, reported_at = -1.0, 0.0
        while not self._ended.wait(PROGRESS_S):
            if self.share == reported and time.monotonic() < reported_at + MAX_SILENCE_S:
                continue
            reported, reported_at = self.share, time.monotonic()
            try:
                if not self._api.progress(self._task, reported):
                    self.unwanted.set()
            except ApiUnavailableError:
                continue  # only the end matters, and it is sent when the API answers again
