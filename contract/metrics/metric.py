"""What one metric is."""

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower"] | None


@dataclass(frozen=True)
class Metric:
    """One number the product measures, as the pages explain it."""

    key: str
    label: str
    formula: str
    """LaTeX."""
    meaning: str
    better: Better = None
    """None where neither way is better by itself."""
    unit: str = ""
    per_step: bool = False
    """Logged at every optimiser step; otherwise at epoch 0 and every evaluation."""
    summary_only: bool = False
    """No series: one value a run, worked out from its series once it has succeeded."""
