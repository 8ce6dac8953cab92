"""One image file: read, hashed and decoded."""

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image, UnidentifiedImageError

from contract.dataset_files.limits import Limits

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP")
SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
TYPES: Final = "JPEG, PNG, WebP and BMP"
_WIDE_MODES: Final = ("F", "I")
"""PIL's modes of more than eight bits a value, which training would clip to white."""


class Checked(NamedTuple):
    """What was found out about a file."""

    digest: bytes
    """SHA-256 of the content."""
    problem: str
    """Empty where all is well."""


def check_image(path: Path, limits: Limits) -> Checked:
    """Read a file and decode the whole image in it."""
    try:
        size = path.stat().st_size
        if size > limits.max_file_bytes:
            return Checked(
                b"", f"has {size:,} bytes, more than {limits.max_file_bytes:,}; make it smaller"
            )
        content = path.read_bytes()
    except OSError as error:
        return Checked(b"", f"cannot be read: {error.strerror or error}")
    digest = hashlib.sha256(content).digest()
    return Checked(digest, decoding_problem(content, limits) if content else "is empty; remove it")


def decoding_problem(content: bytes, limits: Limits) -> str:
    """Why an image cannot be used; empty where it can."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > limits.max_pixels:
                return (
                    f"is {image.width} x {image.height}, more than {limits.max_pixels:,} "
                    "pixels; make it smaller"
                )
            if image.mode.split(";")[0] in _WIDE_MODES:
                return "has more than 8 bits a channel; save it with 8"
            if image.format == "PNG":
                image.verify()  # checksums; the other formats have none
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            # A JPEG's whole stream is read, but only a smaller image is made of it.
            image.draft("RGB", (64, 64))
            image.load()
    except UnidentifiedImageError:
        return f"is no image that can be read; {TYPES} can"
    except (OSError, SyntaxError, ValueError, EOFError, ArithmeticError, MemoryError) as error:
        return f"cannot be decoded ({error}); save it anew or remove it"
    except Image.DecompressionBombError:
        return f"has more than {limits.max_pixels:,} pixels; make it smaller"
    return ""
