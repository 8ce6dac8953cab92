"""The projector: computes the projections that viewers wait for, in two lanes side by side.

Projections by PCA are computed at once, and never wait for another method. Those of t-SNE and
PaCMAP are computed one after the other, in a process of their own.
"""

import io
import logging
import threading
import time
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.api.blobs import BlobClient
from worker.api.client import ProjectionApi, ProjectionTask
from worker.errors import ApiUnavailableError, BlobRefusedError, CancelledError
from worker.projection.layout_process import LayoutError, LayoutProcess, Order
from worker.projection.layouts import Embeddings, project
from worker.projection.methods import MODULES
from worker.settings import Settings

QUICK: Final = "pca"
LANES: Final = ((QUICK,), tuple(name for name in MODULES if name != QUICK))
"""The methods of each lane."""
NAME: Final = "lb-projector"
"""Of the process, for `ps` and `top`."""
POLL_S: Final = 0.3
"""Between two claims while nothing waits."""
RETRY_S: Final = 2.0
"""Before the next claim while the API is away."""
PROGRESS_S: Final = 0.5
"""Between two looks at the progress of a projection."""
MAX_SILENCE_S: Final = 2.0
"""Longest time without a report about a projection, also while its progress stands still: only an
answer says that it was cancelled, and after 30 s of silence another projector gets it."""

log = logging.getLogger(__name__)


class UnwantedError(Exception):
    """The projection was cancelled or deleted, or the projector is stopping."""


class Projector:
    """The work of one process. `stop` may be called from a signal handler."""

    def __init__(self, settings: Settings) -> None:
        self._stopping = threading.Event()
        self._lanes = [_Lane(settings, methods, self._stopping) for methods in LANES]
        self._fault: BaseException | None = None

    def stop(self) -> None:
        """Claim nothing more, and drop what is computed: another projector claims it."""
        self._stopping.set()

    def work(self) -> None:
        """Compute the projections that wait, until stopped.

        Raises:
            Exception: what ended a lane that was not to end.
        """
        threads = [
            threading.Thread(target=self._work, args=(lane,), name=lane.methods[0], daemon=True)
            for lane in self._lanes
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._fault:
            raise self._fault

    def close(self) -> None:
        """Close the connections."""
        for lane in self._lanes:
            lane.close()

    def _work(self, lane: "_Lane") -> None:
        try:
            lane.work()
        except BaseException as fault:  # noqa: BLE001 - raised again by `work`
            self._fault = fault
            self._stopping.set()


class _Lane:
    """Computes the projections of some methods, one after the other."""

    def __init__(
        self, settings: Settings, methods: Sequence[str], stopping: threading.Event
    ) -> None:
        self.methods = methods
        self._api = ProjectionApi(settings)
        self._progress_api = ProjectionApi(settings)
        self._blobs = BlobClient(settings)
        self._stopping = stopping
        self._process = LayoutProcess()

    def work(self) -> None:
        """Compute what waits, until stopped."""
        away = False
        while not self._stopping.is_set():
            try:
                task = self._api.claim(self.methods)
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
        """Close the connections, and end the process of the layouts."""
        self._process.close()
        self._api.close()
        self._progress_api.close()
        self._blobs.close()

    def _compute(self, task: ProjectionTask) -> None:
        try:
            with _ProgressReports(self._progress_api, task.id) as reports:
                coordinates = self._coordinates(task, reports)
            content = coordinates.astype("<f4").tobytes()
            digest = self._blobs.put(content, self._stopping.is_set)
        except (UnwantedError, CancelledError):
            return
        except ApiUnavailableError:
            raise
        except BlobRefusedError as error:
            self._api.end(task.id, error=f"the coordinates cannot be stored: {error}")
        except LayoutError as error:
            log.error("projection %s: %s", task.id, error)
            self._api.end(task.id, error=str(error))
        except Exception as error:
            log.exception("projection %s", task.id)
            self._api.end(task.id, error=f"{type(error).__name__}: {error}")
        else:
            self._api.end(task.id, digest=digest)

    def _coordinates(
        self, task: ProjectionTask, reports: "_ProgressReports"
    ) -> NDArray[np.float32]:
        """Compute the coordinates, [arms, epochs, N, dims].

        Raises:
            UnwantedError: nobody wants them any more.
            LayoutError: they cannot be computed.
        """

        def note(share: float) -> None:
            reports.share = share
            check()

        def check() -> None:
            if self._stopping.is_set() or reports.unwanted.is_set():
                raise UnwantedError

        snapshots = [
            [self._embeddings(epoch.embeddings) for epoch in arm.epochs] for arm in task.inputs
        ]
        if task.method == QUICK:
            return project(
                snapshots, method=QUICK, dims=task.dims, seed=task.seed, on_progress=note
            )
        order = Order(snapshots, task.method, task.dims, task.seed)
        return self._process.project(order, note, check)

    def _embeddings(self, digest: str) -> Embeddings:
        content = self._blobs.get(digest)
        loaded: Embeddings = np.load(io.BytesIO(content), allow_pickle=False)
        return loaded


class _ProgressReports:
    """Reports how far a projection is, from a separate thread: some layouts are one long call.

    Attributes:
        share: of the projection that is done, 0 to 1.
        unwanted: set once it was cancelled or deleted.
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
