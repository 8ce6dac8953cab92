"""Practical bounds: how large a difference of a metric must be to matter."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from contract.comparison.problems import Problem
from contract.metrics import METRICS, Metric, bare_key
from contract.metrics.metric import SHARE

DEFAULTS: Final[Mapping[str, float]] = {
    "classification.": 0.01,
    "retrieval.": 0.01,
    "clustering.ami": 0.01,
    "detail.": 0.01,
    "pairs.": 0.01,
}
"""Beginning of a metric's key -> half-width of the differences that do not matter."""
LABELS: Final[Mapping[str, str]] = {
    "classification.": "Classification accuracy",
    "retrieval.": "Retrieval",
    "clustering.ami": "Clustering (AMI)",
    "detail.": "Detail retention",
    "pairs.": "Retrieval and scores of tuples",
}
"""The same keys -> what the form calls them."""
DEFAULT_RATIO: Final = 1.25
"""For a metric that is compared by its ratio: ratios from 1 / 1.25 to 1.25 do not matter."""


def half_width(key: str, given: Mapping[str, float]) -> float | None:
    """Return the practical bound of a metric: half the width around a difference of 0, or, for a
    metric that is compared by its ratio, the largest ratio that does not matter.

    Args:
        key: of the metric, with or without the prefix of the test split.
        given: bounds of a spec; the longest beginning of the key wins, and goes before DEFAULTS.

    Returns:
        None for a metric that has no bound: its values are never level.
    """
    bare, metric = bare_key(key), METRICS[key]
    for bounds in (given, DEFAULTS):
        if fitting := [start for start in bounds if bare.startswith(start)]:
            return None if metric.grid else bounds[max(fitting, key=len)]
    return DEFAULT_RATIO if metric.scale == "ratio" else None


def catalogue_rows() -> list[dict[str, str | float]]:
    """Return the default bounds for the form, as JSON."""
    return [
        {"key": key, "label": LABELS[key], "half_width": width} for key, width in DEFAULTS.items()
    ]


_LONGEST: Final = 100
"""Characters of a key that are looked at and shown."""


def practical_problems(given: object) -> list[Problem]:
    """Return the problems of a new spec's bounds with the metrics that they name.

    A stored spec is not checked: it may be of a version with other metrics. Bounds that are no
    numbers above 0 are the spec's own problems.
    """
    if not isinstance(given, Mapping):
        return []
    found = ((str(start), _problem(str(start), bound)) for start, bound in given.items())
    return [
        Problem(f"practical.{start[:_LONGEST]}", problem) for start, problem in found if problem
    ]


def _problem(start: str, bound: object) -> str:
    """Return what is wrong with one bound; empty if nothing is."""
    if start != bare_key(start):
        return "name the metric without its `test.`; the bound holds for every split"
    named = [metric for key, metric in METRICS.items() if start and key.startswith(start)]
    if not named:
        return _unknown(start)
    judged = [metric for metric in named if not metric.grid]
    if not judged:
        return "is counted in whole numbers and compared by its sign alone; leave its bound out"
    if len({metric.scale for metric in judged}) > 1:
        names = [_first_of(judged, scale) for scale in ("ratio", "difference")]
        return (
            f"names metrics that are compared by their ratio, such as {names[0]}, and others by "
            f"their difference, such as {names[1]}; give each its own bound"
        )
    return _bound_problem(judged, bound) if isinstance(bound, int | float) else ""


def _bound_problem(judged: Sequence[Metric], bound: float) -> str:
    seen = str(bound)[:20]
    if judged[0].scale == "ratio":
        example = "for example 1.25 for a quarter more or a fifth less"
        return "" if bound > 1 else f"is a ratio and must be above 1, {example}; got {seen}"
    for metric in judged:
        low, high = metric.bounds
        if low is not None and high is not None and bound >= high - low:
            example = "one per cent is 0.01; " if metric.bounds == SHARE else ""
            return (
                f"is at least the whole range of {metric.key}, {low:g} to {high:g}, so that "
                f"any two arms would count as level; {example}got {seen}"
            )
    return ""


def _first_of(metrics: Sequence[Metric], scale: str) -> str:
    return next(metric.key for metric in metrics if metric.scale == scale)


def _unknown(start: str) -> str:
    shown = start[:_LONGEST]
    known = {key for key in METRICS if key == bare_key(key)}
    families = {f"{key.partition('.')[0]}." for key in known}
    close = get_close_matches(shown, sorted(known | families), n=3)
    similar = f"did you mean {' or '.join(close)}? " if close else ""
    return f"names no metric; {similar}GET /catalogue lists them"
