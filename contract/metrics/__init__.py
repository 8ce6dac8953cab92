"""Every metric key: what it is called, its unit, which way is better, its formula and its idea."""

from dataclasses import replace
from typing import Final

from contract.metrics.dynamics import DYNAMICS
from contract.metrics.geometry import GEOMETRY
from contract.metrics.metric import Better, Metric
from contract.metrics.quality import KNN_KS, QUALITY, RECALL_KS

__all__ = [
    "BACKBONE_PREFIX",
    "CHANCE_PREFIX",
    "KNN_KS",
    "METRICS",
    "RECALL_KS",
    "TEST_PREFIX",
    "Better",
    "Metric",
]

_RUN: Final = (
    Metric(
        "run.elapsed_s",
        "Elapsed time",
        "t",
        "Training time since the first step, without measuring.",
        unit="s",
        per_step=True,
    ),
)

TEST_PREFIX: Final = "test."
"""Put before a key for the test split's value, read once, at the best validation epoch."""

BACKBONE_PREFIX: Final = "backbone."
"""Put before a key for the value that a frozen backbone's own features have, without a head."""

CHANCE_PREFIX: Final = "chance."
"""Put before a key for the value that a random ranking would have."""

_OF_EACH_MODALITY: Final = tuple(
    replace(
        metric,
        key=f"{modality}.{metric.key}",
        label=f"{modality.capitalize()}: {metric.label}",
        meaning=f"{metric.meaning} Of the {modality} items alone.",
    )
    for modality in ("audio", "visual")
    for metric in GEOMETRY
)
_EVALUATED: Final = (*GEOMETRY, *QUALITY, *_OF_EACH_MODALITY)

METRICS: Final[dict[str, Metric]] = {
    metric.key: metric
    for metric in (
        *DYNAMICS,
        *_EVALUATED,
        *(
            Metric(
                f"{TEST_PREFIX}{m.key}",
                f"{m.label} (test)",
                m.formula,
                f"{m.meaning} Test split, read once, at the best validation epoch.",
                m.better,
                m.unit,
            )
            for m in _EVALUATED
        ),
        *_RUN,
    )
}
"""All metric keys."""
