"""What a random ranking gives, in closed form and by trying."""

import pytest
import torch

from worker import measure
from worker.errors import InputError


def test_the_closed_form_is_the_mean_of_random_rankings() -> None:
    audio = torch.tensor([0] * 6 + [1] * 3 + [2])
    visual = torch.tensor([0] * 2 + [1] * 5 + [3] * 4)
    generator = torch.Generator().manual_seed(0)
    tried: dict[str, float] = {}
    rounds = 3000
    for _ in range(rounds):
        one, other = (torch.randn(len(own), 8, generator=generator) for own in (audio, visual))
        for key, value in measure.cross_modal(one, audio, other, visual).items():
            tried[key] = tried.get(key, 0) + value / rounds
    expected = measure.chance(audio, visual)
    assert set(expected) == set(tried)
    for key, value in expected.items():
        assert tried[key] == pytest.approx(value, abs=0.02), key


def test_by_hand() -> None:
    """One relevant item among two: first or second place, precision 1 or 1/2."""
    labels = torch.tensor([0, 1])
    values = measure.chance(labels, labels, ks=[1, 2])
    assert values["retrieval.audio_to_visual.map"] == pytest.approx(0.75)
    assert values["retrieval.visual_to_audio.recall_at_1"] == pytest.approx(0.5)
    assert values["retrieval.visual_to_audio.recall_at_2"] == 1


def test_one_class_is_always_found() -> None:
    values = measure.chance(torch.zeros(4, dtype=torch.int64), torch.zeros(9, dtype=torch.int64))
    assert list(values.values()) == [pytest.approx(1.0)] * len(values)


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(InputError, match="no class"):
        measure.chance(torch.tensor([0, 0]), torch.tensor([1, 1]))
