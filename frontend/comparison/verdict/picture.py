"""The forest plot as a saved picture: the button on the page, and what the browser draws."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import streamlit as st

from frontend.comparison.verdict.figures import (
    MIN_REPLICATES,
    bounds,
    count_text,
    difference_text,
    interval_text,
    noun,
    plain,
    robust_rows,
    row_label,
    simultaneous,
)
from frontend.comparison.verdict.forest import end_text, span_of
from frontend.comparison.verdict.words import WORDS
from frontend.ui.assets import LIVE_FOLDER, SAVE_STYLE, Assets
from frontend.ui.theme import ArmStyle

Json = Mapping[str, Any]

_ASSETS: Final = Assets.load()
_component = st.components.v2.component(
    "lossboard_forest",
    js=(LIVE_FOLDER / "js" / "loader.js").read_text(encoding="utf-8"),
    css="\n".join(
        path.read_text(encoding="utf-8") for path in (LIVE_FOLDER / "chart.css", SAVE_STYLE)
    ),
    isolate_styles=False,
)


def mount_forest(verdict: Json, styles: Mapping[str, ArmStyle], comparison: str) -> None:
    """Put the button that saves the plot."""
    main = _ASSETS.module_url("forest.js", "pictures")
    _component(key="forest", data={"main": main, **forest_data(verdict, styles, comparison)})


def forest_data(verdict: Json, styles: Mapping[str, ArmStyle], comparison: str) -> dict[str, Any]:
    """Return what the picture shows.

    Args:
        verdict: the API's verdict, with arms.
        styles: styles of the arms by name.
        comparison: its name.
    """
    arms, kind = verdict["arms"], noun(verdict)
    return {
        "comparison": comparison,
        "noun": kind,
        "over": verdict["replicates"]["said"],
        **{key: {"name": arms[key], **asdict(styles[arms[key]])} for key in ("a", "b")},
        "claims": [
            {
                "id": claim["id"],
                "text": claim["text"],
                "word": claim["verdict"],
                "said": WORDS[claim["verdict"]].text,
                "rows": [_row(row, kind) for row in robust_rows(claim)],
            }
            for claim in verdict["claims"]
        ],
    }


def _row(row: Json, kind: str) -> dict[str, Any]:
    measured = row["mean_difference"] is not None
    few = row["n"] < MIN_REPLICATES
    return {
        "label": row_label(row),
        "word": row["verdict"],
        "expected": row["expected"],
        "difference": row["mean_difference"],
        "differences": list(row["differences"]),
        "bounds": bounds(row),
        "wide": None if few else simultaneous(row),
        "narrow": None if few else plain(row),
        "few": few,
        "span": span_of(row) if measured else 1.0,
        "end": end_text(span_of(row)) if measured else "",
        "mean": difference_text(row) if measured else "",
        "small": _small(row, kind) if measured else "not measured",
    }


def _small(row: Json, kind: str) -> str:
    """Return what stands below the mean difference: the interval that decides, or why none is."""
    if row["n"] < MIN_REPLICATES:
        return f"{count_text(row['n'], kind)}, no interval"
    ends = simultaneous(row) or plain(row)
    return interval_text(ends) if ends else f"sign test, {count_text(row['n'], kind)}"
