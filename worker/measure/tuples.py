"""Measures of data that come as tuples: retrieval of positives, and correlation with scores."""

from typing import Final

import torch
from scipy.stats import spearmanr
from torch import Tensor
from torch.nn import functional

from contract.metrics import TUPLE_KS
from worker.errors import InputError
from worker.measure.inputs import check_embeddings
from worker.measure.pair_distances import centred
from worker.reporting import signs_of_life
from worker.torch_utils import as_labels, as_tensor

DEPTH: Final = 10
"""Rank down to which the discounted gain counts."""
_ALIKE: Final = 2.0**-42
"""Share of the largest possible squared distance by which rounding may make two differ."""
_TINY: Final = 1e-300
"""The same where all items are one point."""
_BLOCK: Final = 2**20
"""Distances in memory at once: 8 MiB of float64."""


@torch.no_grad()
def retrieval_of_positives(
    embeddings: Tensor, groups: Tensor, queries: Tensor, gallery: Tensor
) -> dict[str, float]:
    """Measure how near to a query its positives are among a gallery, by Euclidean distance.

    Relevant are the gallery's items of the query's group, without the query itself. A relevant item
    ranks behind all others at the same distance but for rounding, so that a collapsed space has no
    advantage.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        groups: [N] integers.
        queries: [Q] places of different items.
        gallery: [M] places of different items.

    Returns:
        `pairs.recall_at_1`, `_5`, `_10`, `pairs.mrr` and `pairs.ndcg_at_10`: means over the queries
        that have a relevant item. Nothing where none has one.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
    """
    embeddings, groups = check_embeddings(embeddings, groups, labels_name="groups")
    queries = _check_places(queries, "queries", len(embeddings))
    gallery = _check_places(gallery, "gallery", len(embeddings))
    points = centred(embeddings)
    first: list[Tensor] = []
    gains: list[Tensor] = []
    depth = min(DEPTH, len(gallery))
    alike = (_ALIKE * 4 * points.square().sum(dim=1).max()).clamp(min=_TINY)
    discounts = 1 / torch.arange(2, DEPTH + 2, dtype=torch.float64, device=points.device).log2()
    ideal = discounts.cumsum(0)
    for chunk in queries.split(max(1, _BLOCK // len(gallery))):
        signs_of_life.sign()
        relevant = (groups[chunk][:, None] == groups[gallery]) & (chunk[:, None] != gallery)
        own, relevant = chunk[relevant.any(dim=1)], relevant[relevant.any(dim=1)]
        if not len(own):
            continue
        distances = _squared_distances(points[own], points[gallery])
        distances.masked_fill_(own[:, None] == gallery, torch.inf)
        distances = torch.where(relevant, distances + alike, distances)
        nearest = torch.where(relevant, distances, torch.inf).amin(dim=1, keepdim=True)
        first.append(1 + (distances < nearest).sum(dim=1))
        found = distances.topk(depth, dim=1, largest=False, sorted=True).indices
        hits = relevant.gather(1, found).to(torch.float64)
        best = ideal[relevant.sum(dim=1).clamp(max=DEPTH) - 1]
        gains.append((hits * discounts[:depth]).sum(dim=1) / best)
    if not first:
        return {}
    ranks = torch.cat(first).to(torch.float64)
    return {
        **{f"pairs.recall_at_{k}": float((ranks <= k).double().mean()) for k in TUPLE_KS},
        "pairs.mrr": float((1 / ranks).mean()),
        "pairs.ndcg_at_10": float(torch.cat(gains).mean()),
    }


@torch.no_grad()
def score_correlation(embeddings: Tensor, pairs: Tensor, scores: Tensor) -> dict[str, float]:
    """Correlate the cosines of pairs with their scores.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        pairs: [P, 2] places.
        scores: [P] finite numbers.

    Returns:
        `pairs.spearman`; nothing where all cosines or all scores are equal.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
    """
    embeddings, _ = check_embeddings(embeddings, torch.zeros(len(embeddings), dtype=torch.int64))
    places = _check_places(as_tensor(pairs, "pairs").flatten(), "pairs", len(embeddings)).view(
        -1, 2
    )
    scores = as_tensor(scores, "scores")
    if scores.shape != places.shape[:1] or not bool(scores.isfinite().all()):
        raise InputError(
            f"scores: expected {len(places)} finite numbers, one for each pair, "
            f"got {list(scores.shape)}"
        )
    points = functional.normalize(embeddings.to(torch.float64), dim=1)
    # Rounded, so that equal vectors have equal cosines.
    cosines = (points[places[:, 0]] * points[places[:, 1]]).sum(dim=1).round(decimals=12)
    if bool((cosines == cosines[0]).all()) or bool((scores == scores[0]).all()):
        return {}
    found = spearmanr(cosines.cpu().numpy(), scores.to(torch.float64).cpu().numpy())
    return {"pairs.spearman": float(found.statistic)}


def _check_places(places: Tensor, name: str, count: int) -> Tensor:
    places = as_labels(places, name)
    if places.ndim != 1 or not len(places) or places.min() < 0 or places.max() >= count:
        raise InputError(f"{name}: expected [K] with K >= 1 of 0 to {count - 1}")
    return places


def _squared_distances(ones: Tensor, others: Tensor) -> Tensor:
    """Return squared Euclidean distances of centred float64 points."""
    norms = ones.square().sum(dim=1)[:, None] + others.square().sum(dim=1)
    return norms.sub_(ones @ others.T, alpha=2).clamp_(min=0)
