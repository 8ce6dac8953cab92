"""The section of docs/BENCHMARKS.md that a benchmark writes about its own last run."""

import datetime
import inspect
import os
import platform
import re
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

import psutil

from benchmarks.row import GOAL, Row, number

PAGE = Path(__file__).parents[1] / "docs" / "BENCHMARKS.md"
PACKAGE = __name__.rpartition(".")[0]


def write(
    bench: str, rows: Sequence[Row], versions: Mapping[str, str], notes: Sequence[str] = ()
) -> None:
    """Put the rows in the place of the bench's former section, with notes below the table.

    Only a script run as `python -m benchmarks.<name>` is documented: of anything else neither the
    command nor what it measures would be known.
    """
    script = sys.modules["__main__"]
    name = script.__spec__.name if script.__spec__ else ""
    if name.rpartition(".")[0] != PACKAGE:
        return
    known = {
        "Python": platform.python_version(),
        **_installed(["torch", *_words(rows)]),
        **versions,
    }
    about = [
        _first_paragraph(script.__doc__ or ""),
        "",
        f"- Command: `python -m {shlex.join([name, *sys.argv[1:]])}`",
        f"- Date: {datetime.datetime.now(tz=datetime.UTC).date().isoformat()}",
        f"- Machine: {machine()}",
        f"- Versions: {', '.join(f'{package} {version}' for package, version in known.items())}",
    ]
    page = PAGE.read_text() if PAGE.exists() else ""
    draft = PAGE.with_suffix(f".{os.getpid()}")
    draft.write_text(with_section(page, bench, "\n".join([*about, "", *table(rows), "", *notes])))
    draft.replace(PAGE)


def with_section(page: str, name: str, body: str) -> str:
    """The page with the body under the heading `## name`: in the place of what stood there, or at
    the end."""
    section = f"## {name}\n\n{body.strip()}\n"
    start = re.search(rf"^## {re.escape(name)}$", page, re.MULTILINE)
    if not start:
        return f"{page.rstrip()}\n\n{section}".lstrip()
    following = re.search(r"^## ", page[start.end() :], re.MULTILINE)
    after = page[start.end() + following.start() :] if following else ""
    return page[: start.start()] + section + (f"\n{after}" if after else "")


def table(rows: Iterable[Row]) -> list[str]:
    """Lines of a Markdown table; where the peer is better, or a goal is missed, it says so."""
    lines = ["| case | ours | peer | ratio | n | goal |", "|--|--:|--|--:|--:|--|"]
    for row in rows:
        figure = f"{number(row.peer)} {row.unit}, " if row.peer is not None else ""
        ratio = "" if row.ratio is None or row.peer_name == GOAL else number(row.ratio)
        if ratio and row.ratio is not None and row.ratio < 1:
            ratio = f"**{ratio}, peer ahead**"
        goal = "" if row.met is None else f"{row.goal}: {'met' if row.met else '**MISSED**'}"
        peer = "" if row.peer_name == GOAL else f"{figure}{row.peer_name}"
        cells = (row.case, f"{number(row.ours)} {row.unit}", peer, ratio, str(row.n), goal)
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return lines


def machine() -> str:
    """Processor, cores, memory, and the GPU if this process has used it."""
    info = Path("/proc/cpuinfo")
    models = re.findall(r"^model name\s*: (.*)$", info.read_text() if info.exists() else "", re.M)
    torch = sys.modules.get("torch")
    parts = [
        models[0] if models else platform.processor() or platform.machine(),
        f"{os.cpu_count()} cores",
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB of memory",
    ]
    if torch and torch.cuda.is_initialized():
        parts.append(torch.cuda.get_device_name())
    return ", ".join(parts)


def busy(before: float) -> str:
    """A note on how busy the machine was: its load average (one minute) before and now."""
    after = os.getloadavg()[0]
    return (
        f"The machine's load average was {before:.1f} before the run and {after:.1f} at its end, "
        f"on {os.cpu_count()} cores; the run's own part of that is 1 to 3, more is other work."
    )


def _first_paragraph(text: str) -> str:
    return " ".join(inspect.cleandoc(text).split("\n\n")[0].split())


def _words(rows: Iterable[Row]) -> list[str]:
    """Return the words in the peers' names that could be packages."""
    return [word for row in rows for word in re.findall(r"[\w.-]*\w", row.peer_name)]


def _installed(names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in dict.fromkeys(names):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # a word of a peer's name that is no package
            continue
    return found
