"""Image files become one tensor, in order; a broken file is named, a cancel stops the work."""

import threading
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.support.tiny_sets import image, write
from worker import features
from worker.data import ImageFiles
from worker.encoders.networks import load_image
from worker.errors import CancelledError, DataError
from worker.features.decode import BATCH, decode_batches
from worker.reporting.progress import SILENT


def files_in(folder: Path, count: int) -> ImageFiles:
    suffixes = ("jpg", "png", "bmp", "webp")
    names = {f"{i}.{suffixes[i % 4]}": image(i, suffixes[i % 4], 20 + i % 5) for i in range(count)}
    write(folder, names)
    return ImageFiles(tuple(folder / name for name in names))


@pytest.mark.parametrize("count", [1, BATCH, 2 * BATCH + 3])
@pytest.mark.parametrize("threads", [1, 3])
def test_every_image_in_its_place(tmp_path: Path, count: int, threads: int) -> None:
    files = files_in(tmp_path, count)
    reports: list[tuple[float, float | None]] = []

    def progress(what: str, done: float, total: float | None, unit: str = "items") -> None:
        reports.append((done, total))

    decoded = features.decode_images(files, resize=18, crop=16, progress=progress, threads=threads)
    assert decoded.dtype == torch.uint8
    assert decoded.shape == (count, 3, 16, 16)
    for image_decoded, path in zip(decoded, files.paths, strict=True):
        assert torch.equal(image_decoded, load_image(path, 18, 16))
    assert [reports[0], reports[-1]] == [(0, count), (count, count)]


@pytest.mark.parametrize("content", [b"", b"no image", image(0)[:200]])
def test_a_file_that_is_no_image_is_named(tmp_path: Path, content: bytes) -> None:
    files = files_in(tmp_path, BATCH + 5)
    files.paths[BATCH + 1].write_bytes(content)
    with pytest.raises(DataError, match=rf"/{BATCH + 1}\.png cannot be read"):
        features.decode_images(files, resize=16, crop=16, progress=SILENT)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    files = files_in(tmp_path, 3)
    files.paths[1].unlink()
    with pytest.raises(DataError, match=r"/1\.png cannot be read"):
        features.decode_images(files, resize=16, crop=16, progress=SILENT)


@pytest.mark.parametrize("at", [0, 1], ids=["before the first image", "after the first batch"])
def test_a_cancel_stops_the_work_and_leaves_no_thread(tmp_path: Path, at: int) -> None:
    files = files_in(tmp_path, 3 * BATCH)

    def progress(what: str, done: float, total: float | None, unit: str = "items") -> None:
        if done >= at:
            raise CancelledError(what)

    with pytest.raises(CancelledError, match="decoding"):
        features.decode_images(files, resize=16, crop=16, progress=progress)
    assert not [one for one in threading.enumerate() if one.name.startswith("decode")]


def test_no_more_than_the_next_batch_is_decoded_ahead(tmp_path: Path) -> None:
    files = files_in(tmp_path, 12)
    parts = decode_batches(files, resize=16, crop=16, size=3)
    assert len(next(parts)) == 3
    for path in files.paths[6:]:
        path.unlink()
    assert len(next(parts)) == 3  # already being decoded, or the files are still there
    with pytest.raises(DataError, match=r"/6\.bmp cannot be read"):
        next(parts)


def test_images_are_laid_on_the_background_of_their_data(tmp_path: Path) -> None:
    Image.new("RGBA", (20, 20), (200, 0, 0, 0)).save(tmp_path / "a.png")
    files = ImageFiles((tmp_path / "a.png",), "white")
    decoded = features.decode_images(files, resize=16, crop=16, progress=SILENT)
    assert (decoded == 255).all()
