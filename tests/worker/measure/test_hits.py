"""Hits in the order of the ranking are those of the neighbours, whatever ties there are."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from worker.measure import hits
from worker.measure.hits import ordered_hits
from worker.measure.neighbours import nearest_neighbours


def expected(points: Tensor, labels: Tensor, depth: int) -> Tensor:
    return torch.cat(
        [
            labels[found] == labels[chunk, None]
            for chunk, found in nearest_neighbours(points, points, depth, leave_self_out=True)
        ]
    )


def points_of(name: str) -> Tensor:
    rng = torch.Generator().manual_seed(0)
    points = torch.randn(300, 5, generator=rng)
    return {
        "anywhere": points,
        "on the sphere": functional.normalize(points, dim=1),
        "on a grid": points.round(),
        "duplicates": points.repeat(2, 1)[:300].index_select(0, torch.arange(300) % 150),
        "far from the origin": points * 1e-3 + 100,
        "one point": torch.ones(300, 5),
        "nearly one point": 1 + points * 1e-7,
        "in float64": points.double(),
        "huge": points * 1e18,
        "tiny": points * 1e-30,
        "two items": points[:2],
    }[name]


@pytest.mark.parametrize("block", [hits._BLOCK, 1_000])
@pytest.mark.parametrize(
    "name",
    [
        "anywhere",
        "on the sphere",
        "on a grid",
        "duplicates",
        "far from the origin",
        "one point",
        "nearly one point",
        "in float64",
        "huge",
        "tiny",
        "two items",
    ],
)
def test_hits_are_those_of_the_neighbours(
    name: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits, "_BLOCK", block)
    points = points_of(name)
    labels = torch.randint(4, (len(points),), generator=torch.Generator().manual_seed(1))
    for depth in {1, min(40, len(points) - 1), len(points) - 1}:
        found = torch.cat([part for _, part in ordered_hits(points, labels, depth)])
        assert torch.equal(found, expected(points, labels, depth))


def test_more_items_are_searched_by_their_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hits, "MOST_ITEMS", 10)
    points, labels = points_of("anywhere"), torch.arange(300) % 7
    found = torch.cat([part for _, part in ordered_hits(points, labels, 9)])
    assert torch.equal(found, expected(points, labels, 9))
