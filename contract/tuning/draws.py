"""Values of a search space: which one a share of it stands for, and which fit together.

Every sampler uses these rules, so that random draws and proposals that learn are valid alike.
"""

import math
from collections.abc import Mapping
from typing import Final

from contract.comparison.tuning import Choices, Search, Space, Value

WHOLE: Final = frozenset({"training.epochs", "training.batch_size", "training.sampler.m"})
"""Paths of settings that are whole numbers."""
MARGIN: Final = "loss.margin"
POSITIVE_MARGIN: Final = "loss.positive_margin"
NEAREST_POSITIVE: Final = 0.9
"""Largest positive margin that is drawn, as a share of its margin."""


def value_of(path: str, space: Space, share: float) -> Value:
    """Return the value at a share of a space, so that uniform shares give uniform values.

    A whole number between two, both included, has the part of the range that rounds to it.

    Args:
        path: of the setting.
        space: its values.
        share: from 0, below 1.
    """
    if isinstance(space, Choices):
        return space.choices[min(int(share * len(space.choices)), len(space.choices) - 1)]
    whole = path in WHOLE
    low, high = (space.low - 0.5, space.high + 0.5) if whole else (space.low, space.high)
    if space.log:
        value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    else:
        value = low + share * (high - low)
    if whole:
        value = math.floor(value + 0.5)
    value = min(max(value, space.low), space.high)
    return int(value) if whole else value


def settled(params: Mapping[str, Value], search: Search) -> dict[str, Value]:
    """Return drawn values that fit together: a positive margin that lies above nine tenths of the
    margin that was drawn with it is lowered to that.

    It stays within its own range, which begins below that (`contract.tuning.problems`).

    Args:
        params: path -> drawn value.
        search: the space of the arm that they were drawn from.
    """
    margin, positive = params.get(MARGIN), params.get(POSITIVE_MARGIN)
    fitting = dict(params)
    if (
        isinstance(margin, int | float)
        and isinstance(positive, int | float)
        and not isinstance(search.get(POSITIVE_MARGIN), Choices)
    ):
        fitting[POSITIVE_MARGIN] = min(positive, NEAREST_POSITIVE * margin)
    return fitting
