"""The measured share of a loss's weight that pulls: arms of the same settings may differ in it.

Pure functions.
"""

from collections.abc import Collection
from typing import Final

PULL_SHARE: Final = "dynamics.pull_share.mean"
_LEAST: Final = 0.01
"""Shares that differ by less count as equal."""


def shares_differ(shares: Collection[float]) -> bool:
    """Return whether shares of the weight that pulls differ by 0.01 or more."""
    return bool(shares) and max(shares) - min(shares) >= _LEAST
