"""The table of comparisons: one row each, with its state, progress and submitter."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import Comparison, ComparisonPage, Ready, Run, Worker
from frontend.board.results import best_text, claims_legend, claims_text, metric_text
from frontend.comparison.tuning.texts import ENDED
from frontend.errors import MissingError
from frontend.ui.address import own_address
from frontend.ui.text import OPEN_STATES, STATE_TEXTS, duration

COLUMN_TITLES: Final = {
    "name": "Name",
    "state": "State",
    "progress": "Progress",
    "left": "Left",
    "best": "Best arm",
    "metric": "Main metric",
    "claims": "Claims",
    "arms": "Arms",
    "seeds": "Seeds",
    "data": "Data",
    "tags": "Tags",
    "created_by": "By",
    "created_at": "Submitted",
}
"""Columns in the table's order: name in addresses and saved views -> title."""
USUAL_COLUMNS: Final = tuple(COLUMN_TITLES)
"""What is shown unless columns are chosen."""


def comparisons_table(
    found: ComparisonPage, preparing: Mapping[str, str], columns: Sequence[str] = USUAL_COLUMNS
) -> list[Comparison]:
    """Draw one page of comparisons. Returns the selected ones.

    Args:
        found: the page.
        preparing: by id, what `preparation_texts` found; shown instead of the state.
        columns: names of the columns that are shown; the name always is.
    """
    comparisons = found["comparisons"]
    # A selection is the number of a row. Another list must be another table: else the selection,
    # and with it the button that deletes, would pass to the comparison that is now in that row.
    listed = "_".join(one["id"] for one in comparisons)
    event = st.dataframe(
        table_rows(comparisons, preparing),
        hide_index=True,
        width="stretch",
        key=f"comparisons_table_{listed}",
        on_select="rerun",
        selection_mode="multi-row",
        column_order=[
            title for name, title in COLUMN_TITLES.items() if name in columns or name == "name"
        ],
        column_config=_column_config(),
    )
    return [comparisons[row] for row in event["selection"]["rows"]]


def _column_config() -> dict[str, Any]:
    return {
        "Name": st.column_config.LinkColumn(display_text=r"#(.*)$", width=260, pinned=True),
        "State": st.column_config.TextColumn(width=125),
        "Progress": st.column_config.ProgressColumn(
            format="%.0f %%", min_value=0, max_value=100, width="small"
        ),
        "Left": st.column_config.TextColumn(width=60),
        "Best arm": st.column_config.TextColumn(
            width=215,
            help="The best mean of the main metric, over the runs that succeeded. "
            "It stands here when all runs have ended.",
        ),
        "Main metric": st.column_config.TextColumn(
            width=170, help="Mean ± standard deviation of the best arm over its runs."
        ),
        "Claims": st.column_config.TextColumn(
            width=130, help=f"The verdict's nine claims by word: {claims_legend()}."
        ),
        "Arms": st.column_config.ListColumn(width=190),
        "Seeds": st.column_config.NumberColumn(width=60),
        "Tags": st.column_config.ListColumn(width="small"),
        "By": st.column_config.TextColumn(width=90),
        "Submitted": st.column_config.DatetimeColumn(format="distance", width=110),
    }


def preparation_texts(client: Api, found: ComparisonPage) -> dict[str, str]:
    """Return the preparation text of each comparison that runs without a first step, by id.

    This costs one call each; there are never more such comparisons than workers.
    """
    texts = {}
    for comparison in found["comparisons"]:
        if comparison["state"] == "running" and not comparison["progress"]:
            with suppress(MissingError):  # it was deleted a moment ago
                runs = client.runs(comparison["id"], role="all")
                texts[comparison["id"]] = preparation_text(runs)
    return texts


def table_rows(
    comparisons: Iterable[Comparison], preparing: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Return the table's rows as values by column name.

    Args:
        comparisons: as the API lists them.
        preparing: by id, what `preparation_texts` found; shown instead of the state.
    """
    texts = preparing or {}
    return [
        {
            "Name": f"{own_address('/comparison')}?id={one['id']}#{quote(one['name'], safe='')}",
            "State": texts.get(one["id"]) or state_text(one),
            "Progress": 100 * one["progress"],
            "Left": duration(one["eta_s"]),
            "Best arm": best_text(one),
            "Main metric": metric_text(one),
            "Claims": claims_text(one),
            "Arms": one["arms"],
            "Seeds": len(one["seeds"]),
            "Data": one["data"],
            "Tags": one["tags"],
            "By": one["created_by"],
            "Submitted": datetime.fromisoformat(one["created_at"]),
        }
        for one in comparisons
    ]


def state_text(comparison: Comparison) -> str:
    """Return a comparison's state with a sign; of one that is tuned and runs also its phase."""
    if comparison["state"] != "running" or comparison["phase"] is None:
        return STATE_TEXTS[comparison["state"]]
    runs = comparison["trial_runs"] or {}
    if comparison["phase"] == "final":
        return "▶ final runs"
    done = sum(runs.get(state, 0) for state in ENDED)
    return f"▶ searching {done}/{sum(runs.values())}"


def preparation_text(runs: Iterable[Run]) -> str:
    """Return the state text of a comparison whose active runs are all being prepared, else ""."""
    running = [run["preparing"] for run in runs if run["state"] == "running"]
    known = [one for one in running if one]
    if not known or len(known) < len(running):
        return ""
    shares = [min(1.0, one["done"] / one["total"]) for one in known if one["total"]]
    return f"▷ preparing {100 * max(shares):.0f} %" if shares else "▷ preparing"


def has_open(comparisons: Iterable[Comparison]) -> bool:
    """Return whether any comparison is queued or running and so can still change."""
    return any(one["state"] in OPEN_STATES for one in comparisons)


def workers_line(workers: Sequence[Worker], ready: Ready) -> str:
    """Return how many worker slots there are and what they do; without any, what to do."""
    if ready["broker"] != "ok":
        return (
            "The queue does not answer. Runs wait, nothing is lost. Is `python -m launcher up` "
            "running, or the server that REDIS_URL names?"
        )
    counts = dict.fromkeys(("busy", "idle", "lost"), 0)
    for worker in workers:
        counts[worker["state"]] += 1
    alive = counts["busy"] + counts["idle"]
    lost = f", {counts['lost']} not seen recently" if counts["lost"] else ""
    if not alive:
        return f"No worker{lost}: runs wait. Start one with `python -m launcher up`."
    slots = "1 worker slot" if alive == 1 else f"{alive} worker slots"
    return f"{slots}: {counts['busy']} busy, {counts['idle']} idle{lost}"
