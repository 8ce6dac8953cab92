"""One measured case, and whether it is as good as was asked."""

from dataclasses import dataclass

GOAL = "goal"
"""The peer's name where the peer's figure is what was asked for."""


@dataclass(frozen=True)
class Row:
    """One measured case: ours, and beside it a peer's figure or the goal that was set.

    A peer that could not be measured is named with the reason, without a figure.
    """

    bench: str
    case: str
    ours: float
    unit: str
    n: int
    """Repeats behind the figure."""
    peer: float | None = None
    peer_name: str = ""
    higher_is_better: bool = False
    least_ratio: float | None = None
    """Goal: how many times better than the peer ours should be."""
    limit: float | None = None
    """Goal: what ours should not exceed, or not fall below where higher is better."""

    @property
    def ratio(self) -> float | None:
        """How many times better ours is; below 1 the peer wins. None where a figure is not
        positive, since such a ratio would say nothing."""
        if self.peer is None or self.ours <= 0 or self.peer <= 0:
            return None
        return self.ours / self.peer if self.higher_is_better else self.peer / self.ours

    @property
    def goal(self) -> str:
        """What was asked, in words; empty if nothing was."""
        bound = self.peer if self.peer_name == GOAL else self.limit
        asked = []
        if self.least_ratio is not None:
            asked.append(f"ratio at least {number(self.least_ratio)}")
        if bound is not None:
            side = "at least" if self.higher_is_better else "at most"
            asked.append(f"{side} {number(bound)} {self.unit}")
        return " and ".join(asked)

    @property
    def met(self) -> bool | None:
        """Whether ours is what was asked; None if nothing was. A ratio that could not be taken
        meets no goal."""
        if not self.goal:
            return None
        bound = self.peer if self.peer_name == GOAL else self.limit
        good = self.least_ratio is None or (self.ratio or 0.0) >= self.least_ratio
        if bound is not None:
            good &= self.ours >= bound if self.higher_is_better else self.ours <= bound
        return good


def number(value: float) -> str:
    """Three significant figures, or all of a thousand and more before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
