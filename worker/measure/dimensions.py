"""How small embeddings can be before retrieval suffers: fewer dimensions, and 8-bit integers."""

from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from contract.metrics.verification import DIMENSION_ITEMS, KEPT_DIMENSIONS
from worker.measure.inputs import check_embeddings, check_pairs, check_width
from worker.measure.pair_distances import fixed_subset
from worker.measure.retrieval import retrieval
from worker.reporting import signs_of_life

_LEVELS: Final = 127
"""Steps of an 8-bit integer to either side of zero."""


@torch.no_grad()
def smaller_embeddings(
    embeddings: Tensor, labels: Tensor, fitted_on: Tensor, *, normalize: bool = False
) -> dict[str, float]:
    """Measure Recall@1 and MAP@R of embeddings that are made smaller.

    Each K of 8, 16, 32 ... 2048 below D keeps the first K dimensions, or the first K principal
    components of `fitted_on`, where its M items span as many. Integers of 8 bits have one scale a
    dimension: 127 stands for the largest absolute value in `fitted_on`, larger ones are cut off.

    Args:
        embeddings: [N, D] held-out items, float32 or float64, finite; of more than 2,000 a fixed
            random 2,000 are used (classes of few members may leave no pair in them).
        labels: [N] integers, one class with two members or more.
        fitted_on: [M, D] other items, such as the validation split's; never the measured ones.
        normalize: whether embeddings are L2-normalised, so that truncated ones are again.
            Principal components are not: they keep distances as well as K directions can.

    Returns:
        `dimension.{way}.recall_at_1` and `.map_at_r`, for the ways `full` (as they are),
        `truncated_{K}`, `pca_{K}` and `int8`. Nothing where no two of the items that are used are
        of one class.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
    """
    embeddings, labels = check_pairs(embeddings, labels)
    fitted_on, _ = check_embeddings(fitted_on, torch.zeros(len(fitted_on)).long(), "fitted_on")
    check_width(fitted_on, embeddings, "fitted_on")
    kept = fixed_subset(len(labels), DIMENSION_ITEMS).to(labels.device)
    points, labels = embeddings[kept], labels[kept]
    if len(labels.unique()) == len(labels):
        return {}
    found: dict[str, float] = {}
    for way, made in _ways(points, fitted_on, normalize=normalize):
        measured = retrieval(made, labels, ks=(1,))
        for name in ("recall_at_1", "map_at_r"):
            found[f"dimension.{way}.{name}"] = measured[f"retrieval.{name}"]
    return found


def _ways(points: Tensor, fitted_on: Tensor, *, normalize: bool) -> Iterator[tuple[str, Tensor]]:
    """Yield the name of each way, and the embeddings that it makes."""
    yield "full", points
    scale = fitted_on.abs().amax(dim=0) / _LEVELS
    steps = torch.where(scale > 0, points / scale, 0).round().clamp(-_LEVELS, _LEVELS)
    yield "int8", steps * scale
    wanted = [count for count in KEPT_DIMENSIONS if count < points.shape[1]]
    if not wanted:
        return
    mean = fitted_on.to(torch.float64).mean(dim=0)
    with signs_of_life.long_call():  # 20 s of 4,096 dimensions on one core
        directions = torch.linalg.eigh((fitted_on - mean).T @ (fitted_on - mean))[1].flip(1)
    components = ((points - mean) @ directions[:, : wanted[-1]]).to(points.dtype)
    for count in wanted:
        first = points[:, :count]
        yield f"truncated_{count}", functional.normalize(first, dim=1) if normalize else first
        if count < len(fitted_on):  # M items span M - 1 directions; others would be arbitrary
            yield f"pca_{count}", components[:, :count]
