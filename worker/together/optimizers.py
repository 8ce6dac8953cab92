"""The optimisers of K members: their states in matrices, each member with its own settings.

torch's fused kernels take the step of one member after the other, each in one pass over its weights
while these are in the cache. They work element by element, so that the numbers are the same
whatever other members there are.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from contract.comparison.training import AdamWOptimizer, Optimizer, SgdOptimizer
from worker.together.networks import StackedWeights

BETAS: Final = (0.9, 0.999)
EPS: Final = 1e-8
"""The defaults of torch's optimisers, with which single runs train."""


@dataclass(frozen=True)
class _Settings:
    lr: float
    weight_decay: float
    momentum: float


class StackedOptimizer:
    """Takes the steps of K members."""

    def __init__(
        self, specs: Sequence[Optimizer], weights: Tensor, gradients: Tensor, own_begin: int
    ) -> None:
        """Args:
        specs: of each member, of one kind.
        weights: [K, P].
        gradients: [K, P].
        own_begin: where the parameters of the loss begin, which may have a learning rate of their
            own.
        """
        self._specs, self._own_begin = list(specs), own_begin
        self.first, self.second = torch.zeros_like(weights), torch.zeros_like(weights)
        """[K, P] means of the gradient (of SGD its momentum) and of its square."""
        self.steps = torch.zeros(len(weights), device=weights.device)
        """[K] steps taken."""
        self._bind(weights, gradients)

    def keep(self, members: Sequence[int], weights: Tensor, gradients: Tensor) -> None:
        """Keep only these members, whose weights and gradients have moved to these matrices."""
        chosen = list(members)
        self._specs = [self._specs[member] for member in chosen]
        self.first, self.second = self.first[chosen], self.second[chosen]
        self.steps = self.steps[chosen]
        self._bind(weights, gradients)

    @torch.no_grad()
    def step(self) -> None:
        """Take one step of every member."""
        self.steps += 1
        for settings, rows in self._groups.items():
            self._take(settings, *zip(*rows, strict=True))

    def state(self, member: int, at: int, weights: StackedWeights) -> dict[str, Any]:
        """Return what torch's own optimiser would hold of a member's parameter.

        Args:
            member: its place.
            at: place of the parameter.
            weights: the weights that this optimiser steps.
        """
        first, second = (weights.blocks(of)[at][member].clone() for of in self._moments)
        if isinstance(self._specs[member], SgdOptimizer):
            return {"momentum_buffer": first if self._momentum(member) else None}
        return {"step": self.steps[member].cpu().clone(), "exp_avg": first, "exp_avg_sq": second}

    def load(self, member: int, at: int, weights: StackedWeights, state: dict[str, Any]) -> None:
        """Take over what torch's own optimiser holds of a member's parameter, if it does."""
        first, second = (weights.blocks(of)[at][member] for of in self._moments)
        if isinstance(self._specs[member], SgdOptimizer):
            if state.get("momentum_buffer") is not None:
                first.copy_(state["momentum_buffer"])
                self.steps[member] = 1
        elif state:
            first.copy_(state["exp_avg"])
            second.copy_(state["exp_avg_sq"])
            self.steps[member] = state["step"]

    @property
    def _moments(self) -> tuple[Tensor, Tensor]:
        return self.first, self.second

    def _momentum(self, member: int) -> float:
        spec = self._specs[member]
        return spec.momentum if isinstance(spec, SgdOptimizer) else 0.0

    def _take(self, settings: _Settings, *columns: Sequence[Tensor]) -> None:
        weights, gradients, first, second, steps = (list(column) for column in columns)
        given: dict[str, Any] = {"lr": settings.lr, "weight_decay": settings.weight_decay}
        if isinstance(self._specs[0], SgdOptimizer):
            torch._fused_sgd_(
                weights,
                gradients,
                first if settings.momentum else [],
                momentum=settings.momentum,
                dampening=0.0,
                nesterov=False,
                maximize=False,
                is_first_step=False,
                **given,
            )
            return
        adamw = isinstance(self._specs[0], AdamWOptimizer)
        (torch._fused_adamw_ if adamw else torch._fused_adam_)(
            *(weights, gradients, first, second, [], steps),
            beta1=BETAS[0],
            beta2=BETAS[1],
            eps=EPS,
            amsgrad=False,
            maximize=False,
            **given,
        )

    def _bind(self, weights: Tensor, gradients: Tensor) -> None:
        """Group the rows by their settings: those of one group take their step in one call."""
        self._groups: dict[_Settings, list[tuple[Tensor, ...]]] = defaultdict(list)
        whole, begin = slice(None), self._own_begin
        for member, spec in enumerate(self._specs):
            parts = [(whole, spec.lr)]
            if spec.loss_lr is not None and begin < weights.shape[1]:
                parts = [(slice(0, begin), spec.lr), (slice(begin, None), spec.loss_lr)]
            for part, lr in parts:
                rows = [of[member, part] for of in (weights, gradients, self.first, self.second)]
                settings = _Settings(lr, spec.weight_decay, self._momentum(member))
                self._groups[settings].append((*rows, self.steps[member]))
