"""Pairs and histograms of their distances against NumPy."""

import numpy as np
import pytest
import torch

from worker.errors import InputError
from worker.measure import distance_histograms, pair_distances


def test_every_pair_comes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_distances, "CHUNK_ROWS", 3)
    points = 2.0 ** torch.arange(11, dtype=torch.float64)[:, None]  # no two differences alike
    parts = list(pair_distances.squared_pair_distances(points, torch.arange(11) % 2))
    squared, same = (torch.cat(column) for column in zip(*parts, strict=True))
    expected = {(2.0**i - 2.0**j) ** 2: (i - j) % 2 == 0 for i in range(11) for j in range(i)}
    assert len(squared) == len(expected) == 55
    assert dict(zip(squared.tolist(), same.tolist(), strict=True)) == expected


def test_histograms_are_those_of_numpy() -> None:
    torch.manual_seed(0)
    embeddings, labels = torch.randn(60, 3, dtype=torch.float64) + 5, torch.arange(60) % 3
    far = torch.cdist(embeddings, embeddings).numpy()
    upper = np.triu_indices(60, 1)
    alike = (labels[:, None] == labels).numpy()[upper]
    seen = distance_histograms(embeddings, labels, bins=17)
    edges = np.histogram_bin_edges(far[upper], 17)
    np.testing.assert_allclose(seen.edges.numpy(), edges)
    for part, counts in ((alike, seen.positive), (~alike, seen.negative)):
        expected = np.histogram(far[upper][part], edges)[0]
        assert np.abs(expected - counts.numpy()).sum() <= 2  # one may lie on an edge
        assert int(counts.sum()) == part.sum()


def test_input_errors_of_histograms() -> None:
    points = torch.randn(4, 2)
    with pytest.raises(InputError, match=r"labels: expected two classes or more, got only 3"):
        distance_histograms(points, torch.full((4,), 3))
    with pytest.raises(InputError, match=r"bins: .*at least 1, got 0"):
        distance_histograms(points, torch.tensor([0, 0, 1, 1]), bins=0)
    with pytest.raises(InputError, match=r"labels: .*two members, got 4 classes of one"):
        distance_histograms(points, torch.arange(4))
