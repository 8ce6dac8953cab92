"""What a worker stores of a snapshot, computed with plain numpy: facts, a sprite and sounds."""

import io
import math
import wave
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from contract.snapshots import ClassFacts, Facts, Histogram

BINS: Final = 60
NEIGHBOURS: Final = 10
WHOLE, PART = 1_000, 250
TILE: Final = 28
RATE: Final = 8000
TONE_S: Final = 0.2

Numbers = NDArray[np.float64]
Labels = NDArray[np.int_]


class _Block(NamedTuple):
    """What samples [N] have of each other."""

    hits: NDArray[np.bool_]
    """Whether the nearest other has their class."""
    average: Numbers
    """AP at R; NaN where no other has their class."""
    neighbours: NDArray[np.int_]
    """Places [N, k], nearest first."""
    distances: Numbers
    histogram: Histogram


def facts(points: Numbers, labels: Labels) -> Facts:
    """Compute the facts of points [N, D] with labels [N]; N >= 2.

    Of more than WHOLE points each knows those of its own part only, PART at most, and the histogram
    is that of the first part: all pairs of 100,000 would take an hour.
    """
    count = 1 if len(points) <= WHOLE else math.ceil(len(points) / PART)
    parts = np.array_split(np.arange(len(points)), count)
    blocks = [_block(points[part], labels[part]) for part in parts]
    hits = np.concatenate([block.hits for block in blocks])
    average = np.concatenate([block.average for block in blocks])
    to_centroid, classes = _classes(points, labels, hits)
    near = [block.neighbours + part[0] for part, block in zip(parts, blocks, strict=True)]
    alone = np.isnan(average)
    return Facts(
        correct=[None if n else int(hit) for hit, n in zip(hits, alone, strict=True)],
        centroid_distance=_short(to_centroid),
        average_precision=[
            None if n else value for value, n in zip(_short(average), alone, strict=True)
        ],
        neighbours=[row for part in near for row in part.tolist()],
        distances=[_short(row) for block in blocks for row in block.distances],
        classes=classes,
        histogram=blocks[0].histogram,
    )


def _block(points: Numbers, labels: Labels) -> _Block:
    squared = (points**2).sum(axis=1)
    between = np.sqrt(np.maximum(squared[:, None] + squared - 2 * points @ points.T, 0))
    np.fill_diagonal(between, np.inf)
    order = np.argsort(between, axis=1, kind="stable")[:, :-1]
    hits = labels[order] == labels[:, None]
    others = hits.sum(axis=1)
    precision = hits.cumsum(axis=1) / np.arange(1, len(points))
    counted = hits & (np.arange(len(points) - 1) < others[:, None])
    average = (precision * counted).sum(axis=1) / np.maximum(others, 1)
    average[others == 0] = np.nan
    near = order[:, :NEIGHBOURS]
    far = np.take_along_axis(between, near, axis=1)
    return _Block(hits[:, 0], average, near, far, _histogram(between, labels))


def draw_sprite(labels: Sequence[int], tile: int = TILE) -> tuple[bytes, int]:
    """Return a PNG with the digit of each label in a tile, and its number of columns.

    No two tiles are exactly the same.
    """
    columns = math.ceil(math.sqrt(len(labels)))
    rows = math.ceil(len(labels) / columns)
    image = Image.new("L", (columns * tile, rows * tile))
    pen = ImageDraw.Draw(image)
    random = np.random.default_rng(7)
    font: Any = ImageFont.load_default(tile * 0.75)
    for place, label in enumerate(labels):
        x, y = place % columns * tile, place // columns * tile
        left, up = random.integers(-3, 4, 2)
        shade = int(random.integers(150, 256))
        pen.text((x + tile / 2 + left, y + tile / 2 + up), str(label), shade, font, anchor="mm")
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue(), columns


def make_sounds(labels: Sequence[int]) -> tuple[bytes, list[float]]:
    """Return a wav file with a tone for each label, and the seconds at which each tone ends."""
    clock = np.arange(int(TONE_S * RATE)) / RATE
    tones = [np.sin(2 * np.pi * 220 * 2 ** (label / 6) * clock) for label in labels]
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((8000 * np.concatenate(tones)).astype("<i2").tobytes())
    return written.getvalue(), [len(clock) * (place + 1) / RATE for place in range(len(labels))]


def _classes(
    points: Numbers, labels: Labels, right: NDArray[np.bool_]
) -> tuple[Numbers, list[ClassFacts]]:
    away = np.zeros(len(points))
    found = []
    for label in np.unique(labels):
        own = labels == label
        away[own] = np.linalg.norm(points[own] - points[own].mean(axis=0), axis=1)
        n = int(own.sum())
        [variance] = _short(np.array([(away[own] ** 2).mean()]))
        share = float(right[own].mean()) if n > 1 else None
        found.append(ClassFacts(label=int(label), n=n, variance=variance, accuracy=share))
    return away, found


def _histogram(between: Numbers, labels: Labels) -> Histogram:
    rows, columns = np.triu_indices(len(labels), 1)
    distances, same = between[rows, columns], labels[rows] == labels[columns]
    edges = np.histogram_bin_edges(distances, BINS)
    return Histogram(
        edges=_short(edges),
        positive=np.histogram(distances[same], edges)[0].tolist(),
        negative=np.histogram(distances[~same], edges)[0].tolist(),
    )


def _short(values: Numbers) -> list[float]:
    return [float(f"{value:.5g}") for value in values]
