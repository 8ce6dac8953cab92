"""Numbers that are known exactly, by their bounds, or about."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Amount:
    """A number of items, classes or steps."""

    least: int
    most: int
    """Larger than `least` where runs differ, as they do where each has a split of its own."""
    about: bool = False
    """Whether the number is only near the true one."""

    @classmethod
    def exactly(cls, number: int) -> "Amount":
        """Return a number that is known exactly."""
        return cls(number, number)

    @classmethod
    def near(cls, number: float) -> "Amount":
        """Return a number that is known about, to three digits."""
        rounded = int(float(f"{number:.3g}"))
        return cls(rounded, rounded, about=True)

    @classmethod
    def over(cls, amounts: Iterable["Amount | None"]) -> "Amount | None":
        """Return the amount over several runs; None if it is not known of one, or there is none."""
        known = list(amounts)
        found = [one for one in known if one is not None]
        if not found or len(found) < len(known):
            return None
        return cls(
            min(one.least for one in found),
            max(one.most for one in found),
            any(one.about for one in found),
        )

    def divided(self, by: int) -> "Amount":
        """Return how many whole times a number goes into it."""
        return Amount(self.least // by, self.most // by, self.about)
