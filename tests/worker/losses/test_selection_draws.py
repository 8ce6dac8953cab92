"""How often random selections draw each tuple, against their stated probabilities.

Seeds are fixed; a correct draw passes each bound 999 times in 1,000.
"""

import math
from itertools import pairwise, permutations

import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from worker.losses import selection
from worker.losses.batch import Batch

DRAWS = 4000


def repeated(anchor: Tensor, others: Tensor, labels: list[int]) -> Batch:
    """Return a batch of many copies of the anchor, of class 0: each is an independent draw."""
    return Batch(
        anchor.expand(DRAWS, -1),
        torch.zeros(DRAWS, dtype=torch.int64),
        others,
        torch.tensor(labels),
        against_itself=False,
    )


def assert_drawn_as(counts: Tensor, probabilities: list[float]) -> None:
    expected = torch.tensor(probabilities, dtype=torch.float64) * counts.sum()
    possible = expected > 0
    assert not counts[~possible].any()
    found = stats.chisquare(counts[possible].tolist(), expected[possible].tolist())
    assert found.pvalue > 1e-3


def at_distances(*distances: float, dim: int = 6) -> tuple[Tensor, Tensor]:
    """Return an anchor and others that are at these distances once scaled to length 1."""
    angles = [2 * math.asin(distance / 2) for distance in distances]
    others = torch.zeros(len(angles), dim, dtype=torch.float64)
    for row, angle in enumerate(angles):
        others[row, 0], others[row, 1 + row % (dim - 1)] = math.cos(angle), math.sin(angle)
    anchor = torch.zeros(dim, dtype=torch.float64)
    anchor[0] = 3.0
    return anchor, others * torch.linspace(0.5, 2, len(angles), dtype=torch.float64)[:, None]


def wu_weight(distance: float, dim: int = 6) -> float:
    """Return min(lambda, 1 / q(d)), and 0 from 1.4 on, by the formula of Wu et al. 2017."""
    if distance >= 1.4:
        return 0.0
    d = max(distance, 0.5)
    return 1.0 / (math.pow(d, dim - 2) * math.pow(1 - d * d / 4, (dim - 3) / 2))


def shares(weights: list[float]) -> list[float]:
    return [weight / sum(weights) for weight in weights]


def test_sampled_triplets_are_uniform() -> None:
    batch = repeated(torch.ones(2), torch.randn(7, 2), [1, 0, 0, 2, 0, 1, 1])
    found = selection.select_triplets(
        "sampled", batch, torch.zeros(DRAWS, 7), torch.Generator().manual_seed(0)
    )
    assert torch.equal(found[0], torch.arange(DRAWS))
    positives, negatives = (torch.bincount(row, minlength=7) for row in found[1:])
    assert_drawn_as(positives, [0, 1 / 3, 1 / 3, 0, 1 / 3, 0, 0])
    assert_drawn_as(negatives, [1 / 4, 0, 0, 1 / 4, 0, 1 / 4, 1 / 4])
    together = torch.bincount(found[1] * 7 + found[2], minlength=49)
    assert_drawn_as(
        together, [p * n / 12 for p in (0, 1, 1, 0, 1, 0, 0) for n in (1, 0, 0, 1, 0, 1, 1)]
    )


def test_sampled_pairs_are_uniform() -> None:
    points, labels = torch.randn(6, 2), torch.tensor([0, 0, 1, 1, 2, 3])
    batch = Batch(points, labels, points, labels, against_itself=True)
    generator = torch.Generator().manual_seed(0)
    draws = [
        selection.select_pairs("sampled", batch, torch.zeros(6, 6), 1.0, generator)
        for _ in range(2000)
    ]
    counts = torch.stack(draws).sum(dim=0)[batch.negative.triu()]
    # 2 different of the 13 negative pairs each time: without replacement, so less variance.
    assert int(counts.sum()) == 2 * 2000
    assert_drawn_as(counts, [1 / 13] * 13)


DISTANCES = (0.2, 0.5, 0.7, 0.9, 1.1, 1.3, 1.45, 1.9)


def test_triplets_are_drawn_by_distance() -> None:
    anchor, others = at_distances(*DISTANCES, 0.4, 1.0)
    batch = repeated(anchor, others, [1] * len(DISTANCES) + [0, 0])
    generator = torch.Generator().manual_seed(0)
    found = selection.select_triplets("distance_weighted", batch, torch.zeros(DRAWS, 10), generator)
    assert found.shape == (3, 2 * DRAWS)
    for positive in (8, 9):  # one negative for each of the two positives
        own = found[2][found[1] == positive]
        assert_drawn_as(torch.bincount(own, minlength=8), shares([wu_weight(d) for d in DISTANCES]))


@pytest.mark.parametrize("wanted", [1, 2, 3])
def test_pairs_are_drawn_by_distance_without_replacement(wanted: int) -> None:
    anchor, others = at_distances(*DISTANCES, *([1.0] * wanted))
    batch = repeated(anchor, others, [1] * len(DISTANCES) + [0] * wanted)
    generator = torch.Generator().manual_seed(wanted)
    found = selection.select_pairs(
        "distance_weighted", batch, torch.zeros(DRAWS, 8 + wanted), 1.0, generator
    )
    assert found[:, 8:].all()
    assert (found[:, :8].sum(dim=1) == wanted).all()
    weights = [wu_weight(d) for d in DISTANCES]
    expected: dict[tuple[int, ...], float] = {}
    for order in permutations(range(6), wanted):  # one after the other, of those left
        probability, left = 1.0, sum(weights)
        for n in order:
            probability, left = probability * weights[n] / left, left - weights[n]
        key = tuple(sorted(order))
        expected[key] = expected.get(key, 0) + probability
    assert sum(expected.values()) == pytest.approx(1)
    seen = dict.fromkeys(expected, 0)
    for row in found[:, :8]:
        seen[tuple(row.nonzero().squeeze(1).tolist())] += 1
    often = [key for key in expected if expected[key] * DRAWS >= 5]
    rest = 1 - sum(expected[key] for key in often)
    counts = [seen[key] for key in often] + [sum(seen.values()) - sum(seen[k] for k in often)]
    assert_drawn_as(torch.tensor(counts), [*(expected[key] for key in often), max(rest, 0.0)])


def test_without_a_near_negative_all_are_equally_likely() -> None:
    anchor, others = at_distances(1.45, 1.7, 1.9, 0.4, 1.8)
    batch = repeated(anchor, others, [1, 1, 2, 0, 0])
    found = selection.select_triplets(
        "distance_weighted", batch, torch.zeros(DRAWS, 5), torch.Generator().manual_seed(1)
    )
    assert_drawn_as(torch.bincount(found[2], minlength=5), [1 / 3, 1 / 3, 1 / 3, 0, 0])


def test_far_negatives_are_drawn_when_near_ones_run_out() -> None:
    anchor, others = at_distances(1.0, 1.45, 1.7, 1.9, 0.4, 1.8)
    batch = repeated(anchor, others, [1, 1, 1, 1, 0, 0])
    generator = torch.Generator().manual_seed(1)
    found = selection.select_pairs(
        "distance_weighted", batch, torch.zeros(DRAWS, 6), 1.0, generator
    )
    assert found[:, 0].all()
    assert (found[:, :4].sum(dim=1) == 2).all()
    assert_drawn_as(found[:, 1:4].sum(dim=0), [1 / 3] * 3)


@pytest.mark.parametrize("dim", [2, 3, 8])
def test_the_density_is_that_of_random_points_on_the_sphere(dim: int) -> None:
    """The density is known up to a factor."""
    generator = torch.Generator().manual_seed(dim)
    points = torch.randn(2, 20_000, dim, generator=generator, dtype=torch.float64)
    one, other = torch.nn.functional.normalize(points, dim=2)
    measured = (one - other).norm(dim=1)

    def density(distance: float) -> float:
        number = torch.tensor(distance, dtype=torch.float64)
        return math.exp(-float(selection.log_inverse_density(number, dim)))

    whole = integrate.quad(density, 0, 2)[0]
    edges = (0.0, 0.6, 0.9, 1.2, 1.4, 1.6, 1.8, 2.0)
    parts = [integrate.quad(density, low, high)[0] / whole for low, high in pairwise(edges)]
    assert_drawn_as(torch.histogram(measured, torch.tensor(edges).double()).hist, parts)


def test_many_dimensions_do_not_overflow() -> None:
    """1 / q at 0.5 is e^1400 here."""
    torch.manual_seed(0)
    embeddings = torch.nn.functional.normalize(torch.randn(2, 2048), dim=1)
    embeddings = (embeddings[[0]] + torch.linspace(0, 1, 8)[:, None] * embeddings[[1]]).float()
    labels = torch.arange(8) % 2
    weights = selection.log_sampling_weights(
        Batch(embeddings, labels, embeddings, labels, against_itself=True)
    )
    assert weights[labels[:, None] != labels].isfinite().all()
    assert (weights[labels[:, None] == labels] == -torch.inf).all()
