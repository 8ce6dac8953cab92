"""Recordings: wav files read as samples, and turned into log-mel spectrograms of one size.

The mel filters are librosa's.
"""

import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from librosa.filters import mel
from scipy.signal import ShortTimeFFT, get_window

from worker.errors import DataError
from worker.reporting.progress import Progress

SAMPLE_RATE: Final = 8000
"""Samples per second that a recording must have."""

MAX_SECONDS: Final = 60
"""Longest recording that is read."""

WINDOW: Final = 256
"""Samples in the window of a frame, 32 ms."""

HOP: Final = 128
"""Samples from one frame to the next, 16 ms."""

POWER_FLOOR: Final = 1e-6
"""Added to the power before the logarithm: 60 dB below a full sine, the level of silence here."""

SHOWN: Final = 10
"""Problems named in a message; the others are counted."""


def spectrograms(
    paths: Sequence[Path], *, bands: int, frames: int, progress: Progress
) -> np.ndarray:
    """Compute log-mel spectrograms [N, 1, bands, frames] float32 of recordings, in their order.

    A longer recording is cut at its end; a shorter one is followed by silence.

    Raises:
        DataError: recordings cannot be used; names the first ones and how many more there are.
        CancelledError: raised by `progress`.
    """
    transform = ShortTimeFFT(get_window("hann", WINDOW), HOP, SAMPLE_RATE, scale_to="magnitude")
    filters = mel_filters(bands)
    made = np.full((len(paths), 1, bands, frames), np.log(POWER_FLOOR), dtype=np.float32)
    problems = []
    for at, path in enumerate(paths):
        try:
            samples = read_wav(path)
        except DataError as error:
            problems.append(str(error))
            continue
        power = np.abs(transform.stft(samples[: frames * HOP], p0=0)[:, :frames]) ** 2
        made[at, 0, :, : power.shape[1]] = np.log(filters @ power + POWER_FLOOR)
        progress("computing spectrograms", at + 1, len(paths), "recordings")
    if problems:
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise DataError("; ".join(problems[:SHOWN]) + more)
    return made


def mel_filters(bands: int) -> np.ndarray:
    """Return the mel filters [bands, WINDOW / 2 + 1] float32."""
    filters: np.ndarray = mel(sr=SAMPLE_RATE, n_fft=WINDOW, n_mels=bands)
    return filters


def read_wav(path: Path) -> np.ndarray:
    """Read the samples [T] of a wav file, float64 from -1 to 1.

    Raises:
        DataError: the file has not 16 bits, one channel and 8 kHz, is empty or too long, or cannot
            be read; says what it holds.
    """
    try:
        with wave.open(str(path), "rb") as file:
            seen = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            count = file.getnframes()
            if seen != (1, 2, SAMPLE_RATE):
                raise DataError(
                    f"{path} has {seen[0]} channels of {8 * seen[1]} bits at {seen[2]} Hz; one "
                    f"channel of 16 bits at {SAMPLE_RATE} Hz is needed"
                )
            if not 0 < count <= MAX_SECONDS * SAMPLE_RATE:
                raise DataError(
                    f"{path} is {count / SAMPLE_RATE:.1f} s long; more than 0 and at most "
                    f"{MAX_SECONDS} s are needed"
                )
            data = file.readframes(count)
    except (wave.Error, EOFError, OSError) as error:
        raise DataError(
            f"{path} is not a wav file that can be read: {error or 'it ends early'}"
        ) from error
    if len(data) != 2 * count:
        raise DataError(f"{path} ends early: {len(data) // 2} of {count} samples are there")
    return np.frombuffer(data, dtype="<i2").astype(np.float64) / 32768
