"""All metric keys, with label, unit, formula, meaning and which direction is better."""

from dataclasses import replace
from typing import Final

from contract.metrics.dynamics import DYNAMICS
from contract.metrics.evaluation import GEOMETRY, KNN_KS, QUALITY, RECALL_KS
from contract.metrics.metric import Better, Metric

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

_RUN_METRICS: Final = (
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
"""Prefix of a key for the value of the test split, read once, at the best validation epoch."""

BACKBONE_PREFIX: Final = "backbone."
"""Prefix of a key for the value of a frozen backbone's features, without a head."""

CHANCE_PREFIX: Final = "chance."
"""Prefix of a key for the value of a random ranking."""

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
        *_RUN_METRICS,
    )
}
"""Metric key -> metric."""
