"""The selected arms with their labels and metrics, as all sections of the page use them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from frontend.api.client import SEPARATOR
from frontend.api.types import Arm, ArmTable
from frontend.ui.theme import ArmStyle, arm_styles

MAX_NAME_LENGTH: Final = 28
"""Longer names of comparisons are shortened to so many characters."""


def arm_reference(arm: Arm) -> str:
    """Return the reference by which the address and the API name an arm."""
    return f"{arm['comparison']}{SEPARATOR}{arm['arm']}"


def arm_labels(arms: Sequence[Arm]) -> list[str]:
    """Return a label for each arm, all different.

    Arms of one comparison are labelled by their names. Else the comparison's name comes first: in
    short if the short names differ, and with the end of its id if even the full names are equal.
    """
    names = {arm["comparison"]: arm["comparison_name"] for arm in arms}
    if len(names) <= 1:
        return [arm["arm"] for arm in arms]
    short = _distinct_names({one: _shorten(name) for one, name in names.items()}, names)
    return [f"{short[arm['comparison']]}: {arm['arm']}" for arm in arms]


def _distinct_names(short: dict[str, str], names: dict[str, str]) -> dict[str, str]:
    """Return names by comparison: short if unique, else full if unique, else with the id's end."""
    shorts, wholes = Counter(short.values()), Counter(names.values())
    return {
        one: short[one]
        if shorts[short[one]] == 1
        else name
        if wholes[name] == 1
        else f"{short[one]} ({one[-4:]})"
        for one, name in names.items()
    }


def _shorten(name: str) -> str:
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 1].rstrip()}…"


PREFERRED_METRICS: Final = (
    "retrieval.map_at_r",
    "pairs.mrr",
    "pairs.spearman",
    "retrieval.recall_at_1",
    "classification.knn_accuracy_5",
    "dynamics.loss",
)
"""Metrics that are shown first, in order of preference."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Selection:
    """The selected arms."""

    found: ArmTable
    """The arms as the API gives them."""
    names: list[str]
    """Labels of the arms, in their order."""
    metrics: Mapping[str, Row]
    """The catalogue's rows of the metrics that the arms have, by key."""

    @classmethod
    def from_api(cls, found: ArmTable, metrics: Sequence[Row]) -> "Selection":
        """Build a selection from an answer of the API and the catalogue's metrics."""
        known = {str(row["key"]): row for row in metrics if row["key"] in set(found["keys"])}
        return cls(found, arm_labels(found["arms"]), known)

    @property
    def references(self) -> list[str]:
        """References of the arms."""
        return [arm_reference(arm) for arm in self.found["arms"]]

    @property
    def styles(self) -> dict[str, ArmStyle]:
        """Styles by label, in the order of the arms."""
        return arm_styles(self.names)

    @property
    def runs(self) -> int:
        """Number of runs of all arms."""
        return sum(len(arm["runs"]) for arm in self.found["arms"])

    def label(self, key: str) -> str:
        """Return a metric's label with its unit and an arrow for the better direction."""
        row = self.metrics[key]
        unit = f" ({row['unit']})" if row["unit"] else ""
        arrow = {"higher": " ↑", "lower": " ↓"}.get(row["better"] or "", "")
        return f"{row['label']}{unit}{arrow}"


def preferred_metric(keys: Sequence[str]) -> str:
    """Return the metric that is shown first, of these keys."""
    return next((key for key in PREFERRED_METRICS if key in keys), keys[0])
