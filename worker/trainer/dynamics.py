"""Optimisation dynamics of one step: what the loss and its gradient did.

What needs the device is computed there and read in one transfer, of one step or of many, so that
measuring a step does not slow it down.

Steps whose numbers are still on the device: a GPU is waited for once for many of them.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import torch
from torch import Tensor
from torch.nn import utils as nn_utils

from worker.losses.base import LossOutput, Part

StepNumbers: TypeAlias = dict[str, Tensor]
"""What was seen of a step: 0-d tensors on the device, by names of this module's own."""


def step_numbers(
    output: LossOutput, embeddings: Sequence[Tensor], parameters: Sequence[Tensor]
) -> StepNumbers:
    """A step's numbers; call between backward and the optimiser's step. Waits for no device.

    Args:
        output: the loss's.
        embeddings: [B, D] of each modality, with their gradient retained.
        parameters: the encoder's trainable ones; a loss's own are not counted.
    """
    return {
        "divisor": output.divisor,
        "value": output.value.detach(),
        "anchors": output.active_anchors,
        "norm": global_norm([p.grad for p in parameters if p.grad is not None]),
        "norm at embeddings": global_norm([e.grad for e in embeddings if e.grad is not None]),
        **_of_parts("", output.parts),
        **_of_parts("selected ", {} if output.selected is None else output.selected),
    }


def read_values(steps: Sequence[StepNumbers]) -> list[dict[str, float]]:
    """The dynamics of steps, by metric key, in one transfer from the device.

    Returns:
        Of each step every per-step `dynamics.*` key of contract.metrics that this loss has, but the
        counts of empty steps; the update norm where it is among the numbers. NaN stands for what
        does not exist at this step: a mean or a ratio of no tuples, the mean gradient of no active
        tuple.
    """
    return [values_of(seen) for seen in _transferred(steps)]


def values_of(seen: Mapping[str, float]) -> dict[str, float]:
    """A step's dynamics, by metric key, from its numbers once they are read; see `read`."""
    parts = [name.removeprefix("total ") for name in seen if name.startswith("total ")]
    some = any(name.startswith("selected ") for name in seen)
    active, valid = _totals(seen, "", parts)
    trained_active, selected = _totals(seen, "selected " if some else "", parts)
    values = {
        "dynamics.loss": _ratio(sum(seen[f"total {name}"] for name in parts), valid),
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
    for name in parts:
        values[f"dynamics.loss.{name}"] = _ratio(seen[f"total {name}"], valid)
        values[f"dynamics.active_ratio.{name}"] = _ratio(
            seen[f"active {name}"], seen[f"valid {name}"]
        )
    if some:
        values["dynamics.active_ratio.selected"] = _ratio(trained_active, selected)
        values["dynamics.selected_tuples"] = selected
    if "update norm" in seen:
        values["dynamics.update_norm"] = seen["update norm"]
    return values


class EmptySteps:
    """Counts the steps that had nothing to learn: a named state, neither an error nor a gap."""

    def __init__(self) -> None:
        self._empty = 0
        self._invalid = 0

    def state_dict(self) -> dict[str, int]:
        """The counts so far."""
        return {"empty": self._empty, "invalid": self._invalid}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Count on from there."""
        self._empty, self._invalid = state["empty"], state["invalid"]

    def count(self, values: Mapping[str, float]) -> dict[str, float]:
        """The counts up to and with this step, by metric key.

        Args:
            values: the step's, as `read` gives them.
        """
        self._empty += values["dynamics.active_tuples"] == 0
        self._invalid += values["dynamics.valid_tuples"] == 0
        return {"dynamics.empty_steps": self._empty, "dynamics.invalid_steps": self._invalid}


def optimizer_step(
    optimizer: torch.optim.Optimizer,
    seen: StepNumbers,
    parameters: Sequence[Tensor],
    *,
    with_update_norm: bool,
) -> StepNumbers:
    """Take the optimiser's step.

    Args:
        optimizer: of the parameters.
        seen: the step's numbers so far.
        parameters: the encoder's trainable ones.
        with_update_norm: whether to measure it, for which all of them are copied.

    Returns:
        The step's numbers, with the update norm where it was asked for.
    """
    if not with_update_norm:
        optimizer.step()
        return seen
    before = copy_parameters(parameters)
    optimizer.step()
    return seen | update_norm(before, parameters)


def copy_parameters(parameters: Sequence[Tensor]) -> list[Tensor]:
    """Copies of parameters, for the update norm."""
    return [p.detach().clone() for p in parameters]


def update_norm(before: Sequence[Tensor], parameters: Sequence[Tensor]) -> StepNumbers:
    """||step|| / ||parameters before it||, of the optimiser's real step.

    Args:
        before: the parameters' snapshot from before the step.
        parameters: the same ones after it.
    """
    step = global_norm(
        [after.detach() - old for after, old in zip(parameters, before, strict=True)]
    )
    return {"update norm": step / global_norm(before)}


def global_norm(tensors: Sequence[Tensor]) -> Tensor:
    """L2 norm over all elements of all tensors; 0 of none."""
    if not tensors:
        return torch.tensor(0.0)
    return nn_utils.get_total_norm(tensors)


def _transferred(steps: Sequence[StepNumbers]) -> list[dict[str, float]]:
    """All numbers of all steps in one transfer; float64 holds the counts exactly, as float32 would
    not."""
    flat = [number for step in steps for number in step.values()]
    whole = [number for number in flat if not number.is_floating_point()]
    real = [number for number in flat if number.is_floating_point()]
    kinds = [torch.stack(kind).to(torch.float64) for kind in (whole, real)]
    read = torch.cat(kinds).tolist()
    wholes, reals = iter(read[: len(whole)]), iter(read[len(whole) :])
    return [
        {
            name: next(reals if number.is_floating_point() else wholes)
            for name, number in step.items()
        }
        for step in steps
    ]


def _of_parts(prefix: str, parts: Mapping[str, Part]) -> StepNumbers:
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


GPU_STEPS: Final = 64
"""Steps of a GPU that are read together, at most."""
GPU_WAIT_S: Final = 0.1
"""For so long a GPU's steps may stay unread: live curves move several times a second."""


class StepBuffer:
    """Holds what steps measured until it is due to be read: on a CPU after every step, on a GPU
    now and then, for reading waits until all that was asked of it is done."""

    def __init__(
        self, device: torch.device, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._most = 1 if device.type == "cpu" else GPU_STEPS
        self._clock = clock
        self._steps: list[int] = []
        self._numbers: list[StepNumbers] = []
        self._began = 0.0
        self._elapsed_s = 0.0

    def begin(self) -> None:
        """A step begins."""
        if not self._steps:
            self._began = self._clock()

    def add(self, step: int, numbers: StepNumbers) -> None:
        """That step is done, or asked of the device."""
        self._steps.append(step)
        self._numbers.append(numbers)

    def due(self) -> bool:
        """Whether to read now."""
        full = len(self._steps) >= self._most
        return full or (bool(self._steps) and self._clock() - self._began >= GPU_WAIT_S)

    def state_dict(self) -> dict[str, Any]:
        """The seconds so far; all steps must have been read."""
        assert not self._steps, "a checkpoint comes behind all that was measured"
        return {"elapsed_s": self._elapsed_s}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Count on from there."""
        self._elapsed_s = state["elapsed_s"]

    def read(self) -> list[tuple[int, dict[str, float]]]:
        """The steps since the last time, each with its values by metric key.

        `run.elapsed_s` is what all steps up to that one took, without what lies between them; steps
        that are read together share their time equally.
        """
        if not self._steps:
            return []
        values = read_values(self._numbers)
        share = (self._clock() - self._began) / len(values)
        read = []
        for step, own in zip(self._steps, values, strict=True):
            self._elapsed_s += share
            read.append((step, own | {"run.elapsed_s": self._elapsed_s}))
        self._steps, self._numbers = [], []
        return read
