"""All metric keys, with label, unit, formula, meaning and which direction is better."""

from dataclasses import replace
from typing import Final

from contract.metrics.dynamics import DYNAMICS
from contract.metrics.evaluation import GEOMETRY, KNN_KS, QUALITY, RECALL_KS
from contract.metrics.metric import Better, Metric
from contract.metrics.tuples import TUPLE_KS, TUPLES
from contract.metrics.verification import DIMENSIONS, VERIFICATION

__all__ = [
    "BACKBONE_PREFIX",
    "CHANCE_PREFIX",
    "KNN_KS",
    "METRICS",
    "OBJECTIVE",
    "RECALL_KS",
    "TEST_LAST_PREFIX",
    "TEST_PREFIX",
    "TUPLE_KS",
    "Better",
    "Metric",
    "bare_key",
    "objective_of",
]

_RUN_METRICS: Final = (
    Metric(
        "run.elapsed_s",
        "Elapsed time",
        "t",
        "Training time since the first step, without measuring.",
        unit="s",
        bounds=(0, None),
        per_step=True,
    ),
)

OBJECTIVE: Final = "retrieval.map_at_r"
"""Metric of the validation split that decides the best epoch, and by which a training that makes
things worse is known; of data with classes, see `objective_of`."""

TEST_PREFIX: Final = "test."
"""Prefix of a key for the value of the test split at the best validation epoch."""

TEST_LAST_PREFIX: Final = "test.last."
"""Prefix of a key for the value of the test split at the last epoch."""

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
_EVALUATED: Final = (*GEOMETRY, *QUALITY, *TUPLES, *_OF_EACH_MODALITY)
_OF_TEST: Final = {
    TEST_PREFIX: (*VERIFICATION, *DIMENSIONS),
    TEST_LAST_PREFIX: VERIFICATION,
}
"""What is measured of the test split alone, by the prefix of its keys."""

METRICS: Final[dict[str, Metric]] = {
    metric.key: metric
    for metric in (
        *DYNAMICS,
        *_EVALUATED,
        *(
            replace(
                metric,
                key=f"{prefix}{metric.key}",
                label=f"{metric.label} ({label})",
                meaning=f"{metric.meaning} Test split, {epoch}.",
            )
            for prefix, label, epoch in (
                (TEST_PREFIX, "test", "at the best validation epoch"),
                (TEST_LAST_PREFIX, "test, last epoch", "at the last epoch"),
            )
            for metric in (*_EVALUATED, *_OF_TEST[prefix])
            if not metric.summary_only
        ),
        *_RUN_METRICS,
    )
}
"""Metric key -> metric."""


def objective_of(shape: str | None) -> str:
    """Return the metric of the validation split that decides the best epoch.

    Args:
        shape: of data that come as tuples, see `contract.comparison.data.shape_of`; None for data
            with classes.
    """
    if shape is None:
        return OBJECTIVE
    return "pairs.spearman" if shape == "scored_pairs" else "pairs.mrr"


def bare_key(key: str) -> str:
    """Return the key of a metric without the prefix of the test split."""
    return key.removeprefix(TEST_LAST_PREFIX).removeprefix(TEST_PREFIX)
