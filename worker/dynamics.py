"""Optimisation dynamics of one step: what the loss and its gradient did.

Everything is computed on the device and read in one transfer, so that measuring a step does not
slow it down.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import utils as nn_utils

from worker.losses.base import LossOutput


def values(
    output: LossOutput, embeddings: Tensor, parameters: Sequence[Tensor]
) -> dict[str, float]:
    """A step's dynamics by metric key; call between backward and the optimiser's step.

    Args:
        output: the loss's.
        embeddings: [B, D], with their gradient retained.
        parameters: the encoder's trainable ones; a loss's own are not counted.

    Returns:
        Every per-step `dynamics.*` key of contract.metrics that this loss has, but the update
        norm. NaN stands for what does not exist at this step: a ratio of no tuples, the mean
        gradient of no active tuple.
    """
    active, valid = output.active, output.valid
    norm = global_norm([p.grad for p in parameters if p.grad is not None])
    # Scaling the trained gradient back to the sum's makes the mean over the active tuples free.
    per_active = norm * output.divisor / active
    named = {
        "dynamics.loss": output.mean_over_valid,
        "dynamics.loss_trained": output.value,
        "dynamics.active_ratio": output.active_ratio,
        "dynamics.active_ratio.anchors": output.active_anchors,
        "dynamics.active_tuples": active,
        "dynamics.valid_tuples": valid,
        "dynamics.gradient_norm": norm,
        "dynamics.gradient_norm.embedding": global_norm(
            [] if embeddings.grad is None else [embeddings.grad]
        ),
        "dynamics.gradient_norm.per_active": torch.where(active > 0, per_active, torch.nan),
    }
    for name, part in output.parts.items():
        named[f"dynamics.loss.{name}"] = part.total / valid.clamp(min=1)
        named[f"dynamics.active_ratio.{name}"] = part.active_ratio
    return _read(named)


def snapshot(parameters: Sequence[Tensor]) -> list[Tensor]:
    """Copies of parameters, for the update norm."""
    return [p.detach().clone() for p in parameters]


def update_norm(before: Sequence[Tensor], parameters: Sequence[Tensor]) -> dict[str, float]:
    """||step|| / ||parameters before it||, of the optimiser's real step, by metric key.

    Args:
        before: the parameters' snapshot from before the step.
        parameters: the same ones after it.
    """
    step = global_norm(
        [after.detach() - old for after, old in zip(parameters, before, strict=True)]
    )
    return _read({"dynamics.update_norm": step / global_norm(before)})


def global_norm(tensors: Sequence[Tensor]) -> Tensor:
    """L2 norm over all elements of all tensors; 0 of none."""
    if not tensors:
        return torch.tensor(0.0)
    return nn_utils.get_total_norm(tensors)


def _read(named: dict[str, Tensor]) -> dict[str, float]:
    """One transfer for all values. float64 holds the counts exactly."""
    stacked = torch.stack([value.detach().to(torch.float64) for value in named.values()])
    return dict(zip(named, stacked.tolist(), strict=True))
