"""Features of real files and a real network: computed once and found again by content."""

import hashlib
import threading
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from contract.comparison.data.kinds import Background
from contract.comparison.encoder import Resnet18Encoder
from tests.support.recorded_progress import RecordedProgress
from worker import encoders
from worker.data import ImageFiles
from worker.encoders.networks import Backbone, Preparation, load_image
from worker.errors import CancelledError, DataError
from worker.features import extract_features
from worker.features.extract import items_digest
from worker.reporting.progress import SILENT

CPU = torch.device("cpu")


class CountingBackbone(Backbone):
    """A backbone that counts the images it sees."""

    seen = 0

    def forward(self, images: Tensor) -> Tensor:
        self.seen += len(images)
        return super().forward(images)


@pytest.fixture
def backbone() -> CountingBackbone:
    made = encoders.backbone(Resnet18Encoder(weights="random"), folder=Path("/nowhere"))
    return CountingBackbone(made.network, made.features, Preparation(resize=40, crop=32)).eval()


def images(folder: Path, count: int, seed: int = 0, size: tuple[int, int] = (48, 60)) -> ImageFiles:
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for at in range(count):
        path = folder / f"{at}.png"
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)
        paths.append(path)
    return ImageFiles(tuple(paths))


def test_features_are_the_backbones_and_computed_once(
    tmp_path: Path, backbone: CountingBackbone
) -> None:
    files, progress = images(tmp_path / "images", 70), RecordedProgress()
    first = extract_features(files, backbone, CPU, cache=tmp_path / "cache", progress=progress)
    with torch.inference_mode():
        expected = torch.cat([backbone(load_image(p, 40, 32)[None]) for p in files.paths])
    torch.testing.assert_close(first, expected)
    assert progress.calls[-1][:2] == ("computing features", 70)
    seen = backbone.seen
    again = extract_features(files, backbone, CPU, cache=tmp_path / "cache", progress=SILENT)
    assert torch.equal(first, again)
    assert backbone.seen == seen


def test_content_decides_and_names_do_not(tmp_path: Path, backbone: CountingBackbone) -> None:
    def seen(files: ImageFiles) -> int:
        before = backbone.seen
        extract_features(files, backbone, CPU, cache=tmp_path / "cache", progress=SILENT)
        return backbone.seen - before

    files = images(tmp_path / "one", 5)
    assert seen(files) == 5
    assert seen(images(tmp_path / "two", 5)) == 0, "the same images elsewhere"
    assert seen(files.take([1, 0, 2, 3, 4])) == 5, "another order"
    assert seen(images(tmp_path / "one", 5, seed=1)) == 5, "the same names, other images"
    with torch.no_grad():
        next(backbone.network.parameters()).add_(0.01)
    assert seen(files) == 5, "other weights"


def test_features_of_tensors_are_cached_too(tmp_path: Path, backbone: CountingBackbone) -> None:
    pixels = torch.randint(0, 256, (70, 1, 28, 28), dtype=torch.uint8)
    first = extract_features(pixels, backbone, CPU, cache=tmp_path, progress=SILENT)
    assert first.shape == (70, 512)
    extract_features(pixels, backbone, CPU, cache=tmp_path, progress=SILENT)
    assert backbone.seen == 70
    extract_features(pixels.flip(0), backbone, CPU, cache=tmp_path, progress=SILENT)
    assert backbone.seen == 140


def test_a_damaged_file_is_computed_again(tmp_path: Path, backbone: CountingBackbone) -> None:
    files = images(tmp_path / "images", 5)
    first = extract_features(files, backbone, CPU, cache=tmp_path, progress=SILENT)
    [kept] = (tmp_path / "features").glob("*.npy")
    kept.write_bytes(kept.read_bytes()[:200])
    assert torch.equal(
        extract_features(files, backbone, CPU, cache=tmp_path, progress=SILENT), first
    )
    assert backbone.seen == 10


def test_a_cancel_leaves_no_partial_file(tmp_path: Path, backbone: CountingBackbone) -> None:
    files = images(tmp_path / "images", 70)
    with pytest.raises(CancelledError):
        extract_features(
            files,
            backbone,
            CPU,
            cache=tmp_path,
            progress=RecordedProgress(cancel="computing features"),
        )
    assert not [p for p in (tmp_path / "features").iterdir() if p.suffix != ".lock"]


def test_features_that_are_not_finite_are_refused(
    tmp_path: Path, backbone: CountingBackbone
) -> None:
    with torch.no_grad():
        next(backbone.network.parameters()).fill_(float("nan"))
    with pytest.raises(DataError, match="not finite"):
        extract_features(images(tmp_path, 5), backbone, CPU, cache=tmp_path, progress=SILENT)


def test_two_at_once_compute_the_features_once(tmp_path: Path, backbone: CountingBackbone) -> None:
    files = images(tmp_path / "images", 130)
    found: list[Tensor] = []

    def work() -> None:
        found.append(extract_features(files, backbone, CPU, cache=tmp_path, progress=SILENT))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torch.equal(*found)
    assert backbone.seen == 130


def test_the_background_is_part_of_the_digest_where_there_is_one(tmp_path: Path) -> None:
    files = images(tmp_path / "images", 3)
    before = hashlib.sha256(b"files 3")
    for path in files.paths:
        before.update(hashlib.sha256(path.read_bytes()).digest())
    digests = {
        background: items_digest(replace(files, background=background), SILENT)
        for background in get_args(Background)
    }
    assert digests["none"] == before.hexdigest(), "features of older versions are found again"
    assert len(set(digests.values())) == len(digests) == 4
