"""Whether a metric can be the objective of a search on given data."""

from difflib import get_close_matches
from typing import Final

from contract.comparison.data import Data, TupleShape, modalities, shape_of
from contract.comparison.data.facts import has_fine_labels
from contract.metrics import METRICS, TUPLE_KS, Metric, bare_key

_BETWEEN: Final = ("retrieval.audio_to_visual.", "retrieval.visual_to_audio.")
_OF_ONE: Final = ("audio.", "visual.")
_PROBE: Final = "classification.linear_probe_accuracy"
_OF_SCORES: Final = ("pairs.spearman",)
_OF_POSITIVES: Final = (
    "pairs.mrr",
    "pairs.ndcg_at_10",
    *(f"pairs.recall_at_{k}" for k in TUPLE_KS),
)
_LONGEST: Final = 60


def objective_problem(key: str, data: Data) -> str:
    """Return why a metric cannot be the objective; empty if it can.

    Args:
        key: of the metric.
        data: of the spec.
    """
    shown = key[:_LONGEST]
    if key != bare_key(key) and bare_key(key) in METRICS:
        return (
            f"must be measured on the validation split; trials never see the test split; take "
            f"{bare_key(key)!r}"
        )
    metric = METRICS.get(key)
    if metric is None:
        close = get_close_matches(shown, possible_objectives(), n=3)
        return f"{shown!r} is not a metric; " + (
            f"did you mean {' or '.join(close)}?" if close else "GET /catalogue lists them"
        )
    if not _is_evaluated(metric):
        return f"{shown!r} is not measured on the validation split; take {_SUGGESTED}"
    if metric.better is None:
        return f"neither high nor low values of {shown!r} are better; take {_SUGGESTED}"
    return _problem_of_data(key, data)


def possible_objectives(data: Data | None = None) -> list[str]:
    """Return the metrics that can be objectives: of these data, or of any."""
    return [
        key
        for key, metric in METRICS.items()
        if key == bare_key(key)
        and _is_evaluated(metric)
        and metric.better is not None
        and (data is None or not _problem_of_data(key, data))
    ]


_SUGGESTED: Final = "one such as retrieval.map_at_r"


def _is_evaluated(metric: Metric) -> bool:
    return not (metric.per_step or metric.summary_only) and not metric.key.startswith("run.")


def _problem_of_data(key: str, data: Data) -> str:
    shape = shape_of(data)
    if shape is not None:
        return _problem_of_tuples(key, shape)
    if key.startswith("pairs."):
        return f"{key!r} is of data that come as tuples; {data.kind!r} has classes"
    paired = modalities(data).visual is not None
    if key.startswith((*_BETWEEN, *_OF_ONE)) and not paired:
        return f"{key!r} is of paired data; {data.kind!r} has one modality"
    if key.startswith("detail.") and has_fine_labels(data) is False:
        return f"{key!r} needs fine labels; {data.kind!r} has none"
    by_class = getattr(data, "split", "item") == "class"
    if key == _PROBE and by_class:
        return (
            f"{key!r} is not measured under a split by class, whose held-out classes have no "
            "training items; take classification.knn_accuracy_1 or a retrieval metric"
        )
    return ""


def _problem_of_tuples(key: str, shape: TupleShape) -> str:
    fitting = _OF_SCORES if shape == "scored_pairs" else _OF_POSITIVES
    if key in fitting:
        return ""
    return f"{key!r} is not measured of tuples of the shape {shape!r}; take {' or '.join(fitting)}"
