"""What the chosen arms are called: as short as it stays clear which is which; pure functions."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from frontend.api.arms import SEPARATOR
from frontend.api.arms_types import Arm

LONG: Final = 28
"""Characters of a comparison's name beyond which it is shortened."""


def reference(arm: Arm) -> str:
    """How the address and the API name an arm."""
    return f"{arm['comparison']}{SEPARATOR}{arm['arm']}"


def labels(arms: Sequence[Arm]) -> list[str]:
    """A name for each arm, no two alike.

    Its own where all are of one comparison; else after its comparison's, shortened where that
    leaves the comparisons apart, with an end of the id where they have one name.
    """
    names = {arm["comparison"]: arm["comparison_name"] for arm in arms}
    if len(names) <= 1:
        return [arm["arm"] for arm in arms]
    short = _apart({one: _shortened(name) for one, name in names.items()}, names)
    return [f"{short[arm['comparison']]}: {arm['arm']}" for arm in arms]


def _apart(short: dict[str, str], names: dict[str, str]) -> dict[str, str]:
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


def _shortened(name: str) -> str:
    return name if len(name) <= LONG else f"{name[: LONG - 1].rstrip()}…"
