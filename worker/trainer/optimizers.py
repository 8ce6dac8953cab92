"""The optimisers that a spec can name."""

from collections.abc import Callable, Iterable
from typing import Final

import torch
from torch import nn

from contract.comparison.training import AdamOptimizer, AdamWOptimizer, Optimizer, SgdOptimizer

Parameters = Iterable[nn.Parameter]


def _adam(spec: Optimizer, parameters: Parameters) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=spec.lr, weight_decay=spec.weight_decay)


def _adamw(spec: Optimizer, parameters: Parameters) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=spec.lr, weight_decay=spec.weight_decay)


def _sgd(spec: Optimizer, parameters: Parameters) -> torch.optim.Optimizer:
    assert isinstance(spec, SgdOptimizer)
    return torch.optim.SGD(
        parameters, lr=spec.lr, weight_decay=spec.weight_decay, momentum=spec.momentum
    )


OPTIMIZERS: Final[
    dict[type[Optimizer], Callable[[Optimizer, Parameters], torch.optim.Optimizer]]
] = {AdamOptimizer: _adam, AdamWOptimizer: _adamw, SgdOptimizer: _sgd}
"""Every spec of an optimiser and what builds it."""


def build(spec: Optimizer, parameters: Parameters) -> torch.optim.Optimizer:
    """The optimiser of a spec over these parameters."""
    return OPTIMIZERS[type(spec)](spec, parameters)
