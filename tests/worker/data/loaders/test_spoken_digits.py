"""Spoken digits with images: read from wav files, paired within splits, and learnable."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from contract.comparison.data import SpokenDigitsData
from tests.support import tiny_mnist, tiny_spoken
from tests.support.file_server import serving
from tests.support.specs import small
from tests.worker.trainer.test_training import attempted, trained
from worker import data
from worker.data import Pool
from worker.data.loaders import spoken_digits
from worker.data.loaders.digits import read_digits
from worker.errors import DataError
from worker.reporting.progress import SILENT

SPEC = SpokenDigitsData(images="digits", mel_bands=32, frames=32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_spoken.write(tmp_path)
    return tmp_path


def tensor(items: object) -> Tensor:
    assert isinstance(items, Tensor)
    return items


def loaded(folder: Path, **changes: Any) -> Pool:
    return data.load(SPEC.model_copy(update=changes), folder)


def test_each_recording_has_an_image_of_its_digit(folder: Path) -> None:
    pool = loaded(folder)
    assert tensor(pool.items).shape == (200, 1, 32, 32)
    assert tensor(pool.visual).shape == (200, 1, 8, 8)
    assert pool.labels.bincount().tolist() == [20] * 10
    assert pool.fine is not None
    assert torch.equal(pool.fine // 2, pool.labels), "the speaker within the digit"
    assert pool.fine.bincount().tolist() == [10] * 20
    known, digits = read_digits()
    looks = {one.numpy().tobytes(): int(digit) for one, digit in zip(known, digits, strict=True)}
    assert [looks[image.numpy().tobytes()] for image in tensor(pool.visual)] == pool.labels.tolist()


def test_neither_sound_nor_image_is_in_two_splits(folder: Path) -> None:
    pool = loaded(folder)
    splits = (pool.indices.train, pool.indices.validation, pool.indices.test)
    assert [len(index) for index in splits] == [120, 40, 40]
    images = [{tensor(pool.visual)[i].numpy().tobytes() for i in index} for index in splits]
    assert all(len(own) == len(index) for own, index in zip(images, splits, strict=True))
    assert not images[0] & images[1]
    assert not images[0] & images[2]
    assert not images[1] & images[2]
    for index in splits:
        assert pool.fine is not None
        assert set(pool.fine[index].tolist()) == set(range(20)), "every speaker says every digit"


def test_the_seed_alone_decides(folder: Path) -> None:
    one, same, other = loaded(folder), loaded(folder), loaded(folder, seed=1)
    assert torch.equal(tensor(one.visual), tensor(same.visual))
    assert np.array_equal(one.indices.train, same.indices.train)
    assert not torch.equal(tensor(one.visual), tensor(other.visual))


def test_spectrograms_are_standardised_by_the_training_split(folder: Path) -> None:
    pool = loaded(folder)
    train = tensor(pool.items)[pool.indices.train]
    assert float(train.mean()) == pytest.approx(0, abs=1e-4)
    assert float(train.std()) == pytest.approx(1, abs=1e-3)


def test_images_of_mnist_can_be_paired(folder: Path) -> None:
    tiny_mnist.write(folder)
    pool = loaded(folder, images="mnist")
    assert tensor(pool.visual).shape == (200, 1, 28, 28)
    assert tensor(pool.visual).dtype == torch.uint8


def test_both_encoders_learn_one_space(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(folder))
    raw = small(
        data=SPEC.model_dump(),
        encoder={"kind": "audio_convnet", "channels": 8, "embedding_dim": 16},
        visual_encoder={"kind": "mlp", "embedding_dim": 16},
        training={"epochs": 40, "batch_size": 20},
        measure={"evaluate_every": 20},
    )
    reporter = trained(raw)
    chance = reporter.series["chance.test.retrieval.audio_to_visual.map"][0][1]
    learnt = reporter.series["test.retrieval.audio_to_visual.map"][-1][1]
    assert chance is not None
    assert learnt is not None
    assert learnt > 2 * chance
    assert "audio.geometry.intra_class_variance" in reporter.series
    assert "test.detail.recall_at_1" in reporter.series


class TestFiles:
    def test_a_placed_archive_is_unpacked(self, tmp_path: Path) -> None:
        place = tmp_path / "datasets" / "free-spoken-digit-dataset"
        place.mkdir(parents=True)
        tiny_spoken.write_archive(place / "v1.0.10.tar.gz", tmp_path / "scratch")
        assert len(spoken_digits.ensure_recordings(tmp_path / "datasets", SILENT, urls=())) == 200
        assert sorted(path.name for path in place.iterdir()) == ["recordings", "v1.0.10.tar.gz"]

    def test_it_is_downloaded_at_first_use(self, tmp_path: Path) -> None:
        served, own = tmp_path / "served", tmp_path / "own"
        served.mkdir()
        tiny_spoken.write_archive(served / "v1.0.10.tar.gz", tmp_path / "scratch")
        reported: list[str] = []
        with serving(served) as server:
            for _ in range(2):
                found = spoken_digits.ensure_recordings(
                    own,
                    lambda what, *_: reported.append(what),
                    [f"{server.url}/v1.0.10.tar.gz"],
                )
                assert {(one.digit, one.speaker) for one in found} == {
                    (digit, speaker) for digit in range(10) for speaker in tiny_spoken.SPEAKERS
                }
            assert len(server.paths) == 1
        assert "downloading v1.0.10.tar.gz" in reported
        assert [p.name for p in (own / "free-spoken-digit-dataset").iterdir()] == ["recordings"]

    def test_absent_and_offline_names_folder_and_file(self, tmp_path: Path) -> None:
        with pytest.raises(DataError) as caught:
            spoken_digits.ensure_recordings(tmp_path, SILENT, ["http://127.0.0.1:9/v1.0.10.tar.gz"])
        assert "v1.0.10.tar.gz is not in" in str(caught.value)
        assert str(tiny_spoken.recordings(tmp_path)) in str(caught.value)

    def test_unexpected_names_are_refused(self, folder: Path) -> None:
        own = tiny_spoken.recordings(folder)
        (own / "hello.wav").write_bytes(b"")
        (own / "x_george_1.wav").write_bytes(b"")
        with pytest.raises(DataError, match=r"hello\.wav, x_george_1\.wav: a recording's name is"):
            spoken_digits.ensure_recordings(folder, SILENT)

    def test_another_archive_is_refused(self, tmp_path: Path) -> None:
        place = tmp_path / "free-spoken-digit-dataset"
        place.mkdir()
        (place / "v1.0.10.tar.gz").write_bytes(b"rubbish")
        with pytest.raises(DataError, match=r"v1\.0\.10\.tar\.gz"):
            spoken_digits.ensure_recordings(tmp_path, SILENT, urls=())
        assert [p.name for p in place.iterdir()] == ["v1.0.10.tar.gz"]


def test_bad_recordings_are_counted_in_the_error_of_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(folder))
    for path in sorted(tiny_spoken.recordings(folder).iterdir())[:12]:
        path.write_bytes(b"rubbish")
    raw = small(
        data=SPEC.model_dump(),
        encoder={"kind": "audio_convnet"},
        visual_encoder={"kind": "mlp"},
    )
    reporter = attempted(raw, "triplet")
    assert reporter.state == "failed"
    assert reporter.failure
    assert reporter.failure.message.count("is not a wav file") == 10
    assert reporter.failure.message.endswith("and 2 more")
