"""Recordings as log-mel spectrograms of one size; the mel filters are librosa's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from librosa.filters import mel
from scipy.signal import ShortTimeFFT, get_window

from worker.data.formats.wav import RATE, read
from worker.errors import DataError
from worker.reporting.progress import Progress

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
