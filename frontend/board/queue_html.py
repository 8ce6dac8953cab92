"""The queue in words and HTML; pure functions, every text escaped."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from typing import Final

from frontend.api.types import Queue, QueueSlot, Waiting
from frontend.ui.text import duration

SIGNS: Final = {"busy": "▶", "idle": "○", "lost": "✕"}
WORDS: Final = {"busy": "busy", "idle": "idle", "lost": "not seen lately"}
DEVICES: Final = {"cpu": "CPU", "cuda": "GPU"}


def headline(queue: Queue) -> str:
    """What runs, what waits and how long that takes, in one line."""
    parts = [
        f"{_runs(queue['running_total'])} under way",
        f"{queue['waiting_total']:,} waiting" if queue["waiting_total"] else "nothing waits",
        devices(queue["devices"]),
    ]
    if queue["eta_s"] is not None:
        parts.append(f"all done in about {duration(queue['eta_s'])}")
    elif queue["waiting_total"] and queue["devices"]:
        parts.append("how long it takes shows once each comparison has a run under way")
    return " · ".join(parts)


def devices(alive: Mapping[str, int]) -> str:
    """Living slots by device."""
    if not alive:
        return "no worker"
    listed = [
        f"{count} {DEVICES.get(device, device)} slot{'' if count == 1 else 's'}"
        for device, count in sorted(alive.items())
    ]
    return ", ".join(listed)


def nothing(queue: Queue) -> tuple[str, str]:
    """What to say where nothing waits: a heading and a sentence."""
    idle = sum(worker["state"] == "idle" for worker in queue["workers"])
    slots = f"{idle} slot{'' if idle == 1 else 's'} idle"
    if idle:
        return f"Nothing waits, {slots}", "What you submit now starts at once."
    if queue["running_total"]:
        return "Nothing waits", "What you submit now starts when a slot is done with its run."
    return "Nothing waits", "And no worker is there that could start what you submit."


def slot(worker: QueueSlot) -> str:
    """A worker slot: its name and device, and how far its run is."""
    state = worker["state"]
    seen = f", last {duration(worker['seen_s_ago'])} ago" if state == "lost" else ""
    head = (
        f"<p><b class='lb-slot-{state}'><i aria-hidden='true'>{SIGNS[state]}</i> {WORDS[state]}"
        f"{seen}</b><span title='{escape(worker['host'], quote=True)}'>{escape(worker['name'])}"
        f"</span><em>{escape(DEVICES.get(worker['device'], worker['device']))}</em></p>"
    )
    return f"<div class='lb-slot'>{head}{_work(worker) if worker['comparison'] else ''}</div>"


def groups(waiting: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    """Runs of one comparison that wait behind one another, in the queue's order."""
    for _, rows in groupby(waiting, key=lambda row: row["comparison"]):
        yield list(rows)


def heading(rows: Sequence[Waiting], now: datetime) -> str:
    """Of how many runs a group is, whose they are, and since when they wait."""
    first = rows[0]
    since = _ago(first["since"], now)
    return f"{_runs(len(rows))} · by {first['created_by']} · submitted {since}"


def row(waiting: Waiting, alive: Mapping[str, int]) -> str:
    """A run that waits: its place, arm and seed, and when it begins."""
    return (
        f"<div class='lb-waits'><b>{waiting['position']:,}</b>"
        f"<span>{escape(waiting['arm'])}</span><small>seed {waiting['seed']}"
        f"{_begins(waiting, alive)}</small></div>"
    )


def _begins(waiting: Waiting, alive: Mapping[str, int]) -> str:
    device = DEVICES.get(waiting["wants"])
    if device and waiting["wants"] not in alive:
        return f" · waits for a {device} slot, and none is there"
    if waiting["starts_in_s"] is None:
        return ""
    return f" · begins in about {duration(waiting['starts_in_s'])}"


def _work(worker: QueueSlot) -> str:
    preparing = worker["preparing"]
    if preparing:
        total = preparing["total"]
        share = min(1.0, preparing["done"] / total) if total else 0.0
        text, left = f"preparing: {preparing['what']}", preparing["eta_s"]
    else:
        share, left = worker["progress"] or 0.0, worker["eta_s"]
        text = f"{100 * share:.0f} %"
    rest = f" · {duration(left)} left" if left is not None else ""
    return (
        f"<p><span>{escape(worker['arm'] or '')}</span><small>seed {worker['seed']}"
        f" · by {escape(worker['created_by'] or '')}</small></p>"
        f"<div class='lb-share' role='progressbar' aria-valuemin='0' aria-valuemax='100' "
        f"aria-valuenow='{100 * share:.0f}'><i style='width: {100 * share:.1f}%'></i></div>"
        f"<p><small>{escape(text)}{rest}</small></p>"
    )


def _runs(count: int) -> str:
    return f"{count:,} run" if count == 1 else f"{count:,} runs"


def _ago(iso: str, now: datetime) -> str:
    seconds = (now - datetime.fromisoformat(iso)).total_seconds()
    return "just now" if seconds < 5 else f"{duration(seconds)} ago"


def utc_now() -> datetime:
    """This moment, as times of answers are compared with it."""
    return datetime.now(UTC)
