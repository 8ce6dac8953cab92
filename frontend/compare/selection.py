"""The arms that are compared, as all parts of the page know them.

What the chosen arms are called: as short as it stays clear which is which; pure functions.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from frontend.api.client import SEPARATOR
from frontend.api.types import Arm, ArmTable
from frontend.ui.theme import ArmStyle, arm_styles

MAX_NAME_LENGTH: Final = 28
"""Characters of a comparison's name beyond which it is shortened."""


def arm_reference(arm: Arm) -> str:
    """How the address and the API name an arm."""
    return f"{arm['comparison']}{SEPARATOR}{arm['arm']}"


def arm_labels(arms: Sequence[Arm]) -> list[str]:
    """A name for each arm, no two alike.

    Its own where all are of one comparison; else after its comparison's, shortened where that
    leaves the comparisons apart, with an end of the id where they have one name.
    """
    names = {arm["comparison"]: arm["comparison_name"] for arm in arms}
    if len(names) <= 1:
        return [arm["arm"] for arm in arms]
    short = _distinct_names({one: _shorten(name) for one, name in names.items()}, names)
    return [f"{short[arm['comparison']]}: {arm['arm']}" for arm in arms]


def _distinct_names(short: dict[str, str], names: dict[str, str]) -> dict[str, str]:
    """Names by comparison: short if no other has the same, else whole, else with its id's end."""
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
    "retrieval.recall_at_1",
    "classification.knn_accuracy_5",
    "dynamics.loss",
)
"""What is shown as long as nothing else is chosen: the first of these that there are."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Selection:
    """The arms that are compared."""

    found: ArmTable
    """As the API tells them."""
    names: list[str]
    """What they are called, in their order."""
    metrics: Mapping[str, Row]
    """The catalogue's rows of the metrics that they have, by key."""

    @classmethod
    def from_api(cls, found: ArmTable, metrics: Sequence[Row]) -> "Selection":
        """The arms of an answer, with the catalogue's metrics."""
        own = {str(row["key"]): row for row in metrics if row["key"] in set(found["keys"])}
        return cls(found, arm_labels(found["arms"]), own)

    @property
    def references(self) -> list[str]:
        """How the API names them."""
        return [arm_reference(arm) for arm in self.found["arms"]]

    @property
    def styles(self) -> dict[str, ArmStyle]:
        """Their looks by name, in the order of their choice."""
        return arm_styles(self.names)

    @property
    def runs(self) -> int:
        """How many runs they have."""
        return sum(len(arm["runs"]) for arm in self.found["arms"])

    def label(self, key: str) -> str:
        """What a metric is called, with its unit and what way is better."""
        row = self.metrics[key]
        unit = f" ({row['unit']})" if row["unit"] else ""
        arrow = {"higher": " ↑", "lower": " ↓"}.get(row["better"] or "", "")
        return f"{row['label']}{unit}{arrow}"


def preferred_metric(keys: Sequence[str]) -> str:
    """The metric that is shown first, of those that there are."""
    return next((key for key in PREFERRED_METRICS if key in keys), keys[0])
