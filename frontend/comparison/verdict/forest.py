"""The forest plot: one line for each metric of a claim, zero in the middle of all of them.

It is made of plain HTML elements, because Streamlit removes SVG. Every line has a scale of its own,
with its ends printed: metrics have different units, and in one scale the largest would flatten all
others.
"""

import math
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from frontend.comparison.verdict.figures import (
    MIN_REPLICATES,
    bounds,
    bounds_text,
    difference_text,
    interval_text,
    plain,
    row_label,
    simultaneous,
)
from frontend.comparison.verdict.words import WORDS
from frontend.ui.numbers import ZERO_LIMIT, format_number

Json = Mapping[str, Any]

HALF_WIDTH: Final = 48.0
"""Distance from zero, in the middle, to the end of the scale, in per cent of the width."""
ROOM_AROUND_BOUNDS: Final = 1.25
"""The scale reaches at least so many times as far as the practical bounds, which so are seen."""
LEVELS: Final = (28, 50, 72)
"""Heights of the small dots in per cent, by turns, so that equal differences stay apart."""


def span_of(row: Json) -> float:
    """Return the end of a row's scale, rounded up to two digits; 1 where all is 0."""
    values: list[float] = [row["mean_difference"], *row["differences"]]
    for ends in (plain(row), simultaneous(row)):
        values += ends or ()
    values += [ROOM_AROUND_BOUNDS * end for end in bounds(row) or ()]
    largest = max(abs(value) for value in values)
    if largest < ZERO_LIMIT or not math.isfinite(largest):
        return 1.0
    unit = 10.0 ** (math.floor(math.log10(largest)) - 1)
    return math.ceil(largest / unit - 1e-9) * unit


def track_html(row: Json, arms: Json, noun: str = "seed") -> str:
    """Return the picture of one difference, with a sentence for those who do not see it.

    Args:
        row: the figures of a metric.
        arms: names of the arms, a and b.
        noun: what a small dot is: seed, draw or split.

    Returns:
        HTML; "" where there is no difference.
    """
    difference = row["mean_difference"]
    if difference is None:
        return ""
    span, seeds = span_of(row), row["differences"]

    def at(value: float) -> float:
        return 50 + HALF_WIDTH * min(1.0, max(-1.0, value / span))

    def stretch(kind: str, ends: tuple[float, float] | None) -> str:
        if ends is None:
            return ""
        left, right = at(ends[0]), at(ends[1])
        return f"<i class='{kind}' style='left: {left:.1f}%; width: {right - left:.1f}%'></i>"

    few = row["n"] < MIN_REPLICATES
    wide, narrow = (None, None) if few else (simultaneous(row), plain(row))
    dots = "".join(
        f"<i class='lb-seed' style='left: {at(value):.1f}%; top: {LEVELS[place % 3]}%'></i>"
        for place, value in enumerate(seeds)
    )
    mean = "" if few and seeds else f"<i class='lb-dot' style='left: {at(difference):.1f}%'></i>"
    side = "right" if row["expected"] == "greater" else "left"
    said = escape(_sentence(row, arms, noun), quote=True)
    return (
        f"<span class='lb-track lb-is-{row['verdict']}' role='img' aria-label='{said}' "
        f"title='{said}'>"
        f"<small>−{end_text(span)}</small><span class='lb-scale'>"
        f"<i class='lb-claimed lb-{side}'></i>{stretch('lb-bounds', bounds(row))}"
        f"<i class='lb-zero'></i>{stretch('lb-wide', wide)}{stretch('lb-narrow', narrow)}"
        f"{dots}{mean}</span><small>+{end_text(span)}</small></span>"
    )


def end_text(span: float) -> str:
    """Return the end of a scale, which has two digits, in few characters."""
    return f"{span:.2g}" if span < 100 else format_number(span)


def _sentence(row: Json, arms: Json, noun: str) -> str:
    """Return all that the picture of a row shows, in words."""
    parts = [f"{row_label(row)}: {arms['a']} minus {arms['b']} {difference_text(row)}"]
    if row["n"] >= MIN_REPLICATES:
        if ends := simultaneous(row):
            parts.append(f"simultaneous interval {interval_text(ends)}")
        if ends := plain(row):
            parts.append(f"95 % interval {interval_text(ends)}")
    if ends := bounds(row):
        parts.append(f"practical bounds {bounds_text(row)}")
    claimed = "above" if row["expected"] == "greater" else "below"
    count = f"{row['n']} {noun}{'' if row['n'] == 1 else 's'}"
    parts += [count, f"claimed: {claimed} 0", WORDS[row["verdict"]].text.lower()]
    return "; ".join(parts)


def legend_html(noun: str) -> str:
    """Return what each mark of the plot means."""
    marks = (
        ("<i class='lb-seed'></i>", f"one {noun}'s difference"),
        ("<i class='lb-dot'></i>", "their mean"),
        ("<i class='lb-wide'></i>", "simultaneous interval, which decides"),
        ("<i class='lb-narrow'></i>", "95 % interval"),
        ("<i class='lb-bounds'></i>", "practical bounds: within them, level"),
        ("<i class='lb-claimed'></i>", "the claimed side"),
    )
    shown = "".join(
        f"<span><span class='lb-scale lb-sign' aria-hidden='true'>{mark}</span>{text}</span>"
        for mark, text in marks
    )
    return (
        f"<p class='lb-marks'>{shown}<span>Every line has its own scale; its ends are printed."
        "</span></p>"
    )
