"""An image file's size, read before it is decoded; its transparent parts; and its pixels as RGB.

The check of an upload and the training both use this module, so that both see the same pixels.
"""

import struct
from typing import BinaryIO, Final

from PIL import Image, ImageColor, ImageOps

from contract.dataset_files.problems import Limits

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP")

MAX_RATIO: Final = 50
"""How many times longer than the other one side of an image may be. A longer strip, scaled so that
its shorter side has the size that an encoder needs, takes gigabytes."""

NO_BACKGROUND: Final = "none"
"""Value of the setting `background` that drops transparency: the colours below it show."""

_SIDEWAYS: Final = (5, 6, 7, 8)
"""Values of the EXIF orientation of images that lie on their side."""
_ORIENTATION: Final = 0x0112
_WEBP_HEAD: Final = 30
"""Bytes of a WebP file that hold its size."""


def size_problem(width: int, height: int, limits: Limits) -> str:
    """Return why an image of this size must not be decoded; empty if it may be."""
    if width * height > limits.max_pixels:
        return f"is {width} x {height}, more than {limits.max_pixels:,} pixels; make it smaller"
    if max(width, height) > MAX_RATIO * min(width, height):
        return (
            f"is {width} x {height}: one side is more than {MAX_RATIO} times the other; "
            "cut it or remove it"
        )
    return ""


def webp_problem(file: BinaryIO, limits: Limits) -> str:
    """Return why a WebP file must not be opened; empty if it may be, or is no WebP.

    Other formats are opened without decoding anything. A WebP's decoder takes memory for the whole
    image when the file is opened. The file is left at its beginning.
    """
    head = file.read(_WEBP_HEAD)
    file.seek(0)
    if len(head) < _WEBP_HEAD or head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return ""
    kind = head[12:16]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(head[24:27], "little")
        height = 1 + int.from_bytes(head[27:30], "little")
    elif kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (side & 0x3FFF for side in struct.unpack("<HH", head[26:30]))
    return size_problem(width, height, limits)


def has_transparent_parts(image: Image.Image) -> bool:
    """Return whether a pixel of a decoded image is not fully opaque."""
    if not image.has_transparency_data:
        return False
    whole = image if image.mode in ("RGBA", "LA", "PA") else image.convert("RGBA")
    lowest = whole.getchannel("A").getextrema()[0]
    return isinstance(lowest, int | float) and lowest < 255


def upright_rgb(image: Image.Image, background: str) -> Image.Image:
    """Return an image turned upright as its EXIF data say, as RGB.

    Args:
        image: of any mode.
        background: name of the colour that transparent parts are laid on; with `none` their
            transparency is dropped.
    """
    turned = ImageOps.exif_transpose(image)
    if background == NO_BACKGROUND or not turned.has_transparency_data:
        return turned.convert("RGB")
    whole = turned.convert("RGBA")
    ground = Image.new("RGBA", whole.size, (*ImageColor.getrgb(background)[:3], 255))
    return Image.alpha_composite(ground, whole).convert("RGB")


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height of an image as it is after it was turned upright."""
    width, height = image.size
    sideways = image.getexif().get(_ORIENTATION) in _SIDEWAYS
    return (height, width) if sideways else (width, height)
