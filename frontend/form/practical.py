"""Practical bounds as people write them: one a line, "geometry.mean_norm = 1.1"."""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

_LINE: Final = re.compile(r"([^=:\s]+)\s*(?:[=:]\s*|\s)(\S+)")


class BoundsError(ValueError):
    """The text is no list of bounds; the message says what to write instead."""


def parse_bounds(text: str) -> dict[str, float]:
    """Parse a text into bounds by metric.

    Raises:
        BoundsError: a line has no metric or no finite number, or a metric is named twice.
    """
    bounds: dict[str, float] = {}
    for line in (line.strip() for line in re.split(r"[\n,;]", text)):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        number = _number(match[2]) if match else None
        if match is None or number is None:
            raise BoundsError(
                f"“{line}” is not a bound; write metric = number: geometry.mean_norm = 1.1"
            )
        if match[1] in bounds:
            raise BoundsError(f"{match[1]} has two bounds; leave one out")
        bounds[match[1]] = number
    return bounds


def format_bounds(bounds: Mapping[str, Any]) -> str:
    """Return the text that `parse_bounds` reads as these bounds."""
    return "\n".join(f"{metric} = {bound}" for metric, bound in bounds.items())


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
