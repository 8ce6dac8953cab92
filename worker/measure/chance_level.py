"""What a random ranking would give: the level that cross-modal retrieval has to beat."""

from collections.abc import Sequence

import torch
from torch import Tensor

from worker.errors import InputError
from worker.measure.retrieval import recall_ks, relevant_items


def chance(
    audio_labels: Tensor, visual_labels: Tensor, *, ks: Sequence[int] | None = None
) -> dict[str, float]:
    """Expected MAP and Recall@K, if each query ranked the other modality's items at random.

    For a query with R relevant items among N, the expected average precision is
    (1/N) sum_{i=1}^{N} (1 + (i - 1) (R - 1) / (N - 1)) / i, and the expected Recall@K is
    1 - C(N - R, K) / C(N, K).

    Args:
        audio_labels: [A] integers.
        visual_labels: [V].
        ks: the K of Recall@K; by default as `cross_modal` has them.

    Returns:
        The keys of `cross_modal`. A query whose class has no member on the other side is left out.

    Raises:
        InputError: the sides share no class, or a K is beyond one of them.
    """
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
    """Each place i holds a hit with probability R/N, which then has (i-1)(R-1)/(N-1) before it."""
    places = torch.arange(1, size + 1, dtype=torch.float64, device=relevant.device)
    harmonic = (1 / places).sum()
    before = ((places - 1) / places).sum() / max(1, size - 1)
    return (harmonic + before * (relevant - 1)) / size


def _recall(relevant: Tensor, size: int, k: int) -> Tensor:
    """One minus the probability that the K places are all taken by others."""
    others = size - relevant
    missed = torch.ones_like(relevant)
    for place in range(k):
        missed *= ((others - place) / (size - place)).clamp(min=0)
    return 1 - missed
