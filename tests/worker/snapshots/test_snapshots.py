"""Snapshots: the same samples for all, facts against plain loops, blobs before the message."""

import hashlib
import io
import threading
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from contract.comparison.spec import parse_spec
from contract.snapshots import Facts, Samples
from tests.support.specs import small
from worker import data
from worker.api.client import Claim
from worker.data import ImageFiles
from worker.data.splits import Indices
from worker.errors import BlobRefusedError, CancelledError, ReporterError
from worker.reporting.reporter import ListReporter
from worker.snapshots import SnapshotKeeper, draw_samples
from worker.snapshots.media import join_recordings, sprite, tile_side
from worker.snapshots.sample_facts import facts
from worker.trainer.attempt import run_attempt

CPU = torch.device("cpu")


class Shelf:
    """A blob store in memory."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return digest


ARMS = [{"name": kind, "loss": {"kind": kind}} for kind in ("contrastive", "triplet")]


def trained(
    shelf: Shelf, *, arm: str = "contrastive", seed: int = 0, **changes: object
) -> ListReporter:
    changes = {"training": {"epochs": 5, "batch_size": 256}, "arms": ARMS, **changes}
    raw = small(measure={"snapshot_every": 2, "snapshot_size": 50}, **changes)
    claim = Claim(run="r", attempt=1, lease_s=10, comparison="c", arm=arm, seed=seed, spec=raw)
    reporter = ListReporter()
    run_attempt(claim, reporter, lambda: False, CPU, SnapshotKeeper(shelf, reporter))
    assert reporter.state == "succeeded", reporter.failure
    return reporter


def test_untrained_every_so_many_epochs_and_the_last() -> None:
    shelf = Shelf()
    told = trained(shelf)
    assert [one.epoch for one in told.snapshots] == [0, 2, 4, 5]
    assert [one.step for one in told.snapshots] == [
        epoch * told.steps_per_epoch for epoch in (0, 2, 4, 5)
    ]
    for one in told.snapshots:
        embeddings = np.load(io.BytesIO(shelf.blobs[one.embeddings]))
        assert (embeddings.dtype, len(embeddings)) == (np.dtype("float32"), 50)
        assert len(Facts.model_validate_json(shelf.blobs[one.facts]).correct) == 50
    assert len({one.embeddings for one in told.snapshots}) == 4


def test_all_arms_and_seeds_show_the_same_samples() -> None:
    shelf = Shelf()
    shown = {
        (one.samples, one.sprite)
        for arm, seed in (("contrastive", 0), ("triplet", 1))
        for one in trained(shelf, arm=arm, seed=seed).snapshots
    }
    assert len(shown) == 1


def test_samples_are_validation_items() -> None:
    spec = parse_spec(small(measure={"snapshot_size": 40}))
    pool = data.load(spec.data)
    material = draw_samples(pool, spec)
    told = material.samples
    assert set(told.ids) <= set(pool.indices.validation.tolist())
    assert len(set(told.ids)) == 40
    assert told.labels == pool.labels[torch.tensor(told.ids)].tolist()
    assert (told.total, told.media, told.tile) == (len(pool.indices.validation), "image", 28)
    assert told.classes == [str(digit) for digit in range(10)]
    kept = pool.dataset().validation.take(material.places)
    assert torch.equal(kept.items, pool.items[torch.tensor(told.ids)])  # type: ignore[index]


def test_fewer_items_than_asked_for_are_all_shown() -> None:
    spec = parse_spec(small(measure={"snapshot_size": 100_000}))
    pool = data.load(spec.data)
    assert draw_samples(pool, spec).samples.ids == sorted(pool.indices.validation.tolist())


def test_paired_data_give_two_points_an_item() -> None:
    rng = np.random.default_rng(0)
    labels = torch.arange(60) % 3
    vectors = torch.from_numpy(rng.standard_normal((60, 4)).astype("float32"))
    raw = small(
        data={"kind": "spoken_digits"}, encoder={"kind": "audio_convnet", "embedding_dim": 8}
    )
    raw["visual_encoder"] = {"kind": "convnet", "embedding_dim": 8}
    spec = parse_spec(raw)
    pool = data.Pool(
        vectors.view(60, 1, 2, 2),
        labels,
        Indices(*np.split(np.arange(60), [20, 40])),
        fine=labels * 2,
        visual=vectors.view(60, 1, 2, 2),
    )
    told = draw_samples(pool, spec).samples
    assert told.modality == [0] * 20 + [1] * 20
    assert told.labels[:20] == told.labels[20:]
    assert told.fine is not None
    assert told.fine[20:] == [-1] * 20
    assert (told.modalities, told.media, told.total) == (["audio", "visual"], "spectrogram", 40)


def test_facts_against_plain_loops() -> None:
    torch.manual_seed(0)
    points, labels = torch.randn(40, 3), torch.randint(0, 4, (40,))
    labels[0] = 9
    found = facts(points, labels)
    away = torch.cdist(points.double(), points.double())
    for i in range(40):
        order = [j for j in away[i].argsort(stable=True).tolist() if j != i]
        assert found.neighbours[i] == order[:10]
        assert found.distances[i] == pytest.approx(away[i][order[:10]].tolist(), rel=1e-4)
        others = int((labels == labels[i]).sum()) - 1
        if not others:
            assert (found.correct[i], found.average_precision[i]) == (None, None)
            continue
        assert found.correct[i] == int(labels[order[0]] == labels[i])
        hits = [int(labels[j] == labels[i]) for j in order[:others]]
        expected = sum(hit * sum(hits[: k + 1]) / (k + 1) for k, hit in enumerate(hits)) / others
        assert found.average_precision[i] == pytest.approx(expected, rel=1e-4, abs=1e-9)
    for own in found.classes:
        members = points[labels == own.label].double()
        spread = (members - members.mean(dim=0)).norm(dim=1)
        assert own.variance == pytest.approx(float(spread.square().mean()), rel=1e-4, abs=1e-9)
    assert [own.accuracy for own in found.classes if own.label == 9] == [None]
    assert sum(found.histogram.positive) + sum(found.histogram.negative) == 40 * 39 // 2


def test_a_sprite_has_the_items_in_their_order(tmp_path: Path) -> None:
    items = torch.zeros(5, 1, 28, 28, dtype=torch.uint8)
    for place in range(5):
        items[place] = 50 * place
    sheet = np.asarray(Image.open(io.BytesIO(sprite([items], 28))))
    assert sheet.shape == (56, 84)
    assert [int(sheet[28 * (i // 3) + 14, 28 * (i % 3) + 14]) for i in range(5)] == [
        0,
        50,
        100,
        150,
        200,
    ]
    assert tile_side(torch.zeros(1, 1, 8, 8)) == 28
    assert tile_side(torch.zeros(1, 3, 224, 224)) == 48
    path = tmp_path / "red.png"
    Image.new("RGB", (90, 60), (255, 0, 0)).save(path)
    drawn = Image.open(io.BytesIO(sprite([ImageFiles((path,))], 48)))
    assert drawn.size == (48, 48)
    assert drawn.getpixel((24, 24)) == (255, 0, 0)


def test_a_spectrogram_stands_with_its_low_bands_at_the_bottom() -> None:
    sound = torch.full((1, 1, 28, 28), -3.0)
    sound[:, :, 0] = 5.0
    sheet = np.asarray(Image.open(io.BytesIO(sprite([sound], 28))))
    assert sheet[-1].tolist() == [255] * 28
    assert sheet[0].tolist() == [0] * 28


class Refusing(Shelf):
    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        if content.startswith(b"\x93NUMPY"):
            raise BlobRefusedError("no room")
        return super().put(content, cancelled)


def test_a_refused_blob_costs_the_snapshot_and_not_the_run() -> None:
    told = trained(Refusing())
    assert told.snapshots == []
    assert "the snapshot of epoch 0 was not kept: no room" in told.lines


class Away(Shelf):
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
    store, reporter = Away(), ListReporter()
    raw = small(measure={"snapshot_every": 1}, training={"epochs": 1000, "batch_size": 256})
    claim = Claim(run="r", attempt=1, lease_s=10, comparison="c", arm="triplet", seed=0, spec=raw)
    keeper = SnapshotKeeper(store, reporter, store.cancelled.is_set)

    def cancelled() -> bool:
        if store.asked.is_set() and reporter.series.get("retrieval.map_at_r", [(0, 0)])[-1][0]:
            store.cancelled.set()
        return store.cancelled.is_set()

    run_attempt(claim, reporter, cancelled, CPU, keeper)
    assert (reporter.state, reporter.snapshots) == ("cancelled", [])


class Broken(Shelf):
    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        raise RuntimeError("a bug")


def test_a_broken_keeper_is_told_and_not_swallowed() -> None:
    with pytest.raises(ReporterError, match="a bug"):
        trained(Broken())


def test_the_samples_travel_as_told() -> None:
    shelf = Shelf()
    one = trained(shelf).snapshots[0]
    told = Samples.model_validate_json(shelf.blobs[one.samples])
    assert len(told.labels) == 50
    assert one.sprite is not None
    assert told.columns == 8
    assert Image.open(io.BytesIO(shelf.blobs[one.sprite])).size == (8 * 28, 7 * 28)


def test_recordings_lie_behind_one_another_in_one_sound(tmp_path: Path) -> None:
    paths = []
    for place, length in enumerate((800, 1600, 400)):
        path = tmp_path / f"{place}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(np.full(length, 100 * (place + 1), dtype="<i2").tobytes())
        paths.append(path)
    content, ends = join_recordings(paths)
    assert ends == pytest.approx([0.1, 0.3, 0.35])
    with wave.open(io.BytesIO(content)) as file:
        heard = np.frombuffer(file.readframes(10_000), dtype="<i2")
    assert heard.tolist() == [100] * 800 + [200] * 1600 + [300] * 400


def test_a_quiet_spectrogram_is_as_bright_as_a_loud_one() -> None:
    sounds = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    sounds[1] = sounds[0] / 100
    sheet = np.asarray(Image.open(io.BytesIO(sprite([sounds], 28))))
    assert np.abs(sheet[:, :28].astype(int) - sheet[:, 28:56]).max() <= 1
    assert sheet[:, :28].max() == 255
