"""Shorten a posted spec before it is checked, so that a check of nonsense takes no long time.

No valid spec comes near these limits, so what is left out can only be wrong: lists that are too
long stay too long, and unknown keys that are left out are counted.
"""

from collections.abc import Collection
from typing import Any, Final

MAX_ITEMS: Final = 200
"""Items of a list that are kept; more than a valid list has, so that it stays too long."""
MAX_UNKNOWN: Final = 100
"""Unknown keys that are kept of an object with more keys than that."""
MAX_DEPTH: Final = 12
"""Levels that are kept; a valid spec has half as many."""
DEEPER: Final = "..."
"""Stands for what lies deeper."""


class ShortList(list[Any]):
    """The first items of a longer list."""

    def __init__(self, items: list[Any], length: int) -> None:
        super().__init__(items)
        self.length = length
        """Items of the whole list."""


class Shortened:
    """A JSON value without what is too much."""

    def __init__(self, raw: object, known: Collection[str]) -> None:
        """Shorten a value.

        Args:
            raw: as JSON was read.
            known: names that any object may have; these keys are always kept.
        """
        self._known = known
        self.left_out = 0
        """Keys that were left out; none of them is known."""
        self.value = self._shorten(raw, MAX_DEPTH)

    def _shorten(self, raw: object, levels: int) -> Any:
        if isinstance(raw, dict):
            if not levels:
                return DEEPER
            return {key: self._shorten(raw[key], levels - 1) for key in self._keys(raw)}
        if isinstance(raw, list):
            if not levels:
                return DEEPER
            items = [self._shorten(item, levels - 1) for item in raw[:MAX_ITEMS]]
            return ShortList(items, len(raw)) if len(raw) > MAX_ITEMS else items
        return raw

    def _keys(self, raw: dict[Any, Any]) -> Collection[Any]:
        if len(raw) <= MAX_UNKNOWN:
            return raw.keys()
        unknown = [key for key in raw if key not in self._known]
        dropped = frozenset(unknown[MAX_UNKNOWN:])
        self.left_out += len(dropped)
        return [key for key in raw if key not in dropped]
