"""Losses on tuples that the data give: `build_for_tuples(spec, shape)` makes one."""

from worker.losses.given.base import TupleLoss
from worker.losses.given.registry import build_for_tuples

__all__ = ["TupleLoss", "build_for_tuples"]
