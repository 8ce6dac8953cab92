"""Retrieval between modalities against fixtures, a loop and scikit-learn, and the chance level."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score
from torch import Tensor

from contract.metrics import METRICS
from tests.support.examples import at_most
from worker import measure
from worker.errors import InputError
from worker.measure import cross_modal, neighbours

THERE, BACK = "retrieval.audio_to_visual.", "retrieval.visual_to_audio."


def one_way(
    queries: Tensor, labels: Tensor, gallery: Tensor, gallery_labels: Tensor, ks: list[int]
) -> dict[str, float]:
    averages, recalls = [], []
    for query, label in zip(queries, labels, strict=True):
        distances = (gallery - query).norm(dim=1)
        relevant = gallery_labels == label
        if relevant.any():
            averages.append(average_precision_score(relevant.numpy(), -distances.numpy()))
            hits = relevant[distances.argsort()]
            recalls.append([bool(hits[:k].any()) for k in ks])
    return {
        "map": sum(averages) / len(averages),
        **{
            f"recall_at_{k}": sum(column) / len(column)
            for k, column in zip(ks, zip(*recalls, strict=True), strict=True)
        },
    }


@settings(max_examples=at_most(40), deadline=None)
@given(seed=st.integers(0, 2**31), counts=st.tuples(st.integers(1, 20), st.integers(1, 20)))
def test_agrees_with_scikit_learn(seed: int, counts: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(seed)
    audio, visual = (
        torch.randn(count, 3, generator=generator, dtype=torch.float64) for count in counts
    )
    heard, seen = (torch.randint(-2, 2, (count,), generator=generator) for count in counts)
    heard[0] = seen[0] = 0
    ks = [k for k in (1, 2, 4, 8) if k <= min(counts)]
    values = cross_modal(audio, heard, visual, seen)
    there = one_way(audio, heard, visual, seen, ks)
    back = one_way(visual, seen, audio, heard, ks)
    expected = {THERE + key: value for key, value in there.items()}
    expected |= {BACK + key: value for key, value in back.items()}
    assert values == pytest.approx(expected)
    assert set(values) <= set(METRICS)


def test_fixture() -> None:
    """One sound ranks pictures of relevance 1, 0, 1: average precision is (1 + 2/3) / 2."""
    visual, seen = torch.tensor([[1.0], [2], [3]]), torch.tensor([5, 6, 5])
    assert cross_modal(torch.zeros(1, 1), torch.tensor([5]), visual, seen) == {
        THERE + "map": pytest.approx(5 / 6),
        THERE + "recall_at_1": 1,
        BACK + "map": 1,  # the picture of class 6 has no sound and is no query
        BACK + "recall_at_1": 1,
    }


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    sides = (torch.randn(50, 4), torch.arange(50) % 6, torch.randn(70, 4), torch.arange(70) % 5)
    whole = cross_modal(*sides)
    monkeypatch.setattr(neighbours, "CHUNK_ROWS", 7)
    assert cross_modal(*sides) == pytest.approx(whole)


def test_input_errors() -> None:
    points, labels = torch.randn(3, 2), torch.zeros(3).long()
    for wrong, message in (
        ((points, labels[:2], points, labels), r"audio_labels: expected shape \[3\].* \[2\]"),
        ((points, labels, points, labels.float()), r"visual_labels: .*torch.float32"),
        ((points, labels, points[:, :1], labels), r"visual: .*D = 2, got \[3, 1\]"),
        ((points * torch.nan, labels, points, labels), r"audio: 3 of 3 rows are not finite"),
        ((points, labels, points, labels + 1), r"visual_labels: no class of audio_labels"),
    ):
        with pytest.raises(InputError, match=message):
            cross_modal(*wrong)
    for k in (0, 3):
        with pytest.raises(InputError, match=rf"ks: expected 1 to 2, .*, got {k}"):
            cross_modal(points, labels, points[:2], labels[:2], ks=[k])


def test_chance_is_the_mean_of_random_rankings() -> None:
    audio = torch.tensor([0] * 6 + [1] * 3 + [2])
    visual = torch.tensor([0] * 2 + [1] * 5 + [3] * 4)
    generator = torch.Generator().manual_seed(0)
    tried: dict[str, float] = {}
    rounds = 1000
    for _ in range(rounds):
        one, other = (torch.randn(len(own), 8, generator=generator) for own in (audio, visual))
        for key, value in measure.cross_modal(one, audio, other, visual).items():
            tried[key] = tried.get(key, 0) + value / rounds
    expected = measure.chance(audio, visual)
    assert set(expected) == set(tried)
    for key, value in expected.items():
        assert tried[key] == pytest.approx(value, abs=0.03), key


def test_chance_by_hand() -> None:
    """One relevant item among two is at place 1 or 2, with precision 1 or 1/2."""
    labels = torch.tensor([0, 1])
    values = measure.chance(labels, labels, ks=[1, 2])
    assert values["retrieval.audio_to_visual.map"] == pytest.approx(0.75)
    assert values["retrieval.visual_to_audio.recall_at_1"] == pytest.approx(0.5)
    assert values["retrieval.visual_to_audio.recall_at_2"] == 1


def test_chance_of_one_class_is_certain() -> None:
    values = measure.chance(torch.zeros(4, dtype=torch.int64), torch.zeros(9, dtype=torch.int64))
    assert list(values.values()) == [pytest.approx(1.0)] * len(values)


def test_chance_without_a_common_class_is_refused() -> None:
    with pytest.raises(InputError, match="no class"):
        measure.chance(torch.tensor([0, 0]), torch.tensor([1, 1]))
