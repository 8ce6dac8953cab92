"""Retrieval of positives and correlation with scores, beside plain loops."""

import math

import pytest
import torch
from scipy.stats import spearmanr

from worker import measure
from worker.errors import InputError


def naive(
    points: torch.Tensor, groups: list[int], queries: list[int], gallery: list[int]
) -> dict[str, float]:
    first, gains = [], []
    for query in queries:
        others = [one for one in gallery if one != query]
        relevant = [one for one in others if groups[one] == groups[query]]
        if not relevant:
            continue
        # Of equal distances the relevant ones come last.
        distances = {
            one: (float((points[query] - points[one]).square().sum()), one in relevant)
            for one in others
        }
        ranked = sorted(others, key=distances.__getitem__)
        first.append(1 + min(ranked.index(one) for one in relevant))
        hits = [rank for rank, one in enumerate(ranked[:10]) if one in relevant]
        gain = sum(1 / math.log2(rank + 2) for rank in hits)
        ideal = sum(1 / math.log2(rank + 2) for rank in range(min(10, len(relevant))))
        gains.append(gain / ideal)
    count = len(first)
    return {
        **{f"pairs.recall_at_{k}": sum(rank <= k for rank in first) / count for k in (1, 5, 10)},
        "pairs.mrr": sum(1 / rank for rank in first) / count,
        "pairs.ndcg_at_10": sum(gains) / count,
    }


@pytest.mark.parametrize("seed", range(4))
def test_figures_are_those_of_a_plain_loop(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    # Few whole coordinates, so that many distances are equal.
    points = torch.randint(0, 3, (40, 3), generator=generator).to(torch.float32)
    groups = torch.randint(0, 12, (40,), generator=generator)
    queries, gallery = torch.arange(0, 20), torch.arange(10, 40)
    found = measure.retrieval_of_positives(points, groups, queries, gallery)
    expected = naive(points, groups.tolist(), queries.tolist(), gallery.tolist())
    assert found == pytest.approx(expected)


def test_a_collapsed_space_ranks_positives_last() -> None:
    groups = torch.arange(20) // 2
    found = measure.retrieval_of_positives(
        torch.ones(20, 4), groups, torch.arange(0, 20, 2), torch.arange(1, 20, 2)
    )
    assert found["pairs.mrr"] == pytest.approx(1 / 10)
    assert found["pairs.recall_at_1"] == 0


def test_queries_without_a_positive_do_not_count_and_none_at_all_is_no_value() -> None:
    points, groups = torch.eye(6), torch.tensor([0, 0, 1, 2, 3, 4])
    gallery = torch.tensor([1, 3])
    found = measure.retrieval_of_positives(points, groups, torch.tensor([0, 2]), gallery)
    assert found["pairs.recall_at_5"] == 1
    assert measure.retrieval_of_positives(points, groups, torch.tensor([2]), gallery) == {}


def test_correlation_is_spearmans_of_the_cosines() -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(30, 4, generator=generator).double()
    pairs = torch.randint(0, 30, (50, 2), generator=generator)
    scores = torch.randint(0, 5, (50,), generator=generator).double()
    ones, others = points[pairs].unbind(1)
    cosines = torch.nn.functional.cosine_similarity(ones, others).round(decimals=12)
    found = measure.score_correlation(points, pairs, scores)
    assert found["pairs.spearman"] == pytest.approx(spearmanr(cosines, scores).statistic, abs=1e-6)


def test_equal_cosines_have_no_correlation() -> None:
    pairs = torch.tensor([[0, 1], [2, 3]])
    assert measure.score_correlation(torch.ones(4, 2), pairs, torch.tensor([0.0, 1.0])) == {}


def test_wrong_arguments_are_named() -> None:
    points, groups = torch.randn(4, 2), torch.arange(4)
    with pytest.raises(InputError, match="gallery: expected"):
        measure.retrieval_of_positives(points, groups, torch.tensor([0]), torch.tensor([4]))
    with pytest.raises(InputError, match="scores: expected 1 finite numbers"):
        measure.score_correlation(points, torch.tensor([[0, 1]]), torch.tensor([torch.nan]))


def test_geometry_of_tuples_is_that_of_classes_where_it_needs_none() -> None:
    points, labels = torch.randn(30, 5), torch.arange(30) // 2
    by_class = measure.geometry(points, labels)
    found = measure.geometry_of_tuples(points, torch.arange(30).view(-1, 2))
    assert found == pytest.approx({key: by_class[key] for key in found})
    assert "geometry.alignment" in found
    assert "geometry.intra_class_variance" not in found
    assert "geometry.alignment" not in measure.geometry_of_tuples(points, torch.zeros(0, 2).long())


def test_a_threshold_on_given_pairs() -> None:
    same = torch.tensor([True, True, False, True])
    counts = measure.counts_of(torch.tensor([0.1, 0.2, 0.3, 0.4]), same)
    found = measure.threshold_figures(counts, 0.35)
    assert found["verification.threshold.far"] == 1
    assert found["verification.threshold.frr"] == pytest.approx(1 / 3)
