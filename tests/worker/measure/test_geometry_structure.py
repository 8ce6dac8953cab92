"""Spectrum, pairs and hubs of a space against slow loops, NumPy and SciPy."""

import importlib
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from tests.support.examples import at_most
from worker.measure import distance_histograms, geometry, pair_distances

ALIGNMENT, UNIFORMITY = "geometry.alignment", "geometry.uniformity"
RANK, DECAY = "geometry.effective_rank", "geometry.spectral_decay"
HUBNESS, OVERLAP = "geometry.hubness", "geometry.distance_overlap"
KEYS = {ALIGNMENT, UNIFORMITY, RANK, DECAY, HUBNESS, OVERLAP}


def by_loop(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    count = len(labels)
    unit = embeddings / embeddings.norm(dim=1, keepdim=True)
    both = [(i, j) for i in range(count) for j in range(count) if i != j]
    close = [float((unit[i] - unit[j]).square().sum()) for i, j in both]
    same = [bool(labels[i] == labels[j]) for i, j in both]
    far = np.array([float((embeddings[i] - embeddings[j]).norm()) for i, j in both])

    singular = np.linalg.svd((embeddings - embeddings.mean(dim=0)).numpy(), compute_uv=False)
    singular = singular[singular > 1e-12]
    shares = singular / singular.sum()
    line = np.polyfit(np.log(np.arange(len(singular)) + 1), np.log(singular), 1)

    k = min(10, count - 1)
    occurrences = [0] * count
    for i in range(count):
        order = (embeddings - embeddings[i]).norm(dim=1).argsort().tolist()
        for j in [j for j in order if j != i][:k]:
            occurrences[j] += 1

    alike = np.array(same)
    edges = np.histogram_bin_edges(far, 100)
    shared = [np.histogram(far[part], edges)[0] / part.sum() for part in (alike, ~alike)]
    return {
        ALIGNMENT: sum(d for d, s in zip(close, same, strict=True) if s) / sum(same),
        UNIFORMITY: math.log(sum(math.exp(-2 * d) for d in close) / len(close)),
        RANK: math.exp(-sum(p * math.log(p) for p in shares)),
        DECAY: -float(line[0]),
        HUBNESS: float(stats.skew(occurrences)),
        OVERLAP: float(np.minimum(*shared).sum()),
    }


@settings(max_examples=at_most(40), deadline=None)
@given(
    seed=st.integers(0, 2**31),
    sizes=st.lists(st.integers(1, 8), min_size=2, max_size=5).filter(
        lambda sizes: max(sizes) > 1 and sum(sizes) > 12
    ),
)
def test_agrees_with_the_loop(seed: int, sizes: list[int]) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes)) * 7 - 3
    labels = labels[torch.randperm(len(labels), generator=generator)]
    embeddings = torch.randn(len(labels), 4, generator=generator, dtype=torch.float64) + 1
    values = geometry(embeddings, labels)
    expected = by_loop(embeddings, labels)
    assert {key: values[key] for key in KEYS} == pytest.approx(expected, rel=1e-7, abs=1e-7)
    single = geometry(embeddings.float(), labels)
    for key in KEYS - {HUBNESS, OVERLAP}:  # there rounding may move an item to another place
        assert single[key] == pytest.approx(expected[key], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("count", [129, 300])
def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    torch.manual_seed(0)
    embeddings, labels = torch.randn(count, 5, dtype=torch.float64), torch.arange(count) % 4
    whole, counted = geometry(embeddings, labels), distance_histograms(embeddings, labels)
    for rows in (1, 7, 1000):
        monkeypatch.setattr(pair_distances, "CHUNK_ROWS", rows)
        assert geometry(embeddings, labels) == pytest.approx(whole, rel=1e-12)
        seen = distance_histograms(embeddings, labels)
        torch.testing.assert_close(seen, counted, rtol=1e-12, atol=0)


def test_effective_rank_and_decay_where_they_are_known() -> None:
    """A line has rank 1, a cross of D equal axes rank D, a power law decays by its exponent."""
    torch.manual_seed(0)
    labels = torch.arange(16) % 2
    line = torch.randn(16, 1) * torch.randn(1, 8) + 3
    values = geometry(line, labels)
    assert values[RANK] == pytest.approx(1, abs=1e-4)
    assert DECAY not in values  # the other directions hold only rounding errors

    axes = torch.cat([torch.eye(8), -torch.eye(8)])
    values = geometry(axes, labels)
    assert values[RANK] == pytest.approx(8)
    assert values[DECAY] == pytest.approx(0, abs=1e-6)

    falling = axes * torch.arange(1, 9.0) ** -1.5
    assert geometry(falling, labels)[DECAY] == pytest.approx(1.5)


def test_alignment_uniformity_and_overlap_where_they_are_known() -> None:
    corners = torch.tensor([[2.0, 0], [0, 1], [2.0, 0], [0, 1]])
    apart = geometry(corners, torch.tensor([0, 1, 0, 1]))
    assert apart[ALIGNMENT] == pytest.approx(0)
    assert apart[OVERLAP] == 0
    mean = (2 * 1 + 4 * math.exp(-4)) / 6  # two pairs coincide, four are at right angles
    assert apart[UNIFORMITY] == pytest.approx(math.log(mean))
    assert geometry(corners, torch.tensor([0, 0, 1, 1]))[ALIGNMENT] == pytest.approx(2)


def test_one_hub() -> None:
    """Corners of a skewed simplex, and the origin, which is the nearest of each of them."""
    embeddings = torch.cat([torch.zeros(1, 30), torch.linspace(1, 1.1, 30).diag()])
    labels = torch.arange(31) % 2
    occurrences = np.zeros(31)
    for i in range(31):
        distances = (embeddings - embeddings[i]).norm(dim=1).numpy()
        distances[i] = np.inf
        occurrences[np.argsort(distances, kind="stable")[:10]] += 1
    assert occurrences[0] == 30
    assert geometry(embeddings, labels)[HUBNESS] == pytest.approx(float(stats.skew(occurrences)))


def test_degenerate_inputs() -> None:
    labels = torch.tensor([0, 0, 1, 1])
    for point in (0.0, 0.1, -7.3):
        for kind in (torch.float32, torch.float64):
            collapsed = geometry(torch.full((4, 3), point, dtype=kind), labels)
            assert {key: collapsed[key] for key in KEYS & set(collapsed)} == {
                ALIGNMENT: 0,
                UNIFORMITY: pytest.approx(0, abs=1e-12),
                OVERLAP: 1,
            }

    two = geometry(torch.tensor([[1.0, 0], [-1.0, 0]]), torch.tensor([5, 5]))
    assert {key: two[key] for key in KEYS & set(two)} == {
        ALIGNMENT: pytest.approx(4),
        UNIFORMITY: pytest.approx(-8),
        RANK: pytest.approx(1),
    }

    with_zero = geometry(torch.tensor([[0.0, 0], [3, 0], [0, 4]]), torch.tensor([0, 0, 1]))
    assert with_zero[ALIGNMENT] == pytest.approx(1)
    assert all(math.isfinite(value) for value in with_zero.values())


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_scale_does_not_matter(size: float) -> None:
    torch.manual_seed(0)
    embeddings, labels = torch.randn(40, 3), torch.arange(40) % 3
    values, scaled = geometry(embeddings, labels), geometry(embeddings * size, labels)
    for key in KEYS - {OVERLAP}:
        assert scaled[key] == pytest.approx(values[key], rel=1e-3, abs=1e-3)


def test_measures_of_all_pairs_use_a_fixed_subset(monkeypatch: pytest.MonkeyPatch) -> None:
    """All other measures use all items."""
    torch.manual_seed(0)
    embeddings, labels = torch.randn(500, 4), torch.arange(500) % 4
    whole = geometry(embeddings, labels)
    module = importlib.import_module("worker.measure.geometry")  # not the function
    monkeypatch.setattr(module, "MAX_PAIR_ITEMS", 300)
    monkeypatch.setattr(pair_distances, "MAX_PAIR_ITEMS", 300)
    some = geometry(embeddings, labels)
    assert some == geometry(embeddings, labels)
    assert {key for key in whole if some[key] != whole[key]} == {UNIFORMITY, HUBNESS, OVERLAP}
    assert some[UNIFORMITY] == pytest.approx(whole[UNIFORMITY], rel=0.05)
    assert some[OVERLAP] == pytest.approx(whole[OVERLAP], abs=0.1)
    seen = distance_histograms(embeddings, labels)
    assert int(seen.positive.sum() + seen.negative.sum()) == math.comb(300, 2)
