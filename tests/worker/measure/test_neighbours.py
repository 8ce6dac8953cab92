"""Nearest neighbours against a stable sort of all distances by differences in float64."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from worker.measure.neighbours import nearest_neighbours
from worker.measure.retrieval import retrieval


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


def _expected(queries: Tensor, gallery: Tensor, k: int, *, leave_self_out: bool = False) -> Tensor:
    differences = queries.double()[:, None] - gallery.double()[None]
    distances = differences.square().sum(dim=2)
    if leave_self_out:
        distances.fill_diagonal_(torch.inf)
    return distances.sort(dim=1, stable=True).indices[:, :k]


def _found(queries: Tensor, gallery: Tensor, k: int, *, leave_self_out: bool = False) -> Tensor:
    chunks = nearest_neighbours(queries, gallery, k, leave_self_out=leave_self_out)
    return torch.cat([part for _, part in chunks])


def _groups(spread: float) -> Tensor:
    """Five groups of 80 around points of the unit sphere."""
    generator = torch.Generator().manual_seed(0)
    centres = functional.normalize(torch.randn(5, 16, generator=generator), dim=1)
    return centres.repeat(80, 1) + spread * torch.randn(400, 16, generator=generator)


def _with_outlier() -> Tensor:
    points = _groups(0.1)
    points[7] = 1e8
    return points


HARD = {
    "tight groups": _groups(3e-4),
    "groups that rounding nearly collapses": _groups(1e-7),
    "far from the origin": _groups(0.01) + 1000,
    "one outlier": _with_outlier(),
    "duplicates": _groups(0.3)[torch.arange(400) % 150],
    "large numbers": _groups(0.1) * 1e37,
    "small numbers": _groups(0.1) * 1e-37,
    "float64": _groups(3e-4).double() + 1e-9,
}


@pytest.mark.parametrize("k", [1, 10, 79, 399])
@pytest.mark.parametrize("points", HARD.values(), ids=HARD.keys())
def test_no_neighbour_is_lost_to_rounding(points: Tensor, k: int) -> None:
    found = _found(points, points, k, leave_self_out=True)
    assert torch.equal(found, _expected(points, points, k, leave_self_out=True))


@pytest.mark.parametrize("points", HARD.values(), ids=HARD.keys())
def test_a_gallery_of_others_is_ranked_as_exactly(points: Tensor) -> None:
    queries, gallery = points[:90], points[90:]
    assert torch.equal(_found(queries, gallery, 40), _expected(queries, gallery, 40))


def test_tight_groups_are_retrieved_whole() -> None:
    """Their spread is far below the rounding of a float32 product of unit vectors."""
    values = retrieval(_groups(1e-5), torch.arange(400) % 5, ks=[1])
    assert values == {
        "retrieval.recall_at_1": 1.0,
        "retrieval.r_precision": 1.0,
        "retrieval.map_at_r": 1.0,
    }


def test_items_at_one_point_rank_in_order() -> None:
    points = torch.full((6, 3), 0.1)
    found = _found(points, points, 3, leave_self_out=True)
    assert found.tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2], [0, 1, 2], [0, 1, 2]]
    assert _found(torch.randn(2, 3), points, 4).tolist() == [[0, 1, 2, 3]] * 2


@pytest.mark.cuda
@pytest.mark.parametrize("points", HARD.values(), ids=HARD.keys())
def test_a_gpu_ranks_as_exactly(points: Tensor) -> None:
    on_gpu = points.cuda()
    found = _found(on_gpu, on_gpu, 40, leave_self_out=True)
    assert torch.equal(found.cpu(), _expected(points, points, 40, leave_self_out=True))
