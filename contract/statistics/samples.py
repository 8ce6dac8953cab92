"""Check values before they are compared, and tell samples without spread from others."""

import math
from collections.abc import Sequence
from typing import Final

ROUNDING: Final = 1e-12
"""Relative difference, by the size of the terms, up to which sums count as equal."""

NO_SPREAD: Final = 1e-6
"""Standard deviation, relative to the largest value, up to which values count as all the same: what
remains of equal steps when values were computed in float32."""


class SampleError(ValueError):
    """Values that cannot be compared; names the argument and says what was given."""


def finite_numbers(name: str, values: Sequence[float]) -> list[float]:
    """Return the values as floats.

    Raises:
        SampleError: they are no numbers, there are none, or one is not finite.
    """
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError) as error:
        raise SampleError(f"{name} must be a sequence of numbers; got {values!r:.80}") from error
    if not numbers:
        raise SampleError(f"{name} must have at least one value; got none")
    for index, number in enumerate(numbers):
        if not math.isfinite(number):
            raise SampleError(f"{name} must be finite; got {number} at index {index}")
    return numbers


def is_constant(values: Sequence[float]) -> bool:
    """Return whether two or more values are all the same."""
    return len(values) > 1 and max(values) - min(values) <= NO_SPREAD * max(map(abs, values))
