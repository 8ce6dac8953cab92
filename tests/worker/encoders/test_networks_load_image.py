"""Image files read as a network takes them: upright, three channels, the centre at its size."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from worker.encoders.networks import load_image
from worker.errors import DataError


def test_the_centre_of_the_shorter_side(tmp_path: Path) -> None:
    pixels = np.zeros((40, 80, 3), dtype=np.uint8)
    pixels[:, 20:60] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    whole = load_image(tmp_path / "a.png", 40, 40)
    assert whole.shape == (3, 40, 40)
    assert whole.dtype == torch.uint8
    assert (whole == 200).all()


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_every_mode_becomes_three_channels(tmp_path: Path, mode: str) -> None:
    kind = "tiff" if mode == "CMYK" else "png"
    Image.new(mode, (20, 10)).save(tmp_path / f"a.{kind}")
    assert load_image(tmp_path / f"a.{kind}", 8, 8).shape == (3, 8, 8)


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    pixels = np.zeros((32, 32, 3), dtype=np.uint8)
    pixels[:16] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif, quality=95)
    assert load_image(tmp_path / "a.jpg", 32, 32)[:, :8].max() < 20


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n half"])
def test_a_file_that_is_no_image_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.png cannot be read as an image"):
        load_image(tmp_path / "a.png", 8, 8)


def test_a_tiny_image_is_enlarged(tmp_path: Path) -> None:
    Image.new("RGB", (3, 2)).save(tmp_path / "a.png")
    assert load_image(tmp_path / "a.png", 40, 32).shape == (3, 32, 32)


@pytest.mark.parametrize(
    ("size", "problem"), [((2_040, 40), "50 times"), ((8_000, 8_000), "more than 50,000,000")]
)
def test_an_image_of_a_refused_size_is_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], problem: str
) -> None:
    """A file may change after the folder was checked."""
    Image.new("1", size).save(tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(DataError, match=rf"a\.png is {size[0]} x {size[1]}.*{problem}"):
        load_image(tmp_path / "a.png", 40, 40)


def test_a_background_shows_where_an_image_is_transparent(tmp_path: Path) -> None:
    Image.new("RGBA", (20, 10), (200, 0, 0, 0)).save(tmp_path / "a.png")
    assert (load_image(tmp_path / "a.png", 8, 8, "white") == 255).all()
    assert load_image(tmp_path / "a.png", 8, 8)[:, 0, 0].tolist() == [200, 0, 0]
