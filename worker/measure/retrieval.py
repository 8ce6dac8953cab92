"""Retrieval: does a query find others of its class first?"""

import torch
from torch import Tensor

from worker.errors import InputError
from worker.measure.inputs import check, check_pairs, check_width
from worker.measure.neighbours import nearest


def retrieval(
    embeddings: Tensor,
    labels: Tensor,
    gallery: Tensor | None = None,
    gallery_labels: Tensor | None = None,
) -> dict[str, float]:
    """Recall@1 and MAP@R (Musgrave et al. 2020, arXiv 2003.08505).

    For a query with R relevant items in the gallery, MAP@R is the mean over the first R places of
    the precision at each place that holds a relevant item, 0 at the others. A perfect list gives 1;
    relevance 1, 0, 1 with R = 3 gives (1 + 2/3) / 3 = 0.5556.

    Args:
        embeddings: [Q, D] queries, float32 or float64, finite.
        labels: [Q] integers.
        gallery: [N, D] where to search; by default the queries, each without itself.
        gallery_labels: [N], with `gallery`.

    Returns:
        `retrieval.*` by metric key. A query whose class has no other member in the gallery is left
        out; `left_out` counts them.

    Raises:
        InputError: names the argument and what was seen; also if no query is left.
    """
    if gallery is None and gallery_labels is not None:
        raise InputError("gallery: needed with gallery_labels, got None")
    own = gallery is None
    if gallery is None:
        check_pairs(embeddings, labels)
        gallery, gallery_labels = embeddings, labels
    if gallery_labels is None:
        raise InputError("gallery_labels: needed with gallery, got None")
    check(embeddings, labels)
    check(gallery, gallery_labels, "gallery")
    check_width(gallery, embeddings, "gallery")

    relevant = _relevant(labels, gallery_labels) - int(own)
    asked = relevant > 0
    if not asked.any():
        raise InputError("labels: no query has another item of its class in the gallery")

    most = int(relevant.max())
    ranks = torch.arange(1, most + 1, device=embeddings.device, dtype=torch.float64)
    recall = average = torch.zeros((), dtype=torch.float64, device=embeddings.device)
    for chunk, found in nearest(embeddings, gallery, most, leave_self_out=own):
        hits = (gallery_labels[found] == labels[chunk, None]).to(torch.float64)
        within = ranks <= relevant[chunk, None]
        precision = hits.cumsum(dim=1) / ranks
        mean = (precision * hits * within).sum(dim=1) / relevant[chunk].clamp(min=1)
        average = average + mean[asked[chunk]].sum()
        recall = recall + hits[asked[chunk], 0].sum()
    queries = asked.sum()
    return {
        "retrieval.recall_at_1": float(recall / queries),
        "retrieval.map_at_r": float(average / queries),
    }


def left_out(labels: Tensor, gallery_labels: Tensor | None = None) -> int:
    """How many queries `retrieval` leaves out, because nothing relevant is there to be found.

    Args:
        labels: [Q] integers, of the queries.
        gallery_labels: [N]; by default the queries', each without itself.
    """
    if gallery_labels is None:
        return int((_relevant(labels, labels) == 1).sum())
    return int((_relevant(labels, gallery_labels) == 0).sum())


def _relevant(labels: Tensor, gallery_labels: Tensor) -> Tensor:
    """How many items of the gallery share each query's label [Q]."""
    known, sizes = gallery_labels.unique(return_counts=True)
    place = torch.searchsorted(known, labels).clamp(max=len(known) - 1)
    return torch.where(known[place] == labels, sizes[place], 0)
