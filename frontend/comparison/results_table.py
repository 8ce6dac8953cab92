"""The results as a table of texts: metrics by arms, with mean, spread and interval."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from frontend.ui.numbers import (
    ZERO_LIMIT,
    format_number,
    format_signed,
    interval_text,
    is_rounding,
    shared_decimals,
    short_number,
)

Mark = Literal["", "best", "ahead"]
"""best: its 95 % interval overlaps no other arm's; ahead: the best mean, but intervals overlap, or
other arms have the same mean to the decimals shown."""

TEST_PREFIX: Final = "test."
LAST_PREFIX: Final = "test.last."
"""Of the test split at the last epoch; with TEST_PREFIX alone at the best one."""
CHARTED: Final = "test.dimension."
"""Of the metrics that are a chart, not rows of a table."""
CROSS_MODAL: Final = "Cross-modal retrieval"
"""Heading of cross-modal retrieval, the main result on data of two modalities; it comes first."""
FAMILIES: Final = {
    "geometry": "Geometry",
    "classification": "Classification",
    "retrieval": "Retrieval",
    "clustering": "Clustering",
    "detail": "Detail",
    "pairs": "Retrieval and scores of tuples",
    "verification": "Verification of pairs",
    "retrieval.audio_to_visual": CROSS_MODAL,
    "retrieval.visual_to_audio": CROSS_MODAL,
    "audio.geometry": "Geometry of the audio items",
    "visual.geometry": "Geometry of the visual items",
}
"""First part or first two parts of a metric's key -> heading above those metrics."""
REFERENCE_TITLES: Final = {"raw_backbone": "raw backbone", "chance": "chance"}
"""Field of a metric with a reference value -> title of its column."""


_ONE: Final = re.compile(r"1(\.0+)?")


@dataclass(frozen=True)
class Cell:
    """The result of one arm in one metric, or the difference between two arms."""

    mean: str
    spread: str
    """Standard deviation, " ± sd"; " (all seeds)" where all have the same value but for rounding;
    "" with one."""
    interval: str
    """The 95 % interval of the mean; "" below three seeds."""
    count: int
    mark: Mark = ""
    note: str = ""
    """More about the value, shown in small print."""


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
        parts = _bare(self.key).split(".")
        return FAMILIES.get(".".join(parts[:2]), FAMILIES.get(parts[0], ""))


@dataclass(frozen=True)
class Section:
    """Metrics that were measured on the same data at the same time."""

    title: str
    lines: tuple[Line, ...]
    folded: Mapping[str, str] = field(default_factory=dict)
    """Key of a metric that is left out, as it repeats another one -> a sentence that says so."""

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
    summary: Mapping[str, Any],
    arms: Sequence[str],
    whole_run: Sequence[str] = (),
    noun: str = "seed",
) -> list[Section]:
    """Return the results in reading order: the test split first, if it was read.

    Args:
        summary: the API's summary of the comparison.
        arms: names of the arms in the spec's order.
        whole_run: keys of the metrics that have one value per run.
        noun: what a replicate is called: seed, draw or split.
    """
    lines = [_line(metric, arms, noun) for metric in summary["metrics"]]
    lines = [line for line in lines if any(line.cells) and not line.key.startswith(CHARTED)]
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
    return [_section(title, found) for title, found in groups.items() if found]


def _section(title: str, lines: Sequence[Line]) -> Section:
    kept: list[Line] = []
    folded: dict[str, str] = {}
    for line in lines:
        repeated = _repeated(line, kept)
        if repeated:
            folded[line.key] = f"{line.label}: {repeated}."
        else:
            kept.append(line)
    return Section(title, _by_family(kept), folded)


def _repeated(line: Line, before: Sequence[Line]) -> str:
    """Return what a line of the geometry repeats; "" if it says something of its own.

    Unit vectors have the mean norm 1, and dividing by it changes nothing.
    """
    key = _bare(line.key)
    figures = [cell and (cell.mean, cell.spread, cell.count) for cell in line.cells]
    if key.endswith("geometry.mean_norm"):
        return "1 in every arm (unit vectors)" if all(map(_is_one, line.cells)) else ""
    if not key.endswith(".scale_free"):
        return ""
    for other in before:
        same = [cell and (cell.mean, cell.spread, cell.count) for cell in other.cells]
        if other.key == line.key.removesuffix(".scale_free") and same == figures:
            return f"the same values as {other.label}"
    return ""


def _is_one(cell: Cell | None) -> bool:
    return cell is not None and bool(_ONE.fullmatch(f"{cell.mean}{cell.spread.partition(' (')[0]}"))


def _bare(key: str) -> str:
    return key.removeprefix(LAST_PREFIX).removeprefix(TEST_PREFIX)


def _by_family(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Sort lines by heading; the headings are in the order of their first lines."""
    order = list(dict.fromkeys([CROSS_MODAL, *(line.family for line in lines)]))
    return tuple(sorted(lines, key=lambda line: order.index(line.family)))


def _line(metric: Mapping[str, Any], arms: Sequence[str], noun: str) -> Line:
    by_arm = {
        row["arm"]: row
        for row in metric["arms"]
        if row["mean"] is not None or row.get("censored", 0)
    }
    known = {arm: row for arm, row in by_arm.items() if row["mean"] is not None}
    spreads = [(_spread(row), row["mean"]) for row in known.values()]
    decimals = shared_decimals(
        [mean for _, mean in spreads],
        [None if sd is None or is_rounding(sd, mean) else sd for sd, mean in spreads],
    )
    marks = _marks(known, metric["better"], decimals) if len(known) == len(by_arm) else {}
    limit = {"higher": 1.0, "lower": 0.0}.get(metric["better"] or "")
    cells = tuple(
        _cell(by_arm[arm], marks.get(arm, ""), decimals, limit, noun) if arm in by_arm else None
        for arm in arms
    )
    untrained = next(
        (row["untrained"] for row in metric["arms"] if row.get("untrained") is not None), None
    )
    differences = metric.get("differences", ()) if len(arms) == 2 else ()
    return Line(
        metric["key"],
        _short_label(metric["label"]),
        metric["better"],
        cells,
        untrained="" if untrained is None else format_number(untrained, decimals),
        references={
            title: format_number(metric[name], decimals)
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
    note = f"p = {short_number(row['p_value'])}"
    if row["smallest_p"] >= 1:
        note = "one seed decides nothing"
    elif row["smallest_p"] > 0:
        note += f", least possible {short_number(row['smallest_p'])}"
    half_width = (bounds[1] - bounds[0]) / 2 if bounds else None
    decimals = shared_decimals([row["mean_difference"], *(bounds or ())], [half_width])
    return Cell(
        mean=format_signed(row["mean_difference"], decimals),
        spread="",
        interval=interval_text(bounds[0], bounds[1], signed=True) if bounds else "",
        count=row["n"],
        note=note,
    )


def _spread(row: Mapping[str, Any]) -> float | None:
    """Return the standard deviation over several replicates; None with one."""
    sd: float | None = row["sd"] if row["n"] > 1 else None
    return sd


def _cell(
    row: Mapping[str, Any], mark: Mark, decimals: int | None, limit: float | None, noun: str
) -> Cell:
    """Return the result of one arm.

    Args:
        row: of the API's summary.
        mark: whether it is the best.
        decimals: of the metric's row, as `format_number` takes them.
        limit: the best value that a share can have: 1, or 0 where lower is better.
        noun: what a replicate is called.
    """
    if row["mean"] is None:
        bound = max(value["value"] for value in row["values"] if value["censored"])
        missed = f"not reached in {row['censored']}"
        return Cell(
            mean=f"> {format_number(bound)}", spread="", interval="", count=row["n"], note=missed
        )
    mean = format_number(row["mean"], decimals)
    spread = _spread(row)
    if spread is None:
        return Cell(mean=mean, spread="", interval="", count=row["n"], mark=mark)
    if is_rounding(spread, row["mean"]):
        saturated = limit is not None and abs(row["mean"] - limit) < ZERO_LIMIT
        return Cell(
            mean=mean,
            spread=f" (all {noun}s)",
            interval="",
            count=row["n"],
            mark=mark,
            note="saturated" if saturated else "",
        )
    has_interval = row["low"] is not None and row["high"] is not None
    return Cell(
        mean=mean,
        spread=f" ± {format_number(spread, decimals)}",
        interval=f"{format_number(row['low'], decimals)} … {format_number(row['high'], decimals)}"
        if has_interval
        else "",
        count=row["n"],
        mark=mark,
    )


def _marks(
    by_arm: Mapping[str, Mapping[str, Any]], better: str | None, decimals: int | None
) -> dict[str, Mark]:
    """Return the marks by arm; arms whose means are the same as shown share the mark `ahead`."""
    if better is None or len(by_arm) < 2:
        return {}
    sign = 1 if better == "higher" else -1
    first, *others = sorted(by_arm, key=lambda arm: sign * by_arm[arm]["mean"], reverse=True)
    shown = {arm: format_number(row["mean"], decimals) for arm, row in by_arm.items()}
    ties = [arm for arm in by_arm if shown[arm] == shown[first]]
    if len(ties) == len(by_arm):
        return {}
    if len(ties) > 1:
        return dict.fromkeys(ties, "ahead")
    apart = all(_are_separate(by_arm[first], by_arm[other]) for other in others)
    return {first: "best" if apart else "ahead"}


def _are_separate(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two 95 % intervals do not overlap; False without an interval."""
    bounds = (one["low"], one["high"], other["low"], other["high"])
    if None in bounds or one["n"] < 2 or other["n"] < 2:
        return False
    return bool(one["low"] > other["high"] or other["low"] > one["high"])
