"""Retrieval between two modalities, audio and visual, and the level of a random ranking."""

from collections.abc import Sequence

import torch
from torch import Tensor

from worker.errors import InputError
from worker.measure.inputs import check_embeddings, check_width
from worker.measure.neighbours import nearest_neighbours
from worker.measure.retrieval import recall_ks, relevant_items
from worker.torch_utils import as_labels


@torch.no_grad()
def cross_modal(
    audio: Tensor,
    audio_labels: Tensor,
    visual: Tensor,
    visual_labels: Tensor,
    *,
    ks: Sequence[int] | None = None,
) -> dict[str, float]:
    """Measure MAP over the full ranking and Recall@K, from audio to visual items and back.

    The average precision of a query is the mean, over the items of its class, of the precision at
    the rank of each. A query whose class has no member in the other modality is left out;
    `left_out` counts these.

    Args:
        audio: [A, D] float32 or float64, finite.
        audio_labels: [A] integers.
        visual: [V, D], in the same space.
        visual_labels: [V].
        ks: the K of Recall@K; by default those of 1, 2, 4, 8 for which both modalities have items.

    Returns:
        `retrieval.audio_to_visual.map`, `retrieval.audio_to_visual.recall_at_{K}` and the same
        for `visual_to_audio`.

    Raises:
        InputError: an argument has a wrong shape, type or value (the message names it), the
            modalities share no class, or a K of `ks` is larger than one of them.
    """
    audio, audio_labels = check_embeddings(audio, audio_labels, "audio", "audio_labels")
    visual, visual_labels = check_embeddings(visual, visual_labels, "visual", "visual_labels")
    check_width(visual, audio, "visual")
    ks = recall_ks(ks, min(len(audio), len(visual)))
    if not relevant_items(audio_labels, visual_labels).any():
        raise InputError("visual_labels: no class of audio_labels among them")
    there = _one_way(audio, audio_labels, visual, visual_labels, ks)
    back = _one_way(visual, visual_labels, audio, audio_labels, ks)
    return {
        **{f"retrieval.audio_to_visual.{name}": value for name, value in there.items()},
        **{f"retrieval.visual_to_audio.{name}": value for name, value in back.items()},
    }


def _one_way(
    queries: Tensor, labels: Tensor, gallery: Tensor, gallery_labels: Tensor, ks: Sequence[int]
) -> dict[str, float]:
    relevant = relevant_items(labels, gallery_labels)
    queries, labels, relevant = (part[relevant > 0] for part in (queries, labels, relevant))
    average = torch.zeros((), device=queries.device, dtype=torch.float64)
    recall = dict.fromkeys(ks, 0)
    for chunk, found in nearest_neighbours(queries, gallery, len(gallery)):
        hits = gallery_labels[found] == labels[chunk, None]
        due = relevant[chunk]
        query, place = hits.nonzero(as_tuple=True)  # in the order of queries, nearest hits first
        before = (due.cumsum(0) - due)[query]
        hit = torch.arange(1, len(query) + 1, device=queries.device) - before
        average += (hit / (place + 1).to(torch.float64) / due[query]).sum()
        for k in ks:
            recall[k] += int(hits[:, :k].any(dim=1).sum())
    return {
        "map": float(average / len(queries)),
        **{f"recall_at_{k}": right / len(queries) for k, right in recall.items()},
    }


def chance(
    audio_labels: Tensor, visual_labels: Tensor, *, ks: Sequence[int] | None = None
) -> dict[str, float]:
    """Return the expected MAP and Recall@K of a random ranking of the other modality's items.

    For a query with R relevant items among N, the expected average precision is
    (1/N) sum_{i=1}^{N} (1 + (i - 1) (R - 1) / (N - 1)) / i, and the expected Recall@K is
    1 - C(N - R, K) / C(N, K). Queries without a relevant item are left out, as in `cross_modal`.

    Args:
        audio_labels: [A] integers.
        visual_labels: [V].
        ks: the K of Recall@K; by default the same as those of `cross_modal`.

    Returns:
        The same keys as `cross_modal`.

    Raises:
        InputError: the modalities share no class, or a K is larger than one of them.
    """
    audio_labels = as_labels(audio_labels, "audio_labels")
    visual_labels = as_labels(visual_labels, "visual_labels")
    ks = recall_ks(ks, min(len(audio_labels), len(visual_labels)))
    values: dict[str, float] = {}
    for here, there, queries, gallery in (
        ("audio", "visual", audio_labels, visual_labels),
        ("visual", "audio", visual_labels, audio_labels),
    ):
        relevant = relevant_items(queries, gallery)
        relevant = relevant[relevant > 0].to(torch.float64)
        if not len(relevant):
            raise InputError("visual_labels: no class of audio_labels among them")
        size = len(gallery)
        key = f"retrieval.{here}_to_{there}"
        values[f"{key}.map"] = float(_average_precision(relevant, size).mean())
        values |= {f"{key}.recall_at_{k}": float(_recall(relevant, size, k).mean()) for k in ks}
    return values


def _average_precision(relevant: Tensor, size: int) -> Tensor:
    """Return the expected average precision of each query, by its number of relevant items R.

    Place i holds a hit with probability R/N, and then (i-1)(R-1)/(N-1) hits are expected before it.
    """
    places = torch.arange(1, size + 1, dtype=torch.float64, device=relevant.device)
    harmonic = (1 / places).sum()
    before = ((places - 1) / places).sum() / max(1, size - 1)
    return (harmonic + before * (relevant - 1)) / size


def _recall(relevant: Tensor, size: int, k: int) -> Tensor:
    """Return one minus the probability that all first K places hold irrelevant items."""
    others = size - relevant
    missed = torch.ones_like(relevant)
    for place in range(k):
        missed *= ((others - place) / (size - place)).clamp(min=0)
    return 1 - missed
