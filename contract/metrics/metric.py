"""The description of one metric."""

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower"] | None


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
