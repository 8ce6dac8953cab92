"""Metric-learning losses: `build(spec)` gives one, calling it gives its value in named parts."""

from worker.losses.base import Loss, LossOutput, Part
from worker.losses.registry import build
from worker.losses.two_ways import two_ways

__all__ = ["Loss", "LossOutput", "Part", "build", "two_ways"]
