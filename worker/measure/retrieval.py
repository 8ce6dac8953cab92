"""Retrieval: whether a query finds items of its class first, or items with its fine label."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from contract.metrics import RECALL_KS
from worker.errors import InputError
from worker.measure.hits import ordered_hits
from worker.measure.inputs import check_embeddings, check_pairs, check_width
from worker.measure.neighbours import nearest_neighbours
from worker.torch_utils import as_labels


@torch.no_grad()
def retrieval(
    embeddings: Tensor,
    labels: Tensor,
    gallery: Tensor | None = None,
    gallery_labels: Tensor | None = None,
    *,
    ks: Sequence[int] | None = None,
) -> dict[str, float]:
    """Measure Recall@K, R-precision and MAP@R (Musgrave et al. 2020, arXiv 2003.08505).

    For a query with R relevant items in the gallery, MAP@R is the mean over the first R places of
    the precision at each place that holds a relevant item, and 0 at the others. A perfect ranking
    gives 1; relevance 1, 0, 1 with R = 3 gives (1 + 2/3) / 3 = 0.5556. A query whose class has no
    other member in the gallery is left out; `left_out` counts these.

    Args:
        embeddings: [Q, D] queries, float32 or float64, finite.
        labels: [Q] integers.
        gallery: [N, D] items to search in; by default the queries, each without itself.
        gallery_labels: [N], given together with `gallery`.
        ks: the K of Recall@K; by default those of 1, 2, 4, 8 for which the gallery has items.

    Returns:
        `retrieval.recall_at_{K}`, `retrieval.r_precision` and `retrieval.map_at_r`.

    Raises:
        InputError: an argument has a wrong shape, type or value (the message names it), no query
            is left, or a K of `ks` is larger than the gallery.
    """
    if gallery is None and gallery_labels is not None:
        raise InputError("gallery: needed with gallery_labels, got None")
    own = gallery is None
    if gallery is None:
        embeddings, labels = check_pairs(embeddings, labels)
        gallery, gallery_labels = embeddings, labels
    elif gallery_labels is None:
        raise InputError("gallery_labels: needed with gallery, got None")
    else:
        embeddings, labels = check_embeddings(embeddings, labels)
        gallery, gallery_labels = check_embeddings(
            gallery, gallery_labels, "gallery", "gallery_labels"
        )
        check_width(gallery, embeddings, "gallery")
    ks = recall_ks(ks, len(gallery) - int(own))

    relevant = relevant_items(labels, gallery_labels) - int(own)
    asked = relevant > 0
    if not asked.any():
        raise InputError("labels: no query has another item of its class in the gallery")

    depth = max([int(relevant.max()), *ks])
    ranks = np.arange(1, depth + 1)
    totals: defaultdict[str, float] = defaultdict(float)
    for chunk, found in _ranked_hits(embeddings, labels, gallery, gallery_labels, depth, own=own):
        wanted = asked[chunk].cpu().numpy()
        due, hits = relevant[chunk].cpu().numpy()[:, None], found.cpu().numpy()
        if not wanted.all():
            due, hits = due[wanted], hits[wanted]
        counted = hits & (ranks <= due)
        precision = hits.cumsum(axis=1) / ranks
        for k in ks:
            totals[f"retrieval.recall_at_{k}"] += int(hits[:, :k].any(axis=1).sum())
        totals["retrieval.r_precision"] += float((counted.sum(axis=1) / due[:, 0]).sum())
        average = (counted * precision).sum(axis=1) / due[:, 0]
        totals["retrieval.map_at_r"] += float(average.sum())
    return {key: total / int(asked.sum()) for key, total in totals.items()}


def _ranked_hits(
    queries: Tensor,
    labels: Tensor,
    gallery: Tensor,
    gallery_labels: Tensor,
    depth: int,
    *,
    own: bool,
) -> Iterator[tuple[slice, Tensor]]:
    """Yield chunks of the queries, and which places of their rankings hold an item of their
    class, bool [chunk, depth]."""
    if own:
        yield from ordered_hits(queries, labels, depth)
        return
    for chunk, found in nearest_neighbours(queries, gallery, depth):
        yield chunk, gallery_labels[found] == labels[chunk, None]


def recall_ks(ks: Sequence[int] | None, limit: int) -> Sequence[int]:
    """Return the K to measure where a query has `limit` items to find.

    Raises:
        InputError: an explicit K is not from 1 to `limit`.
    """
    if ks is None:
        return [k for k in RECALL_KS if k <= limit]
    for k in ks:
        if not 1 <= k <= limit:
            raise InputError(f"ks: expected 1 to {limit}, as many as a query can find, got {k}")
    return ks


def left_out(labels: Tensor, gallery_labels: Tensor | None = None) -> int:
    """Count the queries that `retrieval` leaves out because the gallery has nothing relevant.

    Args:
        labels: [Q] integers, the labels of the queries.
        gallery_labels: [N]; by default those of the queries, each without itself.
    """
    labels = as_labels(labels, "labels")
    if gallery_labels is None:
        return int((relevant_items(labels, labels) == 1).sum())
    gallery_labels = as_labels(gallery_labels, "gallery_labels")
    return int((relevant_items(labels, gallery_labels) == 0).sum())


def relevant_items(labels: Tensor, gallery_labels: Tensor) -> Tensor:
    """Count the gallery items that share the label of each query, [Q]."""
    known, sizes = gallery_labels.unique(return_counts=True)
    place = torch.searchsorted(known, labels).clamp(max=len(known) - 1)
    return torch.where(known[place] == labels, sizes[place], 0)


@torch.no_grad()
def detail(embeddings: Tensor, fine_labels: Tensor) -> dict[str, float]:
    """Measure detail retention: the share of items whose nearest other item has their fine label.

    Fine labels divide the classes further and are not seen by any loss. An item that is the only
    one with its fine label is left out as a query; `left_out(fine_labels)` counts these.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        fine_labels: [N] integers.

    Returns:
        `detail.recall_at_1`.

    Raises:
        InputError: an argument has a wrong shape, type or value (the message names it), or no query
            is left.
    """
    embeddings, fine_labels = check_embeddings(embeddings, fine_labels, labels_name="fine_labels")
    asked = relevant_items(fine_labels, fine_labels) > 1
    if not asked.any():
        raise InputError(
            f"fine_labels: expected one with two items, got {len(fine_labels)} with one each"
        )
    found = torch.cat(
        [
            part[:, 0]
            for _, part in nearest_neighbours(embeddings, embeddings, 1, leave_self_out=True)
        ]
    )
    right = fine_labels[found] == fine_labels
    return {"detail.recall_at_1": int(right[asked].sum()) / int(asked.sum())}
