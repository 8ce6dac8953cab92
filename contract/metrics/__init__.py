"""Every metric key: what it is called, its unit, which way is better, its formula and its idea."""

from typing import Final

from contract.metrics.dynamics import DYNAMICS
from contract.metrics.geometry import GEOMETRY
from contract.metrics.metric import Better, Metric
from contract.metrics.quality import KNN_KS, QUALITY, RECALL_KS

__all__ = ["KNN_KS", "METRICS", "RECALL_KS", "TEST_PREFIX", "Better", "Metric"]

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

METRICS: Final[dict[str, Metric]] = {
    metric.key: metric
    for metric in (
        *DYNAMICS,
        *GEOMETRY,
        *QUALITY,
        *(
            Metric(
                f"{TEST_PREFIX}{m.key}",
                f"{m.label} (test)",
                m.formula,
                f"{m.meaning} Test split, read once, at the best validation epoch.",
                m.better,
                m.unit,
            )
            for m in (*GEOMETRY, *QUALITY)
        ),
        *_RUN,
    )
}
"""All metric keys."""
