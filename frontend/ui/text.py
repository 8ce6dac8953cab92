"""The board's table: one row a comparison, as plain values; pure functions."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from frontend.api.types import Comparison, Ready, Run, Worker

STATES: Final = {
    "queued": "◌ queued",
    "running": "▶ running",
    "succeeded": "✓ succeeded",
    "failed": "✕ failed",
    "cancelled": "◼ cancelled",
}
"""A sign and a word for each state: colour alone tells nobody."""

OPEN: Final = ("queued", "running")
"""States in which something still changes."""


def rows(
    comparisons: Iterable[Comparison], preparing: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """The table's rows, by column name.

    Args:
        comparisons: as the API lists them.
        preparing: what `preparation` says of those that have not come to their first step.
    """
    ahead = preparing or {}
    return [
        {
            "Name": f"/comparison?id={one['id']}#{quote(one['name'], safe='')}",
            "State": ahead.get(one["id"]) or STATES[one["state"]],
            "Progress": 100 * one["progress"],
            "Left": duration(one["eta_s"]),
            "Arms": one["arms"],
            "Seeds": len(one["seeds"]),
            "Data": one["data"],
            "Tags": one["tags"],
            "By": one["created_by"],
            "Submitted": datetime.fromisoformat(one["created_at"]),
        }
        for one in comparisons
    ]


def any_open(comparisons: Iterable[Comparison]) -> bool:
    """Whether something is queued or running, so that looking again is worth it."""
    return any(one["state"] in OPEN for one in comparisons)


def preparation(runs: Iterable[Run]) -> str:
    """What stands for the state of a comparison whose runs are only being prepared; "" for one that
    is beyond that."""
    running = [run["preparing"] for run in runs if run["state"] == "running"]
    known = [one for one in running if one]
    if not known or len(known) < len(running):
        return ""
    shares = [min(1.0, one["done"] / one["total"]) for one in known if one["total"]]
    return f"▷ preparing {100 * max(shares):.0f} %" if shares else "▷ preparing"


def duration(seconds: float | None) -> str:
    """A time to wait in one unit; empty where unknown."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def workers_line(workers: Sequence[Worker], ready: Ready) -> str:
    """How many slots there are and what they do; what to do where nothing can be worked on."""
    if ready["broker"] != "ok":
        return (
            "The queue does not answer: runs wait, and nothing is lost. Is `python -m launcher up` "
            "running, or the server that REDIS_URL names?"
        )
    counts = dict.fromkeys(("busy", "idle", "lost"), 0)
    for worker in workers:
        counts[worker["state"]] += 1
    alive = counts["busy"] + counts["idle"]
    lost = f", {counts['lost']} not seen lately" if counts["lost"] else ""
    if not alive:
        return f"No worker{lost}: what is submitted waits. Start one with `python -m launcher up`."
    slots = "1 worker slot" if alive == 1 else f"{alive} worker slots"
    return f"{slots}: {counts['busy']} busy, {counts['idle']} idle{lost}"


def verbatim(text: str) -> str:
    """Markdown that shows a text as it is."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def pages(total: int, page_size: int) -> int:
    """How many pages a list has; at least one."""
    return max(1, -(-total // page_size))
