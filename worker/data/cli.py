"""Data sets from a command line: what there is, and fetching them before a run needs them."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

import numpy as np

from contract.catalogue.datasets import DATA, DataRow
from worker.data.dataset import Pool
from worker.data.registry import load
from worker.data.sources.locations import LOCATIONS, state
from worker.errors import WorkerError
from worker.settings import datasets_folder

DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130

ROWS: Final = {row.kind: row for row in DATA}

NO_PREPARATION: Final = {
    "bundled": "comes with the product",
    "own": "is uploaded on the Data page, or named by its path in a comparison",
}
"""For each source that needs no preparation, the reason."""

REDRAW_S: Final = 0.1
"""Seconds between updates of a terminal's line, which is overwritten."""

REPEAT_S: Final = 10.0
"""Seconds between lines elsewhere, for example in a log, where each line stays."""

CLEAR: Final = "\r\x1b[K"
"""Clears the current line of a terminal."""


class _MisuseError(Exception):
    """The arguments of a command make no sense."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        Exit code: 0 for success, 1 for a failure, 2 for arguments that make no sense, 130 if
        interrupted.
    """
    parser = argparse.ArgumentParser(prog="python -m worker.data", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|prepare")
    commands.add_parser("list", help="every data set, where it lies and whether it is there")
    prepare = commands.add_parser("prepare", help="fetch or unpack one, and check what it holds")
    prepare.add_argument("name", metavar="NAME", help="a kind that `list` prints")
    prepare.add_argument(
        "--archive",
        metavar="F",
        type=Path,
        action="append",
        default=[],
        help="an official archive, wherever it lies; it is read there and stays; may be repeated",
    )
    asked = parser.parse_args(arguments)
    folder = datasets_folder()
    try:
        if asked.command == "list":
            _list(folder)
        else:
            _prepare(asked.name, asked.archive, folder)
    except _MisuseError as error:
        return _print_error(str(error), MISUSED)
    except (WorkerError, OSError) as error:
        return _print_error(str(error), FAILED)
    except KeyboardInterrupt:
        return _print_error("interrupted; nothing half done is left", INTERRUPTED)
    return DONE


def _list(folder: Path) -> None:
    _print(f"Data sets in {folder}, there or not:")
    table = [("kind", "label", "there", "size", "where")]
    for row in DATA:
        if row.kind in LOCATIONS:
            there, place = state(row.kind, folder)
            table.append((row.kind, row.label, there, row.size, place.path))
        else:
            table.append((row.kind, row.label, row.source, "", ""))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        line = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        _print("  ".join(line).rstrip())


def _prepare(name: str, archives: Sequence[Path], folder: Path) -> None:
    row = ROWS.get(name)
    if row is None:
        raise _MisuseError(f"there is no data set {name!r}; known are {', '.join(ROWS)}")
    if name not in LOCATIONS:
        if archives:
            raise _MisuseError(f"{name} takes no --archive: it {NO_PREPARATION[row.source]}")
        _print(f"{name} needs no preparation: it {NO_PREPARATION[row.source]}.")
        return
    links = {_link_target(name, archive): archive for archive in archives}
    if links and state(name, folder)[0] == "yes":
        _print_error(f"{name} is there already; --archive is not used", DONE)
        links = {}
    try:
        with ExitStack() as placed, ProgressLine(sys.stderr) as progress:
            for target, archive in links.items():
                placed.enter_context(_linked(archive, folder / target))
            pool = load(row.section(), folder, progress)
    except WorkerError as error:
        message = str(error)
        for target, archive in links.items():  # name the given archive, not the link to it
            message = message.replace(str(folder / target), str(archive))
        raise type(error)(message) from error
    _print(_summary(row, pool, folder / state(name, folder)[1].path))


def _link_target(name: str, archive: Path) -> str:
    """Return the path, relative to the data folder, where the loader looks for an archive."""
    if not archive.is_file():
        raise _MisuseError(f"there is no file {archive}")
    known = [target for place in LOCATIONS[name] for target in place.archives]
    same = [target for target in known if Path(target).name == archive.name]
    if same or len(known) == 1:
        return (same or known)[0]
    names = ", ".join(Path(target).name for target in known)
    raise _MisuseError(f"{archive.name} is not an archive of {name}, which has {names}")


@contextmanager
def _linked(archive: Path, target: Path) -> Iterator[None]:
    """Link an archive to where a loader looks for it while the block runs: no copy is made."""
    if target.is_file():
        if not target.samefile(archive):
            raise _MisuseError(f"{target} is there as well as {archive}; remove one of them")
        yield
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)  # a link to an archive that is gone
    target.symlink_to(archive.resolve())
    try:
        yield
    finally:
        if target.is_symlink():
            target.unlink()


def _summary(row: DataRow, pool: Pool, place: Path) -> str:
    labels = pool.labels.numpy()
    lines = [
        f"{row.label} is in {place}",
        f"  {len(labels):,} items, {len(np.unique(labels)):,} classes, split by "
        + ("class" if pool.class_disjoint else "item"),
    ]
    for name in ("train", "validation", "test"):
        own = labels[getattr(pool.indices, name)]
        lines.append(f"  {name:10}  {len(own):7,} items of {len(np.unique(own)):6,} classes")
    return "\n".join(lines)


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _print_error(message: str, code: int) -> int:
    sys.stderr.write(f"{message}\n")
    return code


class ProgressLine:
    """A Progress that updates one line of a terminal, or writes a new line now and then."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._terminal = out.isatty()
        self._what = ""
        self._shown_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Clear the terminal's line."""
        if self._terminal and self._what:
            self._write(CLEAR)

    def __call__(self, what: str, done: float, total: float | None, unit: str = "items") -> None:
        """Show the progress if the work is new or the last line is old."""
        now = self._clock()
        wait = REDRAW_S if self._terminal else REPEAT_S
        if what == self._what and now - self._shown_at < wait:
            return
        self._what, self._shown_at = what, now
        line = what + _share(done, total, unit)
        self._write(f"{CLEAR}{line}" if self._terminal else f"{line}\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def _share(done: float, total: float | None, unit: str) -> str:
    """Return in words how much is done; nothing at the start."""
    if not done:
        return ""
    scale, name = (1e6, "MB") if unit == "bytes" else (1.0, unit)
    if not total:
        return f": {done / scale:,.0f} {name}"
    return f": {done / total:.0%} of {total / scale:,.0f} {name}"
