"""Practical bounds: how large a difference of a metric must be to matter."""

from collections.abc import Mapping
from typing import Final

from contract.metrics import METRICS, bare_key

DEFAULTS: Final[Mapping[str, float]] = {
    "classification.": 0.01,
    "retrieval.": 0.01,
    "clustering.ami": 0.01,
    "detail.": 0.01,
}
"""Beginning of a metric's key -> half-width of the differences that do not matter."""
DEFAULT_RATIO: Final = 1.25
"""For a metric that is compared by its ratio: ratios from 1 / 1.25 to 1.25 do not matter."""


def half_width(key: str, given: Mapping[str, float]) -> float | None:
    """Return the practical bound of a metric: half the width around a difference of 0, or, for a
    metric that is compared by its ratio, the largest ratio that does not matter.

    Args:
        key: of the metric, with or without the prefix of the test split.
        given: bounds of a spec; the longest beginning of the key wins, and goes before DEFAULTS.

    Returns:
        None for a metric that has no bound: its values are never level.
    """
    bare, metric = bare_key(key), METRICS[key]
    for bounds in (given, DEFAULTS):
        if fitting := [start for start in bounds if bare.startswith(start)]:
            return None if metric.grid else bounds[max(fitting, key=len)]
    return DEFAULT_RATIO if metric.scale == "ratio" else None
