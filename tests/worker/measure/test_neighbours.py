"""Nearest neighbours against a stable sort of all distances."""

import pytest
import torch

from worker.measure.neighbours import nearest_neighbours


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("k", [1, 3, 40, 99, 100])
def test_neighbours_are_those_of_a_stable_sort(kind: torch.dtype, k: int) -> None:
    """Few different values, so that most rows have ties, many of them at the k-th place."""
    torch.manual_seed(0)
    queries = torch.randint(-3, 4, (30, 2)).to(kind)
    gallery = torch.randint(-3, 4, (100, 2)).to(kind)
    gallery -= gallery.mean(dim=0).round()  # integers everywhere, so ties are exact
    gallery[-1] -= gallery.sum(dim=0)
    expected = torch.cdist(queries, gallery).square().round().sort(dim=1, stable=True).indices
    found = torch.cat([part for _, part in nearest_neighbours(queries, gallery, k)])
    assert torch.equal(found, expected[:, :k])
