"""Data that need no file: generated, or bundled with a library."""

from typing import Literal

from pydantic import Field

from contract.comparison.data.shared_settings import SPLIT_SEED, Seed
from contract.comparison.problems import Section


class SyntheticData(Section):
    """Gaussian classes of several modes, after the synthetic set of arXiv 2510.02161.

    Each class is a set of `modes` centres drawn with standard deviation `mode_spread` around the
    class centre; items scatter around their mode with `within_sd`. A share of the items is blended
    with an item of another class (overlap), another share is moved far out (outliers).
    """

    kind: Literal["synthetic"] = "synthetic"
    classes: int = Field(10, ge=2, le=1000, title="Classes")
    per_class: int = Field(200, ge=10, le=10_000, title="Items a class")
    dim: int = Field(128, ge=2, le=4096, title="Features")
    modes: int = Field(3, ge=1, le=50, title="Modes a class", description="The fine labels.")
    mode_spread: float = Field(1.4, ge=0, le=100, title="Mode spread")
    within_sd: float = Field(1.0, gt=0, le=100, title="Scatter within a mode")
    overlap: float = Field(
        0.1, ge=0, le=1, title="Overlap", description="Share of items blended with another class."
    )
    outliers: float = Field(
        0.05, ge=0, le=1, title="Outliers", description="Share of items moved far out."
    )
    outlier_scale: float = Field(
        3.0, ge=1, le=100, title="Outlier scale", description="How many times wider they scatter."
    )
    seed: Seed = Field(0, title="Data seed")


class DigitsData(Section):
    """scikit-learn's bundled digits: 1,797 real 8 x 8 scans of handwritten digits."""

    kind: Literal["digits"] = "digits"
    seed: Seed = SPLIT_SEED
