"""The results as a table of texts: metrics by arms, with mean, spread and interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Mark = Literal["", "best", "ahead"]
"""best: its 95 % interval overlaps no other arm's; ahead: the best mean, but intervals overlap."""

TEST_PREFIX: Final = "test."
LAST_PREFIX: Final = "test.last."
"""Of the test split at the last epoch; with TEST_PREFIX alone at the best one."""
ZERO_LIMIT: Final = 1e-12
"""A smaller number is a 0 with a rounding error."""
CROSS_MODAL: Final = "Cross-modal retrieval"
"""Heading of cross-modal retrieval, the main result on data of two modalities; it comes first."""
FAMILIES: Final = {
    "geometry": "Geometry",
    "classification": "Classification",
    "retrieval": "Retrieval",
    "clustering": "Clustering",
    "detail": "Detail",
    "retrieval.audio_to_visual": CROSS_MODAL,
    "retrieval.visual_to_audio": CROSS_MODAL,
    "audio.geometry": "Geometry of the audio items",
    "visual.geometry": "Geometry of the visual items",
}
"""First part or first two parts of a metric's key -> heading above those metrics."""
REFERENCE_TITLES: Final = {"raw_backbone": "raw backbone", "chance": "chance"}
"""Field of a metric with a reference value -> title of its column."""


@dataclass(frozen=True)
class Cell:
    """The result of one arm in one metric, or the difference between two arms."""

    mean: str
    spread: str
    """Standard deviation, " ± sd"; "" with one seed."""
    interval: str
    """The 95 % interval of the mean; "" below three seeds."""
    count: int
    mark: Mark = ""
    note: str = ""
    """A further remark, shown in small print."""


@dataclass(frozen=True)
class Line:
    """One metric, with the results of all arms."""

    key: str
    label: str
    better: Literal["higher", "lower"] | None
    cells: tuple[Cell | None, ...]
    """One cell an arm, in the order of the arms; None where an arm has no value yet."""
    untrained: str = ""
    """The untrained encoder's value, the same for all arms of a seed."""
    references: Mapping[str, str] = field(default_factory=dict)
    """Known reference values by the titles of REFERENCE_TITLES."""
    difference: Cell | None = None
    """The first of two arms minus the second, paired by seed."""

    @property
    def family(self) -> str:
        """Heading above the metric; "" for none."""
        parts = self.key.removeprefix(LAST_PREFIX).removeprefix(TEST_PREFIX).split(".")
        return FAMILIES.get(".".join(parts[:2]), FAMILIES.get(parts[0], ""))


@dataclass(frozen=True)
class Section:
    """Metrics that were measured on the same data at the same time."""

    title: str
    lines: tuple[Line, ...]

    @property
    def has_untrained(self) -> bool:
        """Whether a line has a value of the untrained encoder."""
        return any(line.untrained for line in self.lines)

    @property
    def references(self) -> list[str]:
        """Titles of the reference columns that have a value."""
        return [
            title
            for title in REFERENCE_TITLES.values()
            if any(title in line.references for line in self.lines)
        ]

    @property
    def has_differences(self) -> bool:
        """Whether a line has a difference between two arms."""
        return any(line.difference for line in self.lines)


def result_sections(
    summary: Mapping[str, Any], arms: Sequence[str], whole_run: Sequence[str] = ()
) -> list[Section]:
    """Return the results in reading order: the test split first, if it was read.

    Args:
        summary: the API's summary of the comparison.
        arms: names of the arms in the spec's order.
        whole_run: keys of the metrics that have one value per run.
    """
    lines = [_line(metric, arms) for metric in summary["metrics"]]
    lines = [line for line in lines if any(line.cells)]
    groups: dict[str, list[Line]] = {
        "Test split, at the best validation epoch": [],
        "Test split, at the last epoch": [],
        "Validation split, last evaluation": [],
        "Training, whole run": [],
        "Training, mean of the last epoch": [],
    }
    best, end, validation, whole, last = groups.values()
    for line in lines:
        if line.key.startswith(LAST_PREFIX):
            end.append(line)
        elif line.key.startswith(TEST_PREFIX):
            best.append(line)
        elif line.key in whole_run:
            whole.append(line)
        elif line.key.startswith("dynamics."):
            last.append(line)
        else:
            validation.append(line)
    return [Section(title, _by_family(found)) for title, found in groups.items() if found]


def _by_family(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Sort lines by heading; the headings are in the order of their first lines."""
    order = list(dict.fromkeys([CROSS_MODAL, *(line.family for line in lines)]))
    return tuple(sorted(lines, key=lambda line: order.index(line.family)))


def _line(metric: Mapping[str, Any], arms: Sequence[str]) -> Line:
    by_arm = {
        row["arm"]: row
        for row in metric["arms"]
        if row["mean"] is not None or row.get("censored", 0)
    }
    known = {arm: row for arm, row in by_arm.items() if row["mean"] is not None}
    marks = _marks(known, metric["better"]) if len(known) == len(by_arm) else {}
    cells = tuple(_cell(by_arm[arm], marks.get(arm, "")) if arm in by_arm else None for arm in arms)
    untrained = next(
        (row["untrained"] for row in metric["arms"] if row.get("untrained") is not None), None
    )
    differences = metric.get("differences", ()) if len(arms) == 2 else ()
    return Line(
        metric["key"],
        _short_label(metric["label"]),
        metric["better"],
        cells,
        untrained="" if untrained is None else format_number(untrained),
        references={
            title: format_number(metric[name])
            for name, title in REFERENCE_TITLES.items()
            if metric.get(name) is not None
        },
        difference=_difference(differences[0]) if differences else None,
    )


def _short_label(label: str) -> str:
    """Return a metric's label without the words that its heading has."""
    bare = label.removesuffix(" (test)").removesuffix(" (test, last epoch)")
    return bare.removeprefix("Audio: ").removeprefix("Visual: ")


def _difference(row: Mapping[str, Any]) -> Cell:
    bounds = row["interval"]
    note = f"p = {format_number(row['p_value'])}"
    if row["smallest_p"] > 0:
        note += f", at least {format_number(row['smallest_p'])}"
    return Cell(
        mean=format_signed(row["mean_difference"]),
        spread="",
        interval=f"{format_signed(bounds[0])} … {format_signed(bounds[1])}" if bounds else "",
        count=row["n"],
        note=note,
    )


def _cell(row: Mapping[str, Any], mark: Mark) -> Cell:
    if row["mean"] is None:
        bound = max(value["value"] for value in row["values"] if value["censored"])
        missed = f"not reached in {row['censored']}"
        return Cell(
            mean=f"> {format_number(bound)}", spread="", interval="", count=row["n"], note=missed
        )
    several = row["n"] > 1 and row["sd"] is not None
    has_interval = several and row["low"] is not None and row["high"] is not None
    return Cell(
        mean=format_number(row["mean"]),
        spread=f" ± {format_number(row['sd'])}" if several else "",
        interval=f"{format_number(row['low'])} … {format_number(row['high'])}"
        if has_interval
        else "",
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
    apart = all(_are_separate(by_arm[first], by_arm[other]) for other in others)
    return {first: "best" if apart else "ahead"}


def _are_separate(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two 95 % intervals do not overlap; False without an interval."""
    bounds = (one["low"], one["high"], other["low"], other["high"])
    if None in bounds or one["n"] < 2 or other["n"] < 2:
        return False
    return bool(one["low"] > other["high"] or other["low"] > one["high"])


def format_number(value: float) -> str:
    """Format a number with three significant digits, four from 0.1 to 1."""
    size = abs(value)
    if size < ZERO_LIMIT:
        return "0"
    if size < 1e-4 or size >= 1e5:
        return f"{value:.2e}"
    digits = 4 if 0.1 <= size < 1 else 3
    return f"{value:.{digits}g}" if size < 1000 else f"{value:.0f}"


def format_signed(value: float) -> str:
    """Format a number as `format_number` does, with a sign; the minus is a real minus sign."""
    sign = "" if abs(value) < ZERO_LIMIT else "−" if value < 0 else "+"
    return f"{sign}{format_number(abs(value))}"
