"""A few recordings in the Free Spoken Digit Dataset's own naming and format."""

import tarfile
import wave
from pathlib import Path

import numpy as np

SPEAKERS = ("george", "jackson")
EACH = 10
RATE = 8000


def samples(digit: int, speaker: int, seed: int, seconds: float = 0.3) -> np.ndarray:
    """Return a tone with the digit's pitch and the speaker's loudness, and a little noise."""
    time = np.arange(int(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * (300 + 300 * digit) * time) * (0.3 + 0.4 * speaker)
    noise = np.random.default_rng(seed).normal(0, 0.01, len(time))
    return np.asarray(np.clip(tone + noise, -1, 1) * 32767, dtype="<i2")


def write_wav(
    path: Path, data: np.ndarray, *, rate: int = RATE, channels: int = 1, width: int = 2
) -> None:
    """Write a wav file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data.tobytes())


def recordings(folder: Path) -> Path:
    """Return the folder of the recordings below the folder of all data sets."""
    return folder / "free-spoken-digit-dataset" / "recordings"


def write(folder: Path) -> None:
    """Write ten digits of two speakers, ten recordings each."""
    own = recordings(folder)
    own.mkdir(parents=True)
    for digit in range(10):
        for at, speaker in enumerate(SPEAKERS):
            for index in range(EACH):
                seed = digit * 100 + at * 10 + index
                write_wav(own / f"{digit}_{speaker}_{index}.wav", samples(digit, at, seed))


def write_archive(path: Path, scratch: Path) -> None:
    """Write the archive of the release, as GitHub packs it."""
    write(scratch)
    top = "free-spoken-digit-dataset-1.0.10"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(recordings(scratch), f"{top}/recordings")
        archive.add(__file__, f"{top}/README.md")
