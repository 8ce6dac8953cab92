"""The table of results: arms x metrics with mean, spread and interval; pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Mark = Literal["", "best", "ahead"]
"""best: its 95 % interval meets no other arm's; ahead: the best mean, but the intervals meet."""

TEST: Final = "test."


@dataclass(frozen=True)
class Cell:
    """One arm's result in one metric."""

    mean: str
    spread: str
    """" ± sd"; "" with one seed."""
    interval: str
    """The mean's 95 % interval; "" with one seed."""
    count: int
    mark: Mark = ""


@dataclass(frozen=True)
class Line:
    """One metric over all arms."""

    key: str
    label: str
    better: Literal["higher", "lower"] | None
    cells: tuple[Cell | None, ...]
    """In the order of the arms; None where an arm has no value yet."""


@dataclass(frozen=True)
class Section:
    """Metrics that were measured on the same data at the same time."""

    title: str
    lines: tuple[Line, ...]


def sections(summary: Mapping[str, Any], arms: Sequence[str]) -> list[Section]:
    """The results in reading order: the test split first, where it has been read."""
    lines = [_line(metric, arms) for metric in summary["metrics"]]
    lines = [line for line in lines if any(line.cells)]
    groups = {
        "Test split, read once at the best validation epoch": [
            line for line in lines if line.key.startswith(TEST)
        ],
        "Validation split, last evaluation": [
            line for line in lines if not line.key.startswith((TEST, "dynamics."))
        ],
        "Training dynamics, mean of the last epoch": [
            line for line in lines if line.key.startswith("dynamics.")
        ],
    }
    return [Section(title, tuple(found)) for title, found in groups.items() if found]


def _line(metric: Mapping[str, Any], arms: Sequence[str]) -> Line:
    by_arm = {row["arm"]: row for row in metric["arms"] if row["mean"] is not None}
    marks = _marks(by_arm, metric["better"])
    cells = tuple(_cell(by_arm[arm], marks.get(arm, "")) if arm in by_arm else None for arm in arms)
    label = metric["label"].removesuffix(" (test)")
    return Line(metric["key"], label, metric["better"], cells)


def _cell(row: Mapping[str, Any], mark: Mark) -> Cell:
    several = row["n"] > 1 and row["sd"] is not None
    has_interval = several and row["low"] is not None and row["high"] is not None
    return Cell(
        mean=figure(row["mean"]),
        spread=f" ± {figure(row['sd'])}" if several else "",
        interval=f"{figure(row['low'])} … {figure(row['high'])}" if has_interval else "",
        count=row["n"],
        mark=mark,
    )


def _marks(by_arm: Mapping[str, Mapping[str, Any]], better: str | None) -> dict[str, Mark]:
    if better is None or len(by_arm) < 2:
        return {}
    sign = 1 if better == "higher" else -1
    first, *others = sorted(by_arm, key=lambda arm: sign * by_arm[arm]["mean"], reverse=True)
    if by_arm[first]["mean"] == by_arm[others[0]]["mean"]:
        return {}
    apart = all(_apart(by_arm[first], by_arm[other]) for other in others)
    return {first: "best" if apart else "ahead"}


def _apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two 95 % intervals do not meet; without an interval nothing is told apart."""
    bounds = (one["low"], one["high"], other["low"], other["high"])
    if None in bounds or one["n"] < 2 or other["n"] < 2:
        return False
    return bool(one["low"] > other["high"] or other["low"] > one["high"])


def figure(value: float) -> str:
    """A number to three significant digits, as short as it stays exact to read."""
    size = abs(value)
    if size and (size < 1e-3 or size >= 1e5):
        return f"{value:.2e}"
    digits = 4 if 0.1 <= size < 1 else 3
    return f"{value:.{digits}g}" if size < 1000 else f"{value:.0f}"
