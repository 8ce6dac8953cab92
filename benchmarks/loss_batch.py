"""The batch on which losses are measured, ours and a peer's in an environment of its own."""

import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

DIM = 128

Way = Callable[[Tensor, Tensor], Tensor]
"""Takes embeddings [B, D] and labels [B], gives a number with a gradient."""


def make_batch(batch: int, items: int) -> tuple[Tensor, Tensor]:
    """Random unit vectors, and labels in random order with that many items a class (the last class
    has what is left)."""
    generator = torch.Generator().manual_seed(0)
    embeddings = functional.normalize(torch.randn(batch, DIM, generator=generator), dim=1)
    labels = (torch.arange(batch) // items)[torch.randperm(batch, generator=generator)]
    return embeddings.requires_grad_(), labels


def call(way: Way, embeddings: Tensor, labels: Tensor) -> tuple[float, float]:
    """The value, and the milliseconds of CPU that it and its gradient took."""
    embeddings.grad = None
    began = time.thread_time()
    value = way(embeddings, labels)
    value.backward()
    return float(value.detach()), (time.thread_time() - began) * 1e3
