"""Metric-learning losses: `build(spec)` gives one, calling it gives its value in named parts."""

from worker.losses.base import Loss, LossOutput, Part
from worker.losses.cross_modal import two_ways
from worker.losses.registry import build

__all__ = ["Loss", "LossOutput", "Part", "build", "two_ways"]
