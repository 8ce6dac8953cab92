"""Snapshots of a run: taken at the right epochs, stored before they are reported, with faults."""

import hashlib
import io
import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from contract.snapshots import Facts, Samples
from tests.support.specs import small
from worker.api.client import Claim
from worker.errors import BlobRefusedError, CancelledError, ReporterError
from worker.reporting.reporter import ListReporter
from worker.snapshots import SnapshotKeeper
from worker.trainer.attempt import run_attempt

CPU = torch.device("cpu")


class MemoryStore:
    """A blob store in memory."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return digest


ARMS = [{"name": kind, "loss": {"kind": kind}} for kind in ("contrastive", "triplet")]


def trained(
    store: MemoryStore, *, arm: str = "contrastive", seed: int = 0, **changes: object
) -> ListReporter:
    changes = {"training": {"epochs": 5, "batch_size": 256}, "arms": ARMS, **changes}
    raw = small(measure={"snapshot_every": 2, "snapshot_size": 50}, **changes)
    claim = Claim(run="r", attempt=1, lease_s=10, comparison="c", arm=arm, seed=seed, spec=raw)
    reporter = ListReporter()
    run_attempt(claim, reporter, lambda: False, CPU, SnapshotKeeper(store, reporter))
    assert reporter.state == "succeeded", reporter.failure
    return reporter


def test_snapshots_are_of_epoch_0_of_every_nth_and_of_the_last() -> None:
    store = MemoryStore()
    reporter = trained(store)
    assert [one.epoch for one in reporter.snapshots] == [0, 2, 4, 5]
    assert [one.step for one in reporter.snapshots] == [
        epoch * reporter.steps_per_epoch for epoch in (0, 2, 4, 5)
    ]
    for one in reporter.snapshots:
        embeddings = np.load(io.BytesIO(store.blobs[one.embeddings]))
        assert (embeddings.dtype, len(embeddings)) == (np.dtype("float32"), 50)
        assert len(Facts.model_validate_json(store.blobs[one.facts]).correct) == 50
    assert len({one.embeddings for one in reporter.snapshots}) == 4


def test_all_arms_and_seeds_show_the_same_samples() -> None:
    store = MemoryStore()
    shown = {
        (one.samples, one.sprite)
        for arm, seed in (("contrastive", 0), ("triplet", 1))
        for one in trained(store, arm=arm, seed=seed).snapshots
    }
    assert len(shown) == 1


class RefusingStore(MemoryStore):
    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        if content.startswith(b"\x93NUMPY"):
            raise BlobRefusedError("no room")
        return super().put(content, cancelled)


def test_a_refused_blob_costs_the_snapshot_and_not_the_run() -> None:
    reporter = trained(RefusingStore())
    assert reporter.snapshots == []
    assert "the snapshot of epoch 0 was not kept: no room" in reporter.lines


class UnreachableStore(MemoryStore):
    """Waits until the run is cancelled, as for an API that is away."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.cancelled = threading.Event()

    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        self.asked.set()
        self.cancelled.wait(30)
        raise CancelledError


def test_a_cancelled_run_does_not_wait_for_an_api_that_is_away() -> None:
    store, reporter = UnreachableStore(), ListReporter()
    raw = small(measure={"snapshot_every": 1}, training={"epochs": 1000, "batch_size": 256})
    claim = Claim(run="r", attempt=1, lease_s=10, comparison="c", arm="triplet", seed=0, spec=raw)
    keeper = SnapshotKeeper(store, reporter, store.cancelled.is_set)

    def cancelled() -> bool:
        if store.asked.is_set() and reporter.series.get("retrieval.map_at_r", [(0, 0)])[-1][0]:
            store.cancelled.set()
        return store.cancelled.is_set()

    run_attempt(claim, reporter, cancelled, CPU, keeper)
    assert (reporter.state, reporter.snapshots) == ("cancelled", [])


class BrokenStore(MemoryStore):
    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        raise RuntimeError("a bug")


def test_an_error_of_the_keeper_is_raised_in_the_training() -> None:
    with pytest.raises(ReporterError, match="a bug"):
        trained(BrokenStore())


def test_the_description_of_the_samples_and_their_sprite_are_stored() -> None:
    store = MemoryStore()
    one = trained(store).snapshots[0]
    description = Samples.model_validate_json(store.blobs[one.samples])
    assert len(description.labels) == 50
    assert one.sprite is not None
    assert description.columns == 8
    assert Image.open(io.BytesIO(store.blobs[one.sprite])).size == (8 * 28, 7 * 28)
