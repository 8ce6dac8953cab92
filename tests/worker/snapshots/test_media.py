"""The sprite and the sound of a snapshot: every sample in its place, bright enough to see."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from contract.comparison.data.kinds import Background
from worker.data import ImageFiles
from worker.snapshots.media import join_recordings, sprite, tile_side


def test_a_sprite_has_the_items_in_their_order(tmp_path: Path) -> None:
    items = torch.zeros(5, 1, 28, 28, dtype=torch.uint8)
    for place in range(5):
        items[place] = 50 * place
    sheet = np.asarray(Image.open(io.BytesIO(sprite([items], 28))))
    assert sheet.shape == (56, 84)
    assert [int(sheet[28 * (i // 3) + 14, 28 * (i % 3) + 14]) for i in range(5)] == [
        0,
        50,
        100,
        150,
        200,
    ]
    assert tile_side(torch.zeros(1, 1, 8, 8)) == 28
    assert tile_side(torch.zeros(1, 3, 224, 224)) == 48
    path = tmp_path / "red.png"
    Image.new("RGB", (90, 60), (255, 0, 0)).save(path)
    drawn = Image.open(io.BytesIO(sprite([ImageFiles((path,))], 48)))
    assert drawn.size == (48, 48)
    assert drawn.getpixel((24, 24)) == (255, 0, 0)


def test_a_spectrogram_has_its_low_bands_at_the_bottom() -> None:
    sound = torch.full((1, 1, 28, 28), -3.0)
    sound[:, :, 0] = 5.0
    sheet = np.asarray(Image.open(io.BytesIO(sprite([sound], 28))))
    assert sheet[-1].tolist() == [255] * 28
    assert sheet[0].tolist() == [0] * 28


def test_a_quiet_spectrogram_is_as_bright_as_a_loud_one() -> None:
    sounds = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    sounds[1] = sounds[0] / 100
    sheet = np.asarray(Image.open(io.BytesIO(sprite([sounds], 28))))
    assert np.abs(sheet[:, :28].astype(int) - sheet[:, 28:56]).max() <= 1
    assert sheet[:, :28].max() == 255


def test_recordings_follow_one_another_in_one_sound(tmp_path: Path) -> None:
    paths = []
    for place, length in enumerate((800, 1600, 400)):
        path = tmp_path / f"{place}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(np.full(length, 100 * (place + 1), dtype="<i2").tobytes())
        paths.append(path)
    content, ends = join_recordings(paths)
    assert ends == pytest.approx([0.1, 0.3, 0.35])
    with wave.open(io.BytesIO(content)) as file:
        heard = np.frombuffer(file.readframes(10_000), dtype="<i2")
    assert heard.tolist() == [100] * 800 + [200] * 1600 + [300] * 400


def test_a_sprite_shows_images_on_the_background_that_trains(tmp_path: Path) -> None:
    path = tmp_path / "clear.png"
    Image.new("RGBA", (60, 60), (255, 0, 0, 0)).save(path)
    cases: dict[Background, int | tuple[int, ...]] = {"white": 255, "black": 0, "none": (255, 0, 0)}
    for background, shown in cases.items():
        files = ImageFiles((path,), background)
        drawn = Image.open(io.BytesIO(sprite([files.take([0])], 48)))
        assert drawn.getpixel((24, 24)) == shown
