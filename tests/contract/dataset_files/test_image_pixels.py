"""Pixels of an image as checks and training see them, and images that are not decoded at all."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from contract.dataset_files import Limits, scan_images
from contract.dataset_files.image_folder import check_image
from contract.dataset_files.image_pixels import upright_rgb, upright_size, webp_problem
from tests.support.tiny_sets import image_files, write

CLEAR_RED = (200, 10, 10, 0)


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def half_clear(mode: str) -> Image.Image:
    """Return an image whose left half is transparent red and whose right half is opaque blue."""
    pixels = np.zeros((8, 8, 4), dtype=np.uint8)
    pixels[:, :4] = CLEAR_RED
    pixels[:, 4:] = (10, 10, 200, 255)
    whole = Image.fromarray(pixels, "RGBA")
    if mode != "P":
        return whole.convert(mode)
    flat = whole.convert("RGB").quantize(4)
    corner = flat.getpixel((0, 0))
    flat.info["transparency"] = bytes(255 * (place != corner) for place in range(4))
    return flat


def wide_png(channels: int, color: int) -> bytes:
    """Return a PNG of 16 bits a channel whose left half is transparent."""
    rows = np.full((8, 8, channels), 65_535, dtype=">u2")
    rows[:, :4] = 0
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", 8, 8, 16, color, 0, 0, 0)
    return png(head, zlib.compress(raw))


def png(head: bytes, pixels: bytes) -> bytes:
    chunks = ((b"IHDR", head), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


CASES = {
    "RGBA": encoded(half_clear("RGBA")),
    "LA": encoded(half_clear("LA")),
    "P": encoded(half_clear("P")),
    "RGB with a clear colour": encoded(
        half_clear("RGBA").convert("RGB"), transparency=CLEAR_RED[:3]
    ),
    "RGBA of 16 bits": wide_png(4, 6),
    "LA of 16 bits": wide_png(2, 4),
    "WebP": encoded(half_clear("RGBA"), "WEBP", lossless=True),
}


@pytest.mark.parametrize("content", CASES.values(), ids=CASES)
@pytest.mark.parametrize(("background", "value"), [("white", 255), ("black", 0), ("grey", 128)])
def test_transparent_parts_are_laid_on_the_background(
    tmp_path: Path, content: bytes, background: str, value: int
) -> None:
    with Image.open(io.BytesIO(content)) as image:
        pixels = np.asarray(upright_rgb(image, background))
    assert (pixels[:, :4] == value).all()
    assert not (pixels[:, 4:] == value).all() or value == 255
    images = scan_images(write(tmp_path, image_files() | {"c1/clear": content}))
    assert [remark.message.partition(";")[0] for remark in images.warnings] == [
        "1 image has transparent parts"
    ]


@pytest.mark.parametrize("content", CASES.values(), ids=CASES)
def test_without_a_background_pixels_are_those_of_a_plain_conversion(content: bytes) -> None:
    with Image.open(io.BytesIO(content)) as image:
        assert upright_rgb(image, "none").tobytes() == image.convert("RGB").tobytes()


def test_half_transparent_pixels_are_mixed() -> None:
    veil = Image.new("RGBA", (2, 2), (0, 0, 0, 128))
    assert upright_rgb(veil, "white").getpixel((0, 0)) == (127, 127, 127)


def test_an_opaque_alpha_channel_is_no_transparency(tmp_path: Path) -> None:
    opaque = encoded(Image.new("RGBA", (8, 8), (1, 2, 3, 255)))
    assert not check_image(_written(tmp_path, opaque), Limits()).transparent


def test_an_image_is_turned_as_its_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(Image.new("RGB", (40, 20)), "JPEG", exif=exif)
    with Image.open(io.BytesIO(content)) as image:
        assert upright_rgb(image, "white").size == upright_size(image) == (20, 40)


@pytest.mark.parametrize(
    "content",
    [
        png(struct.pack(">IIBBBBB", 40_000_000, 1, 8, 6, 0, 0, 0), zlib.compress(b"")),
        png(struct.pack(">IIBBBBB", 1, 40_000_000, 8, 6, 0, 0, 0), zlib.compress(b"")),
        png(struct.pack(">IIBBBBB", 8_000, 8_000, 8, 6, 0, 0, 0), zlib.compress(b"")),
    ],
    ids=["wide", "high", "large"],
)
def test_an_image_of_a_refused_size_is_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(Image.Image, "load", _fail)
    problem = check_image(_written(tmp_path, content), Limits()).problem
    assert problem.startswith("is ")
    assert "make it smaller" in problem or "more than 50 times" in problem


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("extended", [True, False])
def test_a_webp_is_measured_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lossless: bool, extended: bool
) -> None:
    """Its decoder takes memory for the whole image as soon as the file is opened."""
    options = {"icc_profile": b"x" * 8} if extended else {}
    content = encoded(Image.new("RGB", (1030, 20)), "WEBP", lossless=lossless, **options)
    assert content[12:16] == (b"VP8X" if extended else b"VP8L" if lossless else b"VP8 ")
    monkeypatch.setattr(Image, "open", _fail)
    assert "is 1030 x 20: one side" in check_image(_written(tmp_path, content), Limits()).problem
    fitting = encoded(Image.new("RGB", (1000, 20)), "WEBP", lossless=lossless, **options)
    assert webp_problem(io.BytesIO(fitting), Limits()) == ""


def _written(folder: Path, content: bytes) -> Path:
    (folder / "image").write_bytes(content)
    return folder / "image"


def _fail(*_: object, **__: object) -> None:
    pytest.fail("it was decoded")
