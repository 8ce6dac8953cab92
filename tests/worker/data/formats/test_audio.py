"""Wav files as log-mel spectrograms."""

from pathlib import Path

import numpy as np
import pytest

from tests.support import tiny_spoken
from worker.data.formats import audio
from worker.errors import DataError
from worker.reporting.progress import SILENT


def mels(*paths: Path, frames: int = 32) -> np.ndarray:
    return audio.spectrograms(paths, bands=32, frames=frames, progress=SILENT)


def test_a_tone_appears_in_its_band(tmp_path: Path) -> None:
    for digit in (0, 5):
        tiny_spoken.write_wav(tmp_path / f"{digit}.wav", tiny_spoken.samples(digit, 1, 0))
    low, high = mels(tmp_path / "0.wav", tmp_path / "5.wav")[:, 0, :, 3:15].mean(axis=2)
    assert low.argmax() < high.argmax()
    assert low.max() > low.min() + 5


def test_short_recordings_end_in_silence_and_long_ones_are_cut(tmp_path: Path) -> None:
    for name, seconds in (("short", 0.1), ("long", 3.0)):
        data = tiny_spoken.samples(3, 1, 0, seconds)
        tiny_spoken.write_wav(tmp_path / f"{name}.wav", data)
    short, long = mels(tmp_path / "short.wav", tmp_path / "long.wav")
    assert (short[:, :, 10:] == np.float32(np.log(audio.POWER_FLOOR))).all()
    assert (long[:, :, -1].max()) > short[:, :, -1].max() + 5


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("rubbish", "is not a wav file"),
        ("empty", "is not a wav file"),
        ("silent", r"is 0\.0 s long"),
        ("stereo", "has 2 channels"),
        ("fast", "at 44100 Hz"),
        ("bytes", "of 8 bits"),
        ("cut", "ends early"),
        ("endless", r"is 61\.0 s long"),
    ],
)
def test_unusable_files_are_named_with_the_reason(tmp_path: Path, name: str, seen: str) -> None:
    path, tone = tmp_path / f"{name}.wav", tiny_spoken.samples(1, 0, 0)
    if name == "rubbish":
        path.write_bytes(b"this is no sound")
    elif name == "empty":
        path.write_bytes(b"")
    elif name == "cut":
        tiny_spoken.write_wav(path, tone)
        path.write_bytes(path.read_bytes()[:-1000])
    else:
        data = {"silent": tone[:0], "endless": np.zeros(61 * 8000, dtype="<i2")}.get(name, tone)
        channels, width = (2 if name == "stereo" else 1), (1 if name == "bytes" else 2)
        rate = 44100 if name == "fast" else 8000
        tiny_spoken.write_wav(path, data, rate=rate, channels=channels, width=width)
    with pytest.raises(DataError, match=seen) as caught:
        mels(path)
    assert str(path) in str(caught.value)
