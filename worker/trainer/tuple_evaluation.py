"""What is measured of data that come as tuples, in place of the measures of classes."""

from collections.abc import Set
from typing import Final

import torch
from torch import Tensor

from contract.metrics.verification import DIMENSION_ITEMS
from worker import measure
from worker.data import Split
from worker.torch_utils import stream_generator
from worker.trainer.families import Family

_SUBSET_SEED: Final = 0


def tuple_values(points: Tensor, split: Split, families: Set[Family]) -> dict[str, float]:
    """Return the measures of tuples, by metric key.

    Args:
        points: [N, D] embeddings of the split's items.
        split: with tuples.
        families: of measures.
    """
    rows = split.rows
    assert rows is not None, "of data that come as tuples"
    values: dict[str, float] = {}
    if "geometry" in families:
        values |= measure.geometry_of_tuples(
            points, rows.positives, all_pairs="all_pairs" in families
        )
    if "pairs" not in families:
        return values
    if rows.scores is not None:
        return values | measure.score_correlation(points, rows.places, rows.scores)
    queries, gallery = rows.positives[:, 0].unique(), rows.places[:, 1:].unique()
    return values | measure.retrieval_of_positives(points, split.labels, queries, gallery)


def tuple_verification(
    points: Tensor, split: Split, chosen_points: Tensor, chosen: Split
) -> dict[str, float]:
    """Return the figures of verification on a split; none of scored pairs.

    Labelled pairs are verified as they are given. Of pairs and triplets, two items are a pair of
    one class if they are of one group.

    Args:
        points: [N, D] embeddings of the split.
        split: that is measured.
        chosen_points: [M, D] embeddings of the split that chooses the threshold.
        chosen: that split.
    """
    counts, chosen_on = _counts(points, split), _counts(chosen_points, chosen)
    if counts is None:
        return {}
    values = measure.verification_figures(counts)
    if chosen_on is None:
        return values
    return values | measure.threshold_figures(counts, measure.best_threshold(chosen_on))


def tuple_subset(split: Split) -> tuple[Tensor, Tensor]:
    """Return the places of items for the measures of smaller embeddings, at most 2,000 and of whole
    tuples, and their groups; no items of scored pairs."""
    rows = split.rows
    assert rows is not None, "of data that come as tuples"
    if rows.scores is not None:
        return rows.places[:0, 0], split.labels[:0]
    places = rows.positives
    most = DIMENSION_ITEMS // 2
    if len(places) > most:
        order = torch.randperm(len(places), generator=stream_generator(_SUBSET_SEED, "subsets"))
        places = places[order[:most].to(places.device)]
    items = places.unique()
    return items, split.labels[items]


def at_most_items(count: int, split: Split, seed: int) -> Split:
    """Return tuples of a split that have at most `count` items together, drawn by the seed; the
    split itself if it has no more."""
    rows = split.rows
    assert rows is not None, "of data that come as tuples"
    if len(split) <= count:
        return split
    order = torch.randperm(len(rows), generator=stream_generator(seed, "subsets"))
    return split.batch(order[: count // rows.places.shape[1]].sort().values)


def _counts(points: Tensor, split: Split) -> measure.PairCounts | None:
    rows = split.rows
    assert rows is not None, "of data that come as tuples"
    if rows.scores is not None:
        return None
    if rows.same is None:
        has_both = int(split.labels.max()) > int(split.labels.min())
        return measure.count_pairs(points, split.labels) if has_both else None
    one, other = points.to(torch.float64)[rows.places].unbind(1)
    return measure.counts_of((one - other).norm(dim=1), rows.same)
