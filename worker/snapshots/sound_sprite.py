"""One sound with the recordings of all samples, so that a page fetches them at once."""

import io
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from worker.data.formats.audio import RATE, read


def joined(paths: Sequence[Path]) -> tuple[bytes, list[float]]:
    """A wav file of recordings one behind another, and where each ends, in seconds.

    Raises:
        DataError: a recording cannot be read any more.
    """
    parts = [read(path) for path in paths]
    samples = np.concatenate(parts) * 32768
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.round().astype("<i2").tobytes())
    ends = np.cumsum([len(part) for part in parts]) / RATE
    return written.getvalue(), [float(end) for end in ends]
