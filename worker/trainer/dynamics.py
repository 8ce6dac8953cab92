"""Optimisation dynamics of the steps: losses, active tuples, and norms of gradients and updates.

The numbers of a step are computed on the device and stay there. They are read in one transfer, on a
GPU for many steps at once, because each transfer waits for all work that the GPU has queued. So
measuring a step does not slow it down.
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
"""Numbers of one step: 0-d tensors on the device. Their names are used only in this module."""

_OF_ANCHORS: Final = {
    "dynamics.active_ratio.anchors": "anchors",
    "dynamics.active_ratio.pushing_anchors": "pushing anchors",
}

GPU_STEPS: Final = 64
"""Steps of a GPU that are read together, at most."""
GPU_WAIT_S: Final = 0.1
"""Longest time that a GPU's steps stay unread: live curves move several times a second."""


def step_numbers(
    output: LossOutput, embeddings: Sequence[Tensor], parameters: Sequence[Tensor]
) -> StepNumbers:
    """Return the numbers of a step, without waiting for the device.

    Call it between backward and the optimiser's step.

    Args:
        output: of the loss.
        embeddings: [B, D] of each modality, with their gradient retained.
        parameters: trainable ones of the encoder; those of a loss are not counted.
    """
    return {
        **({} if output.divisor is None else {"divisor": output.divisor}),
        "value": output.value.detach(),
        **_anchor_numbers(output),
        **({} if output.trivial is None else {"trivial": output.trivial}),
        **_pull_weight(output),
        **({} if output.false_negatives is None else {"false negatives": output.false_negatives}),
        "norm": global_norm([p.grad for p in parameters if p.grad is not None]),
        "norm at embeddings": global_norm([e.grad for e in embeddings if e.grad is not None]),
        **_part_numbers("", output.parts),
        **_part_numbers("selected ", {} if output.selected is None else output.selected),
    }


def read_values(steps: Sequence[StepNumbers]) -> list[dict[str, float]]:
    """Read the dynamics of steps by metric key, in one transfer from the device.

    Returns:
        For each step every per-step `dynamics.*` key of contract.metrics that this loss has, but
        not the counts of empty steps; the update norm if it is among the numbers; the norm per
        active tuple only where all tuples weigh alike. NaN where there is no value at this step: a
        mean or a ratio of no tuples, the mean gradient of no active tuple. A plug-in that does not
        tell its tuples has none of their numbers, and its own value as its loss.
    """
    return [step_values(numbers) for numbers in _transfer(steps)]


def step_values(numbers: Mapping[str, float]) -> dict[str, float]:
    """Return a step's dynamics by metric key, from its numbers; see `read_values`."""
    parts, picked = _part_names(numbers, "total "), _part_names(numbers, "selected total ")
    active, valid = _totals(numbers, "", parts)
    trained_active, selected = _totals(numbers, "selected ", picked) if picked else (active, valid)
    values = {
        "dynamics.loss": _ratio(sum(numbers[f"total {name}"] for name in parts), valid)
        if parts
        else numbers["value"],
        "dynamics.loss_trained": numbers["value"],
    }
    if parts:
        values["dynamics.active_ratio"] = _ratio(active, valid)
    for key, name in _OF_ANCHORS.items():
        if name in numbers:
            values[key] = numbers[name]
    if parts:
        values["dynamics.active_tuples"] = active
        values["dynamics.valid_tuples"] = valid
    values["dynamics.gradient_norm"] = numbers["norm"]
    values["dynamics.gradient_norm.embedding"] = numbers["norm at embeddings"]
    if "divisor" in numbers:
        # Scaled back to the gradient of the sum: the mean over the active tuples costs nothing.
        # Under "balanced" no scale does that: it would take a second pass backwards.
        values["dynamics.gradient_norm.per_active"] = _ratio(
            numbers["norm"] * numbers["divisor"], trained_active
        )
    if "trivial" in numbers:
        values["dynamics.trivial_loss"] = _ratio(numbers["trivial"], valid)
    share = _pull_share(numbers, "selected " if picked else "", picked or parts)
    if share is not None:
        values["dynamics.pull_share"] = share if selected else math.nan
    if "false negatives" in numbers:
        values["dynamics.false_negative_share"] = numbers["false negatives"]
    for name in parts:
        values[f"dynamics.loss.{name}"] = _ratio(numbers[f"total {name}"], valid)
        values[f"dynamics.active_ratio.{name}"] = _ratio(
            numbers[f"active {name}"], numbers[f"valid {name}"]
        )
    if picked:
        values["dynamics.active_ratio.selected"] = _ratio(trained_active, selected)
        values["dynamics.selected_tuples"] = selected
    if "update norm" in numbers:
        values["dynamics.update_norm"] = numbers["update norm"]
    return values


class EmptySteps:
    """Counts the steps without an active tuple and those without a valid one.

    Such steps are a normal state of a training: neither an error nor a gap in its curves.
    """

    def __init__(self) -> None:
        self._empty = 0
        self._invalid = 0

    def state_dict(self) -> dict[str, int]:
        """Return the counts so far."""
        return {"empty": self._empty, "invalid": self._invalid}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from these counts."""
        self._empty, self._invalid = state["empty"], state["invalid"]

    def count(self, values: Mapping[str, float]) -> dict[str, float]:
        """Count a step and return the counts by metric key; none where tuples are not measured.

        Args:
            values: of the step, as `read_values` returns them.
        """
        if "dynamics.valid_tuples" not in values:  # a plug-in that does not tell
            return {}
        self._empty += values["dynamics.active_tuples"] == 0
        self._invalid += values["dynamics.valid_tuples"] == 0
        return {"dynamics.empty_steps": self._empty, "dynamics.invalid_steps": self._invalid}


def optimizer_step(
    optimizer: torch.optim.Optimizer,
    numbers: StepNumbers,
    parameters: Sequence[Tensor],
    *,
    with_update_norm: bool,
) -> StepNumbers:
    """Take the optimiser's step.

    Args:
        optimizer: of the parameters.
        numbers: of the step so far.
        parameters: trainable ones of the encoder.
        with_update_norm: whether to measure the update norm, which copies all parameters.

    Returns:
        The step's numbers, with the update norm if it was asked for.
    """
    if not with_update_norm:
        optimizer.step()
        return numbers
    before = copy_parameters(parameters)
    optimizer.step()
    return numbers | update_norm(before, parameters)


def copy_parameters(parameters: Sequence[Tensor]) -> list[Tensor]:
    """Return copies of parameters, for the update norm."""
    return [p.detach().clone() for p in parameters]


def update_norm(before: Sequence[Tensor], parameters: Sequence[Tensor]) -> StepNumbers:
    """Return ||update|| / ||parameters before it|| of the step that the optimiser really took.

    Args:
        before: copies of the parameters from before the step.
        parameters: the same parameters after it.
    """
    step = global_norm(
        [after.detach() - old for after, old in zip(parameters, before, strict=True)]
    )
    return {"update norm": step / global_norm(before)}


def global_norm(tensors: Sequence[Tensor]) -> Tensor:
    """Return the L2 norm over all elements of all tensors; 0 without tensors."""
    if not tensors:
        return torch.tensor(0.0)
    return nn_utils.get_total_norm(tensors)


def _transfer(steps: Sequence[StepNumbers]) -> list[dict[str, float]]:
    """Transfer all numbers of all steps at once, as float64: float32 does not hold large counts
    exactly."""
    flat = [number for step in steps for number in step.values()]
    whole = [number for number in flat if not number.is_floating_point()]
    real = [number for number in flat if number.is_floating_point()]
    kinds = [torch.stack(kind).to(torch.float64) for kind in (whole, real) if kind]
    read = torch.cat(kinds).tolist() if kinds else []
    wholes, reals = iter(read[: len(whole)]), iter(read[len(whole) :])
    return [
        {
            name: next(reals if number.is_floating_point() else wholes)
            for name, number in step.items()
        }
        for step in steps
    ]


def _anchor_numbers(output: LossOutput) -> StepNumbers:
    if not output.knows_anchors:
        return {}
    return {"anchors": output.active_anchors, "pushing anchors": output.pushing_anchors}


def _part_names(numbers: Mapping[str, float], prefix: str) -> list[str]:
    return [name.removeprefix(prefix) for name in numbers if name.startswith(prefix)]


def _part_numbers(prefix: str, parts: Mapping[str, Part]) -> StepNumbers:
    """Return the numbers of all parts of a loss, under a name for each."""
    return {
        f"{prefix}{field} {name}": number
        for name, part in parts.items()
        for field, number in (
            ("total", part.total),
            ("active", part.active),
            ("valid", part.valid),
        )
    }


def _totals(numbers: Mapping[str, float], prefix: str, parts: Iterable[str]) -> tuple[float, float]:
    """Return the active and the valid tuples, summed over all parts."""
    names = list(parts)
    return (
        sum(numbers[f"{prefix}active {name}"] for name in names),
        sum(numbers[f"{prefix}valid {name}"] for name in names),
    )


def _pull_weight(output: LossOutput) -> StepNumbers:
    weight = output.pull_weight
    return {} if weight is None else {"pull weight": output.value.new_full((), weight)}


def _pull_share(numbers: Mapping[str, float], prefix: str, parts: Sequence[str]) -> float | None:
    """Return the share of the trained weight that pulls; None for losses whose pull and push are
    not two weights, or do not weigh by their numbers."""
    if "pull weight" in numbers:
        return numbers["pull weight"]
    if "divisor" not in numbers:
        return None
    if "triplet" in parts:
        return 0.5  # each triplet has its positive and its negative once
    if "negative" not in parts:
        return None
    pull, push = (numbers[f"{prefix}valid {name}"] for name in ("positive", "negative"))
    return _ratio(pull, pull + push)


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan


class Elapsed:
    """The seconds that the steps of a run took, without evaluations and the like between them."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return the seconds so far."""
        return {"elapsed_s": self.seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from these seconds."""
        self.seconds = state["elapsed_s"]


class StepBuffer:
    """Collects the numbers of steps until they are due to be read: on a CPU after every step, on a
    GPU for many steps at once."""

    def __init__(
        self, device: torch.device, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._limit = 1 if device.type == "cpu" else GPU_STEPS
        self._clock = clock
        self._steps: list[int] = []
        self._numbers: list[StepNumbers] = []
        self._began = 0.0
        self._elapsed = Elapsed()

    def begin(self) -> None:
        """Note that a step begins."""
        if not self._steps:
            self._began = self._clock()

    def add(self, step: int, numbers: StepNumbers) -> None:
        """Add the numbers of a step, which is done or queued on the device."""
        self._steps.append(step)
        self._numbers.append(numbers)

    def due(self) -> bool:
        """Return whether to read now."""
        full = len(self._steps) >= self._limit
        return full or (bool(self._steps) and self._clock() - self._began >= GPU_WAIT_S)

    def state_dict(self) -> dict[str, Any]:
        """Return the seconds so far; all steps must have been read."""
        assert not self._steps, "a checkpoint comes after all values before it"
        return self._elapsed.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from these seconds."""
        self._elapsed.load_state_dict(state)

    def read(self) -> list[tuple[int, dict[str, float]]]:
        """Return the steps since the last call, each with its values by metric key.

        `run.elapsed_s` is the time that all steps up to that one took, without evaluations and the
        like between them. Steps that are read together share their time equally.
        """
        if not self._steps:
            return []
        values = read_values(self._numbers)
        share = (self._clock() - self._began) / len(values)
        read = []
        for step, of_step in zip(self._steps, values, strict=True):
            self._elapsed.seconds += share
            read.append((step, of_step | {"run.elapsed_s": self._elapsed.seconds}))
        self._steps, self._numbers = [], []
        return read
