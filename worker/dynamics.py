"""Optimisation dynamics of one step: what the loss and its gradient did.

What needs the device is computed there and read in one transfer, so that measuring a step does
not slow it down.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import utils as nn_utils

from worker.losses.base import LossOutput, Part


def values(
    output: LossOutput, embeddings: Sequence[Tensor], parameters: Sequence[Tensor]
) -> dict[str, float]:
    """A step's dynamics by metric key; call between backward and the optimiser's step.

    Args:
        output: the loss's.
        embeddings: [B, D] of each modality, with their gradient retained.
        parameters: the encoder's trainable ones; a loss's own are not counted.

    Returns:
        Every per-step `dynamics.*` key of contract.metrics that this loss has, but the update norm
        and the counts of empty steps. NaN stands for what does not exist at this step: a mean or a
        ratio of no tuples, the mean gradient of no active tuple.
    """
    trained = output.parts if output.selected is None else output.selected
    seen = _read(
        {
            "divisor": output.divisor,
            "value": output.value,
            "anchors": output.active_anchors,
            "norm": global_norm([p.grad for p in parameters if p.grad is not None]),
            "norm at embeddings": global_norm([e.grad for e in embeddings if e.grad is not None]),
            **_numbers("", output.parts),
            **_numbers("selected ", {} if output.selected is None else output.selected),
        }
    )
    active, valid = _totals(seen, "", output.parts)
    trained_active, selected = _totals(
        seen, "" if output.selected is None else "selected ", trained
    )
    values = {
        "dynamics.loss": _ratio(sum(seen[f"total {name}"] for name in output.parts), valid),
        "dynamics.loss_trained": seen["value"],
        "dynamics.active_ratio": _ratio(active, valid),
        "dynamics.active_ratio.anchors": seen["anchors"],
        "dynamics.active_tuples": active,
        "dynamics.valid_tuples": valid,
        "dynamics.gradient_norm": seen["norm"],
        "dynamics.gradient_norm.embedding": seen["norm at embeddings"],
        # Scaling the trained gradient back to the sum's makes the mean over the active ones free.
        "dynamics.gradient_norm.per_active": _ratio(seen["norm"] * seen["divisor"], trained_active),
    }
    for name in output.parts:
        values[f"dynamics.loss.{name}"] = _ratio(seen[f"total {name}"], valid)
        values[f"dynamics.active_ratio.{name}"] = _ratio(
            seen[f"active {name}"], seen[f"valid {name}"]
        )
    if output.selected is not None:
        values["dynamics.active_ratio.selected"] = _ratio(trained_active, selected)
        values["dynamics.selected_tuples"] = selected
    return values


class EmptySteps:
    """Counts the steps that had nothing to learn: a named state, neither an error nor a gap."""

    def __init__(self) -> None:
        self._empty = 0
        self._invalid = 0

    def count(self, values: Mapping[str, float]) -> dict[str, float]:
        """The counts up to and with this step, by metric key.

        Args:
            values: the step's, as `values` gives them.
        """
        self._empty += values["dynamics.active_tuples"] == 0
        self._invalid += values["dynamics.valid_tuples"] == 0
        return {"dynamics.empty_steps": self._empty, "dynamics.invalid_steps": self._invalid}


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
    return {"dynamics.update_norm": float(step / global_norm(before))}


def global_norm(tensors: Sequence[Tensor]) -> Tensor:
    """L2 norm over all elements of all tensors; 0 of none."""
    if not tensors:
        return torch.tensor(0.0)
    return nn_utils.get_total_norm(tensors)


def _read(named: dict[str, Tensor]) -> dict[str, float]:
    """All numbers in one transfer; float64 holds the counts exactly, as float32 would not."""
    whole = {name: number for name, number in named.items() if not number.is_floating_point()}
    real = {name: number for name, number in named.items() if number.is_floating_point()}
    kinds = [torch.stack(list(kind.values())).detach().to(torch.float64) for kind in (whole, real)]
    return dict(zip((*whole, *real), torch.cat(kinds).tolist(), strict=True))


def _numbers(prefix: str, parts: Mapping[str, Part]) -> dict[str, Tensor]:
    """Every number of every part, under names that tell them apart."""
    return {
        f"{prefix}{field} {name}": number
        for name, part in parts.items()
        for field, number in (
            ("total", part.total),
            ("active", part.active),
            ("valid", part.valid),
        )
    }


def _totals(seen: Mapping[str, float], prefix: str, parts: Iterable[str]) -> tuple[float, float]:
    """(active, valid) over all parts."""
    names = list(parts)
    return (
        sum(seen[f"{prefix}active {name}"] for name in names),
        sum(seen[f"{prefix}valid {name}"] for name in names),
    )


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan
