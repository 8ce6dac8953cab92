"""Features whose size makes training hard."""

from typing import Final

import numpy as np

from contract.dataset_files.problems import Findings

LARGE: Final = 1e4
"""A typical size of features above this one, or below its inverse, gives a remark; so do features
whose standard deviations differ by more than this factor."""
_ROWS: Final = 10_000
"""Rows that are looked at, evenly spaced."""


def remark_on_scale(name: str, features: np.ndarray, findings: Findings) -> None:
    """Add a warning if features are very large or very small, or differ much in size.

    The typical size is the median over the rows of the root mean square of a row's values, among
    the rows that are not all zero.

    Args:
        name: of the features in the warning.
        features: [N, D] float32.
        findings: gets the warning.
    """
    some = features[:: max(1, len(features) // _ROWS)].astype(np.float64)
    sizes = np.sqrt(np.mean(np.square(some), axis=1))
    sizes = sizes[sizes > 0]
    if not len(sizes):
        return
    typical = float(np.median(sizes))
    spreads = some.std(axis=0)
    spreads = spreads[spreads > 0]
    advice = "choose 'standardize' in the data section of a comparison, or scale them"
    if not 1 / LARGE <= typical <= LARGE:
        how = "large" if typical > 1 else "small"
        findings.warn(
            name,
            f"has values of about {typical:.1g}, so {how} that training hardly works; {advice}",
        )
    elif len(spreads) and spreads.max() > LARGE * spreads.min():
        findings.warn(
            name,
            f"has features that differ in size: standard deviations from {spreads.min():.1g} to "
            f"{spreads.max():.1g}, so the largest decide; {advice}",
        )
