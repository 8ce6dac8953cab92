"""Tables of docs/FINDINGS.md that set data sets side by side: what the margin, the split and the
balance of pull and push move, and how all losses rank."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.findings_data import Case
from benchmarks.findings_specs import CONTRASTIVE, MARGINS, PROTOCOLS, TRIPLET, Part, margin_arms
from benchmarks.findings_tables import figure, said

Json = Mapping[str, Any]

RETRIEVAL, DETAIL = 8, 9
"""Claims of the verdict: triplet retrieves better; triplet retains more detail."""
DETAIL_KEY: Final = "test.detail.recall_at_1"
PRACTICAL: Final = 0.01
"""Half-width of the differences that do not matter."""
NOT_RUN: Final = "not run"
_WINNERS: Final = {
    "supported": TRIPLET,
    "contradicted": CONTRASTIVE,
    "leaning_for": f"leaning to {TRIPLET}",
    "leaning_against": f"leaning to {CONTRASTIVE}",
}


@dataclass(frozen=True)
class Measured:
    """What the comparisons of one data set gave, by what each is about; parts may be missing."""

    case: Case
    verdicts: Mapping[Part, Json]
    """Of contrastive against triplet loss."""
    summaries: Mapping[Part, Json]
    leaderboards: Mapping[Part, Json]


@dataclass(frozen=True)
class Differences:
    """Contrastive minus triplet, run by run."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the runs."""
        return statistics.fmean(self.values)

    @property
    def text(self) -> str:
        """The mean, with the standard deviation."""
        spread = f" ± {figure(statistics.stdev(self.values))}" if len(self.values) > 1 else ""
        return f"{self.mean:+.3f}{spread}"


def differences(summary: Json, key: str, a: str, b: str) -> Differences | None:
    """Return the differences of two arms in a metric, paired by seed; None if no pair has both."""
    [arms] = [row["arms"] for row in summary["metrics"] if row["key"] == key] or [[]]
    by_arm = {
        arm["arm"]: {one["seed"]: one["value"] for one in arm["values"] if one["value"] is not None}
        for arm in arms
    }
    ours, theirs = by_arm.get(a, {}), by_arm.get(b, {})
    values = tuple(ours[seed] - theirs[seed] for seed in ours if seed in theirs)
    return Differences(values) if values else None


def headline(found: Iterable[Measured]) -> list[str]:
    """Return one row a data set: who is ahead, and what moves it."""
    return [
        "| data | retrieval at margin 1 | at equal budget | detail at margin 1 | at equal budget "
        "| the margin alone | the split alone | the balance alone |",
        "|--|--|--|--|--|--|--|--|",
        *(f"| {' | '.join(_headline(one))} |" for one in found),
    ]


def _headline(one: Measured) -> list[str]:
    key = one.case.metric
    return [
        one.case.title,
        _word(one.verdicts.get("one margin"), RETRIEVAL),
        _word(one.verdicts.get("equal budget"), RETRIEVAL),
        _word(one.verdicts.get("one margin"), DETAIL) if one.case.detail else "",
        _word(one.verdicts.get("equal budget"), DETAIL) if one.case.detail else "",
        _range([by.mean for _, by in by_margin(one.summaries.get("margins"), key)]),
        _range(_of_splits(one)) if one.case.splits else "fixed",
        _range([by.mean for _, by in by_balance(one.summaries.get("balance"), key)]),
    ]


def _of_splits(one: Measured) -> Sequence[float]:
    summary = one.summaries.get("splits")
    own = summary and differences(summary, one.case.metric, CONTRASTIVE, TRIPLET)
    return own.values if own else ()


def _word(verdict: Json | None, claim: int) -> str:
    if verdict is None:
        return NOT_RUN
    word = next(one["verdict"] for one in verdict["claims"] if one["id"] == claim)
    return _WINNERS.get(word, said(word))


def _range(values: Sequence[float]) -> str:
    """Return the smallest and the largest difference; bold where each side is ahead by more than
    what does not matter."""
    if not values:
        return NOT_RUN
    low, high = min(values), max(values)
    text = f"{low:+.3f} to {high:+.3f}"
    return f"**{text}**" if low < -PRACTICAL and high > PRACTICAL else text


def by_margin(summary: Json | None, key: str) -> list[tuple[str, Differences]]:
    """Return the differences at each margin."""
    return _pairs(summary, key, {f"margin {m:g}": margin_arms(m) for m in MARGINS})


def by_balance(summary: Json | None, key: str) -> list[tuple[str, Differences]]:
    """Return the differences under each protocol."""
    return _pairs(summary, key, PROTOCOLS)


def _pairs(
    summary: Json | None, key: str, pairs: Mapping[str, tuple[str, str]]
) -> list[tuple[str, Differences]]:
    if summary is None:
        return []
    found = ((name, differences(summary, key, a, b)) for name, (a, b) in pairs.items())
    return [(name, own) for name, own in found if own is not None]


def moves_table(one: Measured) -> list[str]:
    """Return what each change alone does to contrastive minus triplet."""
    keys = [one.case.metric, *([DETAIL_KEY] if one.case.detail else [])]
    rows: dict[str, list[str]] = {}
    for key in keys:
        for name, own in (
            *by_margin(one.summaries.get("margins"), key),
            *by_balance(one.summaries.get("balance"), key),
            *_tuned_row(one, key),
        ):
            rows.setdefault(name, []).append(own.text)
        for name, own in _splits_row(one, key):
            ahead = sum(value > 0 for value in own.values)
            text = f"{own.text}, above 0 in {ahead}"
            rows.setdefault(name, []).append(text)
    lines = [
        f"| contrastive minus triplet | {' | '.join(f'`{key}`' for key in keys)} |",
        f"|--|{'--|' * len(keys)}",
    ]
    return [*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())]


def _splits_row(one: Measured, key: str) -> list[tuple[str, Differences]]:
    summary = one.summaries.get("splits")
    own = summary and differences(summary, key, CONTRASTIVE, TRIPLET)
    return [(f"{len(own.values)} splits, margin 1", own)] if own else []


def _tuned_row(one: Measured, key: str) -> list[tuple[str, Differences]]:
    summary = one.summaries.get("equal budget")
    own = summary and differences(summary, key, CONTRASTIVE, TRIPLET)
    return [(f"each the best of {one.case.trials} trials", own)] if own else []


def losses_table(one: Measured) -> list[str]:
    """Return how all losses rank, at one margin and at equal budget."""
    keys = [one.case.metric, *([DETAIL_KEY] if one.case.detail else [])]
    parts: tuple[Part, ...] = ("one margin", "equal budget")
    columns = [(key, part) for key in keys for part in parts if part in one.leaderboards]
    heads = [f"{_short(key)}, {part}" for key, part in columns]
    cells: dict[str, list[str]] = {}
    for at, (key, part) in enumerate(columns):
        metric: Json = next(
            (row for row in one.leaderboards[part]["metrics"] if row["key"] == key), {"arms": []}
        )
        for arm in metric["arms"]:
            spread = "" if arm["sd"] is None else f" ± {figure(arm['sd'])}"
            value = "" if arm["mean"] is None else f"{arm['mean']:.3f}{spread} {arm['letters']}"
            row = cells.setdefault(arm["arm"], [NOT_RUN] * len(columns))
            row[at] = value.strip() or arm["state"]
    references = [_references(one.leaderboards[part], key) for key, part in columns]
    return [
        f"| loss | {' | '.join(heads)} |",
        f"|--|{'--|' * len(heads)}",
        *(f"| {arm} | {' | '.join(row)} |" for arm, row in cells.items()),
        f"| *no training* | {' | '.join(references)} |",
    ]


def _short(key: str) -> str:
    return {
        "test.retrieval.map_at_r": "MAP@R",
        "test.retrieval.audio_to_visual.map": "MAP, sound to image",
        DETAIL_KEY: "detail",
    }[key]


def _references(board: Json, key: str) -> str:
    row = next((one for one in board["metrics"] if one["key"] == key), None)
    if row is None:
        return ""
    named = {"untrained": "untrained network", "raw_backbone": "raw backbone", "chance": "chance"}
    known = [f"{text} {row[name]:.3f}" for name, text in named.items() if row[name] is not None]
    return ", ".join(known)
