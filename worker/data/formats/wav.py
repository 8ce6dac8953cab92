"""Recordings as samples: wav files of 16 bits, one channel, 8 kHz."""

import wave
from pathlib import Path
from typing import Final

import numpy as np

from worker.errors import DataError

RATE: Final = 8000
"""Samples a second that a recording must have."""
LONGEST_S: Final = 60


def read(path: Path) -> np.ndarray:
    """Samples [T] float64 from -1 to 1 of a wav file: 16 bits, one channel, 8 kHz.

    Raises:
        DataError: it is another kind of file, empty or far too long; says what was seen.
    """
    try:
        with wave.open(str(path), "rb") as file:
            seen = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            count = file.getnframes()
            if seen != (1, 2, RATE):
                raise DataError(
                    f"{path} has {seen[0]} channels of {8 * seen[1]} bits at {seen[2]} Hz; one "
                    f"channel of 16 bits at {RATE} Hz is needed"
                )
            if not 0 < count <= LONGEST_S * RATE:
                raise DataError(
                    f"{path} is {count / RATE:.1f} s long; more than 0 and at most {LONGEST_S} s "
                    "are needed"
                )
            data = file.readframes(count)
    except (wave.Error, EOFError, OSError) as error:
        raise DataError(
            f"{path} is no wav file that can be read: {error or 'it ends early'}"
        ) from error
    if len(data) != 2 * count:
        raise DataError(f"{path} ends early: {len(data) // 2} of {count} samples are there")
    return np.frombuffer(data, dtype="<i2").astype(np.float64) / 32768
