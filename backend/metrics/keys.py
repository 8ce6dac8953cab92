"""Which keys of metrics there are: by how they are measured, and for calls that ask for some."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Final

from fastapi.exceptions import RequestValidationError

from contract.metrics import BACKBONE_PREFIX, CHANCE_PREFIX, METRICS, TEST_LAST_PREFIX

EPOCH_MEANS: Final = (
    "dynamics.loss",
    "dynamics.active_ratio",
    "dynamics.gradient_norm",
    "dynamics.gradient_norm.per_active",
)
"""Keys whose value is the mean of the last epoch, as single steps are too noisy."""

RUNNING_COUNTS: Final = ("dynamics.empty_steps", "dynamics.invalid_steps")
"""Keys that count up from the first step: the last value holds for the whole run."""

EVALUATED: Final = tuple(
    key for key, metric in METRICS.items() if not metric.per_step and not metric.summary_only
)
"""Keys of the metrics that are measured on held-out data."""

REFERENCES: Final = tuple(
    f"{prefix}{key}"
    for prefix in (BACKBONE_PREFIX, CHANCE_PREFIX)
    for key in EVALUATED
    if not key.startswith(TEST_LAST_PREFIX)  # they do not depend on an epoch
)
"""Keys of reference values, with their prefix."""

SERIES_KEYS: Final = frozenset([*METRICS, *REFERENCES])
"""The keys of all series that this version's workers write."""
LONGEST_KEY: Final = 80
"""Characters that an error shows of a key, as callers write it."""


def check_keys(
    asked: Iterable[str],
    *,
    known: Collection[str] = METRICS,
    what: str = "metric",
    field: str = "key",
) -> None:
    """Check that these metrics exist.

    Args:
        asked: the keys.
        known: the keys that there are.
        what: what they are keys of.
        field: the query's field that has them.

    Raises:
        RequestValidationError: some do not exist; it names each of them, and similar ones.
    """
    wrong = [key for key in dict.fromkeys(asked) if key not in known]
    if wrong:
        raise RequestValidationError(
            [
                {"type": "value_error", "loc": ("query", field), "msg": _message(key, known, what)}
                for key in wrong
            ]
        )


def _message(key: str, known: Collection[str], what: str) -> str:
    shown = key[:LONGEST_KEY]
    close = get_close_matches(shown, known, n=3)
    similar = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    return f"there is no {what} {shown!r}; {similar}GET /catalogue lists them"
