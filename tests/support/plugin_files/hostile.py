"""Plug-ins that hurt the process they run in, after a step in which they behave."""

import os
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from worker.plugins import loss

CALLS = 20
"""Calls in which each behaves: those of its check and of the first pass, and some steps."""
IN_TRAINER = os.environ.get("LOSSBOARD_WORKER_TOKEN") is not None
"""The check has no secrets in its environment."""


class _Hostile(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self._calls = 0

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Behave for a while."""
        self._calls += 1
        if IN_TRAINER and self._calls > CALLS:
            return self.hurt(embeddings)
        return embeddings.square().sum()

    def hurt(self, embeddings: Tensor) -> Tensor:
        """Do the harm."""
        raise NotImplementedError


def _hostile(name: str, hurt: Callable[[Tensor], Tensor]) -> None:
    body = {"hurt": lambda self, embeddings: hurt(embeddings), "__module__": __name__}
    made = type(name.title(), (_Hostile,), body)
    globals()[name.title()] = loss(name=name)(made)


def _hang(embeddings: Tensor) -> Tensor:
    while True:
        time.sleep(1)


def _exit(embeddings: Tensor) -> Tensor:
    os._exit(3)


def _fill(embeddings: Tensor) -> Tensor:
    kept = []
    while True:
        kept.append(torch.empty(2**26))  # counted as memory, and never touched


def _break(embeddings: Tensor) -> Tensor:
    torch.set_default_dtype(torch.float64)
    torch.Tensor.backward = None  # type: ignore[method-assign, assignment]
    torch.manual_seed(0)
    return embeddings.square().sum()


def _shape(embeddings: Tensor) -> Tensor:
    return embeddings


def _nan(embeddings: Tensor) -> Tensor:
    return embeddings.sum() * float("nan")


def _raise(embeddings: Tensor) -> Tensor:
    raise ValueError("no reason")


for _name in ("hang", "exit", "fill", "break", "shape", "nan", "raise"):
    _hostile(f"{_name}s", globals()[f"_{_name}"])
