"""Random and ranked picks from the rows of a matrix."""

import torch
from torch import Tensor

from worker.torch_utils.transfer import sent


def uniform(
    shape: tuple[int, ...], generator: torch.Generator | None, device: torch.device
) -> Tensor:
    """Numbers in [0, 1), float64, drawn on the CPU whatever the device."""
    return sent(torch.rand(shape, generator=generator, dtype=torch.float64), device)


def one_of_each_row(mask: Tensor, uniforms: Tensor) -> Tensor:
    """A column where the mask [B, M] holds, each as likely, by uniform numbers [B]; any number in a
    row without one."""
    upto = mask.cumsum(dim=1)
    ranks = (uniforms * upto[:, -1]).to(torch.int64) + 1
    return torch.searchsorted(upto, ranks[:, None]).squeeze(1).clamp_(max=mask.shape[1] - 1)


def farthest(distances: Tensor, mask: Tensor) -> Tensor:
    """[B]: the column of the largest distance where the mask holds, the first of equal ones."""
    return distances.masked_fill(~mask, -torch.inf).argmax(dim=1)


def nearest(distances: Tensor, mask: Tensor) -> Tensor:
    """[B]: the column of the smallest distance where the mask holds, the first of equal ones."""
    return distances.masked_fill(~mask, torch.inf).argmin(dim=1)
