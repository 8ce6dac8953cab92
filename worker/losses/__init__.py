"""Metric-learning losses: `build(spec)` makes a loss, and calling it returns a `LossOutput`.

The output holds the value to backpropagate and, for each kind of tuple (pairs, triplets, softmax
terms), how many tuples there are, how many of them are active and the sum of their losses.
"""

from worker.losses.base import Loss, LossOutput, Part
from worker.losses.cross_modal import two_ways
from worker.losses.given import TupleLoss, build_for_tuples
from worker.losses.registry import build

__all__ = ["Loss", "LossOutput", "Part", "TupleLoss", "build", "build_for_tuples", "two_ways"]
