"""What slots and runs use of their machine, in words."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

from frontend.api.types import RunDetail, SlotUsage
from frontend.ui.text import bytes_text, count_text

TITLES: Final = {
    "host": "Host",
    "system": "System",
    "processor": "Processor",
    "cores": "Cores",
    "python": "Python",
    "commit": "Commit",
}
"""Name of a fact of the environment -> its title; the others are libraries."""


def slot_usage_text(usage: SlotUsage | None) -> str:
    """Return what a slot uses: "CPU 0.98 cores · 812 MB of 25 GB · GPU 43 %, 5.1 GB of 80 GB"; ""
    while it is not known."""
    if usage is None:
        return ""
    memory = f"{bytes_text(usage['memory_bytes'])} of {bytes_text(usage['memory_total_bytes'])}"
    parts = [f"CPU {_cores(usage['cpu_cores'])}", memory]
    if usage["gpu_share"] is not None:
        used, total = usage["gpu_memory_bytes"] or 0, usage["gpu_memory_total_bytes"] or 0
        parts.append(
            f"GPU {100 * usage['gpu_share']:.0f} %, {bytes_text(used)} of {bytes_text(total)}"
        )
    return " · ".join(parts)


def run_usage_text(run: RunDetail) -> str:
    """Return what a run that has ended used; "" where it is not known."""
    usage = run["usage"]
    if usage is None:
        return ""
    parts = []
    if usage["samples_per_s"] is not None:
        parts.append(f"{usage['samples_per_s']:,.0f} samples/s in training")
    if usage["seconds"] > 0:
        parts.append(f"CPU {_cores(usage['cpu_seconds'] / usage['seconds'])} on average")
    parts.append(f"{bytes_text(usage['memory_bytes'])} of memory at most")
    together = run["shared"]
    others = count_text(together - 1, "other run") if together and together > 1 else ""
    with_others = f", with {others} trained together" if others else ""
    return " · ".join(parts) + with_others


def environment_rows(run: RunDetail) -> list[tuple[str, str]]:
    """Return the facts of where a run was trained, and its splits, as titles and values."""
    known: Mapping[str, Any] = run["environment"] or {}
    rows = [(TITLES[name], str(known[name])) for name in TITLES if known.get(name)]
    libraries = [f"{name} {known[name]}" for name in known if name not in TITLES]
    if libraries:
        rows.append(("Libraries", ", ".join(libraries)))
    versions = run["versions"] or {}
    if versions:
        rows.append(("Lossboard", ", ".join(f"{name} {one}" for name, one in versions.items())))
    if splits := run["splits"]:
        rows.append(("Items", ", ".join(f"{count:,} {name}" for name, count in splits.items())))
    return rows


def environment_html(rows: Iterable[tuple[str, str]]) -> str:
    """Return those facts as a list in HTML, every text escaped."""
    items = "".join(f"<dt>{escape(title)}</dt><dd>{escape(value)}</dd>" for title, value in rows)
    return f"<dl class='lb-facts'>{items}</dl>"


def _cores(cores: float) -> str:
    text = f"{cores:.2f}" if cores < 10 else f"{cores:.0f}"
    return f"{text} core{'' if text == '1.00' else 's'}"
