"""The best epoch's weights: the test split is read once, for them."""

from collections.abc import Mapping
from typing import Any, Final

from torch import Tensor, nn

BEST_KEY: Final = "retrieval.map_at_r"


class Best:
    """The epoch with the highest validation MAP@R, the earliest on ties; epoch 0 is no choice."""

    def __init__(self) -> None:
        self.step = 0
        """Optimiser steps done at the best epoch."""
        self._score = float("-inf")
        self._weights: dict[str, Tensor] = {}

    def offer(self, values: Mapping[str, float], step: int, model: nn.Module) -> None:
        """Keep the model's weights if its validation is better than any before."""
        score = values.get(BEST_KEY, float("-inf"))
        if score > self._score or not self._weights:
            self._score, self.step = score, step
            self._weights = {
                name: weight.detach().clone() for name, weight in model.state_dict().items()
            }

    def state_dict(self) -> dict[str, Any]:
        """The best epoch so far, with its weights."""
        return {"step": self.step, "score": self._score, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from that one."""
        self.step, self._score, self._weights = state["step"], state["score"], state["weights"]

    def restore(self, model: nn.Module) -> None:
        """Give the model the best weights."""
        model.load_state_dict(self._weights)
