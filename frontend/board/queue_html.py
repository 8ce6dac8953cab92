"""The queue as text and HTML, every text escaped."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from typing import Final

from frontend.api.types import Queue, QueueSlot, Waiting
from frontend.ui.text import count_text, duration, ordinal, start_text
from frontend.ui.training_states import state_names
from frontend.ui.usage_text import slot_usage_text

STATE_SIGNS: Final = {"busy": "▶", "idle": "○", "lost": "✕"}
STATE_WORDS: Final = {"busy": "busy", "idle": "idle", "lost": "not seen recently"}
DEVICE_TITLES: Final = {"cpu": "CPU", "cuda": "GPU"}


def headline(queue: Queue) -> str:
    """Return in one line what runs, what waits, and how long all of it takes."""
    parts = [
        f"{count_text(queue['running_total'], 'run')} in progress",
        f"{queue['waiting_total']:,} waiting" if queue["waiting_total"] else "none waiting",
        devices_text(queue["devices"]),
    ]
    if queue["eta_s"] is not None:
        parts.append(f"all done in about {duration(queue['eta_s'])}")
    elif queue["waiting_total"] and queue["devices"]:
        parts.append("estimates appear once every comparison has started, or one like it has run")
    return " · ".join(parts)


def devices_text(alive: Mapping[str, int]) -> str:
    """Return the number of living slots by device as text."""
    if not alive:
        return "no worker"
    listed = [
        f"{count} {DEVICE_TITLES.get(device, device)} slot{'' if count == 1 else 's'}"
        for device, count in sorted(alive.items())
    ]
    return ", ".join(listed)


def empty_text(queue: Queue) -> tuple[str, str]:
    """Return a heading and a sentence for a queue in which nothing waits."""
    idle = sum(worker["state"] == "idle" for worker in queue["workers"])
    slots = f"{idle} slot{'' if idle == 1 else 's'} idle"
    if idle:
        return f"No runs waiting, {slots}", "New runs start immediately."
    if queue["running_total"]:
        return "No runs waiting", "New runs start as soon as a slot is free."
    return "No runs waiting", "There is no worker to start new runs."


def slot_html(worker: QueueSlot) -> str:
    """Return a worker slot as HTML: name, device, and the progress of its run or runs."""
    state = worker["state"]
    seen = f", last {duration(worker['seen_s_ago'])} ago" if state == "lost" else ""
    head = (
        f"<p><b class='lb-slot-{state}'><i aria-hidden='true'>{STATE_SIGNS[state]}</i> "
        f"{STATE_WORDS[state]}{seen}</b><span title='{escape(worker['host'], quote=True)}'>"
        f"{escape(worker['name'])}</span>"
        f"<em>{escape(DEVICE_TITLES.get(worker['device'], worker['device']))}</em></p>"
    )
    return f"<div class='lb-slot'>{head}{_run_html(worker) if worker['comparison'] else ''}</div>"


def comparison_groups(waiting: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    """Yield the waiting runs in groups: runs of one comparison that follow one another."""
    for _, rows in groupby(waiting, key=lambda row: row["comparison"]):
        yield list(rows)


def group_heading(rows: Sequence[Waiting], now: datetime, *, one_page: bool) -> str:
    """Return a group's heading: number of runs, submitter, and time since submission.

    Args:
        one_page: the rows are of the only page; else the next one may go on with the group.
    """
    first = rows[0]
    since = _ago(first["since"], now)
    place = "" if one_page else " on this page"
    return f"{count_text(len(rows), 'run')}{place} · by {first['created_by']} · submitted {since}"


def waiting_html(waiting: Waiting, alive: Mapping[str, int]) -> str:
    """Return a waiting run as HTML: position, arm, seed, and when it begins."""
    return (
        f"<div class='lb-waits'><b>{ordinal(waiting['position'])}</b>"
        f"<span>{escape(waiting['arm'])}</span><small>{_place_text(waiting)}"
        f"{_start_text(waiting, alive)}</small></div>"
    )


def _place_text(run: Waiting | QueueSlot) -> str:
    """Return which of its arm's runs it is: a seed, or a trial with its fold."""
    if run["role"] != "trial":
        return f"seed {run['seed']}"
    fold = "" if run["fold"] is None else f", fold {run['fold'] + 1}"
    return f"trial {run['trial']}{fold}"


def _start_text(waiting: Waiting, alive: Mapping[str, int]) -> str:
    if waiting["waits_for"]:
        return f" · {escape(waiting['waits_for'])}"
    device = DEVICE_TITLES.get(waiting["wants"])
    if device and waiting["wants"] not in alive:
        return f" · waits for a {device} slot; none is available"
    if waiting["starts_in_s"] is None:
        return " · start not known yet" if alive else ""
    return f" · {start_text(waiting['starts_in_s'])}"


def _run_html(worker: QueueSlot) -> str:
    preparing = worker["preparing"]
    if preparing:
        total = preparing["total"]
        share = min(1.0, preparing["done"] / total) if total else 0.0
        text, left = f"preparing: {preparing['what']}", preparing["eta_s"]
    else:
        share, left = worker["progress"] or 0.0, worker["eta_s"]
        text = f"{100 * share:.0f} %"
    rest = f" · {duration(left)} left" if left is not None else ""
    together = len(worker["runs"])
    name = count_text(together, "run") if together > 1 else worker["arm"] or ""
    which = "trained together" if together > 1 else _place_text(worker)
    return (
        f"<p><span>{escape(name)}</span><small>{which}"
        f" · by {escape(worker['created_by'] or '')}</small></p>"
        f"<div class='lb-share' role='progressbar' aria-label='{escape(name, quote=True)}' "
        f"aria-valuemin='0' aria-valuemax='100' aria-valuenow='{100 * share:.0f}'>"
        f"<i style='width: {100 * share:.1f}%'></i></div>"
        f"<p><small>{escape(text)}{rest}</small></p>{_usage_html(worker)}{_states_html(worker)}"
    )


def _usage_html(worker: QueueSlot) -> str:
    """Return a line with what the slot uses and how fast it trains; empty while not known."""
    parts = [slot_usage_text(worker["usage"])]
    if worker["samples_per_s"] is not None:
        parts.append(f"{worker['samples_per_s']:,.0f} samples/s")
    said = " · ".join(filter(None, parts))
    return f"<p><small class='lb-usage'>{escape(said)}</small></p>" if said else ""


def _states_html(worker: QueueSlot) -> str:
    """Return a line that says in which states the run is; empty if it trains as it should."""
    states = worker["states"]
    if not states:
        return ""
    messages = escape(" ".join(one["message"] for one in states), quote=True)
    names = escape(state_names(states))
    return f"<p><small class='lb-marked' title='{messages}'>{names}</small></p>"


def _ago(iso: str, now: datetime) -> str:
    seconds = (now - datetime.fromisoformat(iso)).total_seconds()
    return "just now" if seconds < 5 else f"{duration(seconds)} ago"


def utc_now() -> datetime:
    """Return the current time in UTC, in which the API gives its times."""
    return datetime.now(UTC)
