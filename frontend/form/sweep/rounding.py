"""Ranges as a person would write their values: 0.05, 0.13, 0.32, 0.8, 2 and not 0.31622776."""

import math
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

DIGITS: Final = 3
"""Most significant digits of a value inside a logarithmic range."""
_ROUND: Final = (1, 2, 5)
_NEAR_ROUND: Final = 0.1
_NEAR: Final = 0.05
"""How far a value of a logarithmic range may move, as a part of the distance between two of them:
to 1, 2 or 5 times a power of ten, and to a number with few digits."""


def linear(low: Decimal, high: Decimal, points: int) -> list[Decimal]:
    """Return values with equal differences, both ends as they are, the others rounded to a few
    digits of the difference."""
    step = (high - low) / (points - 1)
    unit = Decimal(1).scaleb(step.adjusted() - DIGITS + 1)
    inner = (_rounded_to(low + step * number, unit) for number in range(1, points - 1))
    return [low, *inner, high]


def logarithmic(low: Decimal, high: Decimal, points: int) -> list[Decimal]:
    """Return values with equal ratios, both ends as they are, the others rounded to 1, 2 or 5 times
    a power of ten where one is near, else to at most three significant digits."""
    distance = float((high / low).ln()) / (points - 1)
    start = float(low.ln())
    inner = (_rounded(start + distance * number, distance) for number in range(1, points - 1))
    return [low, *inner, high]


def _rounded(log: float, distance: float) -> Decimal:
    """Return a short number near exp(log)."""
    exponent = math.floor(log / math.log(10))
    for whole in (*_ROUND, 10):
        found = Decimal(whole).scaleb(exponent)
        if abs(math.log(whole) + exponent * math.log(10) - log) <= _NEAR_ROUND * distance:
            return found
    value = Decimal(math.exp(log - exponent * math.log(10)))
    for digits in range(DIGITS):
        found = _rounded_to(value, Decimal(1).scaleb(-digits)).scaleb(exponent)
        if abs(float(found.ln()) - log) <= _NEAR * distance:
            break
    return found


def _rounded_to(value: Decimal, unit: Decimal) -> Decimal:
    """Return the multiple of a power of ten that is nearest."""
    return (value / unit).quantize(Decimal(1), ROUND_HALF_EVEN) * unit
