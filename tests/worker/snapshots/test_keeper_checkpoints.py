"""Checkpoints are sent after the snapshots before them, one at a time, and none at the end."""

import hashlib
import threading
from collections.abc import Callable

import pytest
import torch

from contract.comparison.spec import parse_spec
from contract.events import Snapshot
from tests.support.specs import small
from tests.support.waiting import until
from worker import data
from worker.errors import BlobRefusedError
from worker.reporting.reporter import ListReporter
from worker.snapshots import Checkpoint, SampleSet, SnapshotKeeper, draw_samples


class OrderedReporter(ListReporter):
    """Keeps the order of snapshots and checkpoints too."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[tuple[str, int]] = []

    def snapshot_stored(self, snapshot: Snapshot) -> None:
        super().snapshot_stored(snapshot)
        self.order.append(("snapshot", snapshot.step))

    def checkpoint_stored(self, step: int, digest: str) -> None:
        super().checkpoint_stored(step, digest)
        self.order.append(("checkpoint", step))


class GatedStore:
    """Stores blobs once its gate is open, and refuses some."""

    def __init__(self, *, refused: tuple[bytes, ...] = ()) -> None:
        self.gate = threading.Event()
        self.refused = refused
        self.stored: list[bytes] = []

    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        self.gate.wait()
        if content in self.refused:
            raise BlobRefusedError("no room")
        self.stored.append(content)
        return hashlib.sha256(content).hexdigest()


@pytest.fixture(scope="module")
def samples() -> SampleSet:
    spec = parse_spec(small(measure={"snapshot_size": 10}))
    return draw_samples(data.load(spec.data), spec)


def test_a_checkpoint_is_reported_after_the_snapshots_before_it(samples: SampleSet) -> None:
    store, reporter = GatedStore(), OrderedReporter()
    keeper = SnapshotKeeper(store, reporter)
    embeddings = torch.randn(10, 4)
    keeper.keep_snapshot(samples, 1, 16, embeddings)
    assert keeper.ready_for_checkpoint()
    keeper.keep_checkpoint(Checkpoint(16, b"state"))
    keeper.keep_snapshot(samples, 2, 32, embeddings)
    assert not keeper.ready_for_checkpoint()
    store.gate.set()
    until(keeper.ready_for_checkpoint, "the checkpoint to be stored")
    keeper.close()
    assert reporter.order == [("snapshot", 16), ("checkpoint", 16), ("snapshot", 32)]
    assert reporter.checkpoints == [(16, hashlib.sha256(b"state").hexdigest())]


def test_the_end_waits_for_snapshots_and_not_for_a_checkpoint(
    samples: SampleSet,
) -> None:
    store, reporter = GatedStore(), OrderedReporter()
    keeper = SnapshotKeeper(store, reporter)
    keeper.keep_snapshot(samples, 1, 16, torch.randn(10, 4))
    keeper.keep_checkpoint(Checkpoint(16, b"state"))
    closing = threading.Thread(target=keeper.close)
    closing.start()
    until(keeper._closing.is_set, "the end")
    store.gate.set()
    closing.join()
    assert reporter.order == [("snapshot", 16)]
    assert b"state" not in store.stored


def test_refused_checkpoints_are_logged_once_in_a_row() -> None:
    store, reporter = GatedStore(refused=(b"1", b"2", b"4")), OrderedReporter()
    store.gate.set()
    keeper = SnapshotKeeper(store, reporter)
    for step in (1, 2, 3, 4):
        keeper.keep_checkpoint(Checkpoint(step, str(step).encode()))
        until(keeper.ready_for_checkpoint, f"checkpoint {step} to be stored or refused")
    keeper.close()
    assert reporter.order == [("checkpoint", 3)]
    assert reporter.lines == [
        f"the checkpoint of step {step} was not kept: no room" for step in (1, 4)
    ]


def test_a_cancelled_run_sends_no_checkpoint() -> None:
    store, reporter = GatedStore(), OrderedReporter()
    store.gate.set()
    keeper = SnapshotKeeper(store, reporter, lambda: True)
    keeper.keep_checkpoint(Checkpoint(1, b"state"))
    keeper.close()
    assert reporter.order == []
    assert store.stored == []
