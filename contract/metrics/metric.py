"""The description of one metric."""

from dataclasses import dataclass
from typing import Final, Literal

Better = Literal["higher", "lower"] | None
Bounds = tuple[float | None, float | None]
SHARE: Final[Bounds] = (0.0, 1.0)
"""Bounds of a share."""


@dataclass(frozen=True)
class Metric:
    """A number that the product measures, with the texts that explain it on the pages."""

    key: str
    label: str
    formula: str
    """LaTeX."""
    meaning: str
    better: Better = None
    """Which direction is better; None where neither is."""
    unit: str = ""
    per_step: bool = False
    """Whether it is logged at every optimiser step; otherwise at epoch 0 and every evaluation."""
    summary_only: bool = False
    """Whether it has no series but one value for a run, computed from its series once the run has
    succeeded."""
    grid: bool = False
    """Whether it takes whole numbers only, such as epochs. Its differences have no interval."""
    bounds: Bounds = (None, None)
    """The smallest and the largest value that it can have; None for no bound."""
    scale: Literal["difference", "ratio"] = "difference"
    """How two values are compared for practical equality: by their difference, or by their ratio,
    as norms and variances, whose unit depends on the loss."""
