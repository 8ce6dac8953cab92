"""Recordings as log-mel spectrograms of one size; the mel filters are librosa's.

Recordings as log-mel spectrograms of one size; the mel filters are librosa's.

Recordings as samples: wav files of 16 bits, one channel, 8 kHz.
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


WINDOW: Final = 256
"""Samples of a frame's window, 32 ms."""
HOP: Final = 128
"""Samples from frame to frame, 16 ms."""
FLOOR: Final = 1e-6
"""Added to the power before the logarithm: 60 dB below a full sine, as quiet as silence here."""
SHOWN: Final = 10


def spectrograms(
    paths: Sequence[Path], *, bands: int, frames: int, progress: Progress
) -> np.ndarray:
    """Log-mel spectrograms [N, 1, bands, frames] float32 of recordings, in their order.

    A recording that is longer is cut at its end; a shorter one lies at the beginning, and silence
    follows it.

    Raises:
        DataError: names the first files that cannot be used, with their number.
        CancelledError: by `progress`.
    """
    transform = ShortTimeFFT(get_window("hann", WINDOW), HOP, RATE, scale_to="magnitude")
    filters = mel(sr=RATE, n_fft=WINDOW, n_mels=bands)
    made = np.full((len(paths), 1, bands, frames), np.log(FLOOR), dtype=np.float32)
    problems = []
    for at, path in enumerate(paths):
        try:
            samples = read(path)
        except DataError as error:
            problems.append(str(error))
            continue
        power = np.abs(transform.stft(samples[: frames * HOP], p0=0)[:, :frames]) ** 2
        made[at, 0, :, : power.shape[1]] = np.log(filters @ power + FLOOR)
        progress("computing spectrograms", at + 1, len(paths), "recordings")
    if problems:
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise DataError("; ".join(problems[:SHOWN]) + more)
    return made
