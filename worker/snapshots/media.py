"""Pictures and sounds of a snapshot's samples, in one file each, which a page fetches at once.

The sprite is a PNG with a tile for each sample; the sound is a wav file with all recordings.
"""

import io
import math
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from worker.data import ImageFiles, Images
from worker.data.formats.audio import SAMPLE_RATE, read_wav
from worker.encoders.networks import load_image

MIN_TILE: Final = 28
"""Smallest side of a tile in pixels; smaller images are enlarged, pixel by pixel."""
MAX_TILE: Final = 48
"""Largest side of a tile in pixels: 10,000 tiles then make a picture with sides of 4,800 pixels."""


def tile_side(items: Images) -> int:
    """Return the side in pixels of the tiles of items [N, C, H, W]."""
    if isinstance(items, ImageFiles):
        return MAX_TILE
    height, width = items.shape[-2:]
    return min(MAX_TILE, max(MIN_TILE, height, width))


def grid_columns(tiles: int) -> int:
    """Return the number of tiles in a row of the sprite, which is about square."""
    return max(1, math.ceil(math.sqrt(tiles)))


def sprite(pictures: Sequence[Images], tile: int) -> bytes:
    """Return a PNG of all items of all modalities, row by row; the same for the same items.

    Images have values from 0 to 255, or floats from 0 to 1. The values of other items, such as
    spectrograms, are stretched to each item's own range, because some are quieter than others; low
    frequencies are at the bottom.

    Raises:
        DataError: an image file cannot be read any more.
    """
    tiles = np.concatenate([_tiles(items, tile) for items in pictures])
    columns = grid_columns(len(tiles))
    rows = math.ceil(len(tiles) / columns)
    sheet = np.zeros((rows * columns, tile, tile, 3), dtype=np.uint8)
    sheet[: len(tiles)] = tiles
    sheet = sheet.reshape(rows, columns, tile, tile, 3).transpose(0, 2, 1, 3, 4)
    image = Image.fromarray(np.ascontiguousarray(sheet.reshape(rows * tile, columns * tile, 3)))
    if not (sheet != sheet[..., :1]).any():
        image = image.convert("L")
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def _tiles(items: Images, tile: int) -> np.ndarray:
    """Return items as tiles [N, tile, tile, 3] uint8."""
    if isinstance(items, ImageFiles):
        loaded = [load_image(path, tile, tile, items.background) for path in items.paths]
        return torch.stack(loaded).permute(0, 2, 3, 1).numpy()
    pixels = _fitted(_shades(items), tile).round().clamp(0, 255).to(torch.uint8)
    if pixels.shape[1] != 3:
        pixels = pixels[:, :1].expand(-1, 3, -1, -1)
    return pixels.permute(0, 2, 3, 1).cpu().numpy()


def _shades(items: Tensor) -> Tensor:
    """Return items [N, C, H, W] as float32 from 0 to 255."""
    if not items.is_floating_point():
        return items.to(torch.float32)
    items = items.to(torch.float32)
    if items.min() >= 0 and items.max() <= 1:
        return items * 255
    low = items.amin(dim=(1, 2, 3), keepdim=True)
    span = items.amax(dim=(1, 2, 3), keepdim=True) - low
    shades = (items - low) / span.clamp(min=1e-12) * 255
    # The first band is the lowest frequency; the first row of a picture is its top.
    return shades.flip(-2)


def _fitted(shades: Tensor, tile: int) -> Tensor:
    """Scale items to square tiles [N, C, tile, tile], with black borders."""
    height, width = shades.shape[-2:]
    scale = tile / max(height, width)
    size = max(1, round(height * scale)), max(1, round(width * scale))
    if scale >= 1:
        shades = functional.interpolate(shades, size, mode="nearest")
    else:
        shades = functional.interpolate(shades, size, mode="bilinear", antialias=True)
    down, across = tile - size[0], tile - size[1]
    return functional.pad(shades, (across // 2, across - across // 2, down // 2, down - down // 2))


def join_recordings(paths: Sequence[Path]) -> tuple[bytes, list[float]]:
    """Return a wav file of recordings, one after the other, and the seconds at which each ends.

    Raises:
        DataError: a recording cannot be read any more.
    """
    parts = [read_wav(path) for path in paths]
    samples = np.concatenate(parts) * 32768
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.round().astype("<i2").tobytes())
    ends = np.cumsum([len(part) for part in parts]) / SAMPLE_RATE
    return written.getvalue(), [float(end) for end in ends]
