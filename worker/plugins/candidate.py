"""A plug-in that was imported and can be built, whatever it comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from contract.comparison.loss import PluginLoss
from worker.api.plugin_ref import PluginRef
from worker.plugins.declare import Declared
from worker.plugins.parameters import Parameters
from worker.plugins.terms import Terms

Forward = Callable[..., Tensor | Terms]
"""(embeddings, labels) or (embeddings, labels, others, other_labels) -> the loss."""


@dataclass(frozen=True)
class Built:
    """A plug-in with its parameters, as a module and the function that computes its loss."""

    module: nn.Module
    forward: Forward
    two_modalities: bool


@dataclass(frozen=True)
class Candidate:
    """What was imported."""

    ref: PluginRef
    declared: Declared
    parameters: Parameters
    build: Callable[[PluginLoss, int, int], Built]
    """(the arm's loss, classes, dim) -> the loss; raises InputError for parameters that do not
    fit."""
    version: str = ""
    source: str = ""
    """As people read it: pml, entry_points, or the folder."""
    miners: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name -> schemas of its parameters."""
    distances: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def built_class(
    module: type[nn.Module], parameters: Parameters, loss: PluginLoss, classes: int, dim: int
) -> Built:
    """Return a class of an entry point or a file with the parameters of an arm."""
    made = module(**parameters.arguments(loss.params, classes=classes, dim=dim))
    code = getattr(module.forward, "__code__", None)
    names = () if code is None else code.co_varnames[: code.co_argcount]
    return Built(made, made, "others" in names and "other_labels" in names)


def tiny_batch(dtype: torch.dtype, *, classes: int, dim: int) -> tuple[Tensor, Tensor]:
    """Return 12 items of up to three classes, four each, in an order that is fixed."""
    generator = torch.Generator().manual_seed(7)
    points = torch.randn(12, dim, generator=generator, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 2, 0, 1, 0, 2, 1, 1, 0, 2]) % min(3, classes)
    return nn.functional.normalize(points, dim=1).to(dtype), labels
