"""Data sets from a command line: what there is, and fetching them before a run needs them."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Final, TextIO

from contract.catalogue_data import DATA, DataRow
from worker.data.dataset import Pool
from worker.data.presence import present
from worker.data.registry import LOADERS
from worker.errors import WorkerError
from worker.settings import datasets_folder

GOOD, BAD, MISUSED = 0, 1, 2
ROWS: Final = {row.kind: row for row in DATA}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it did what was asked, 1 if it could not, 2 if it makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m worker.data", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every data set, and whether it is there")
    prepare = commands.add_parser("prepare", help="fetch or unpack one and check all of it")
    prepare.add_argument("name", metavar="NAME", help="one of the kinds that list prints")
    prepare.add_argument("--archive", metavar="F", type=Path, help="the official archive, placed")
    asked = parser.parse_args(arguments)
    folder = datasets_folder()
    if asked.command == "list":
        return _list(folder)
    return _prepare(asked.name, asked.archive, folder)


def _list(folder: Path) -> int:
    print(f"data sets in {folder}")  # noqa: T201
    width = max(len(row.label) for row in DATA)
    for row in DATA:
        state = {"bundled": "bundled", "own": "yours"}.get(row.source)
        state = state or ("there" if present(row.kind, folder) else "not there")
        print(f"{row.kind:16} {row.label:{width}}  {state:9}  {row.size}".rstrip())  # noqa: T201
    return GOOD


def _prepare(name: str, archive: Path | None, folder: Path) -> int:
    row = ROWS.get(name)
    if row is None:
        return _complain(f"there is no data set {name!r}; known are {', '.join(ROWS)}", MISUSED)
    if row.source in {"bundled", "own"}:
        why = "comes with the product" if row.source == "bundled" else "is named in a comparison"
        return _complain(f"{name} needs no preparation: it {why}", MISUSED)
    load = import_module(LOADERS[name]).load
    takes_archive = "archive" in signature(load).parameters
    if archive is not None and not takes_archive:
        message = f"{name} takes no --archive; put its files into {folder}, see docs/DATA.md"
        return _complain(message, MISUSED)
    if archive is not None and not archive.is_file():
        return _complain(f"there is no file {archive}", MISUSED)
    with _Line(sys.stderr) as progress:
        more = {} if archive is None else {"archive": archive}
        try:
            pool: Pool = load(row.section(), folder, progress, **more)
        except WorkerError as error:
            return _complain(str(error), BAD)
    print(_summary(row, pool))  # noqa: T201
    return GOOD


def _summary(row: DataRow, pool: Pool) -> str:
    parts = pool.indices
    splits = f"{len(parts.train):,} / {len(parts.validation):,} / {len(parts.test):,}"
    how = "by class" if pool.class_disjoint else "by item"
    return (
        f"{row.label}: {len(pool.labels):,} items of {len(pool.labels.unique()):,} classes; "
        f"train / validation / test {splits}, split {how}"
    )


def _complain(message: str, code: int) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    return code


class _Line:
    """A Progress that rewrites one line of a terminal, or prints each new work elsewhere."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._shown = ""
        self._what = ""

    def __enter__(self) -> "_Line":
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._out.write("\n")

    def __call__(self, what: str, done: float, total: float | None, unit: str = "items") -> None:
        """Show it, where it is new to a reader."""
        share = f" {100 * done / total:.0f} %" if total else ""
        if self._out.isatty():
            line = f"{what}{share}"
            if line != self._shown:
                self._out.write(f"\r\x1b[K{line}")
                self._shown = line
        elif what != self._what:
            self._out.write(f"{what}\n")
        self._what = what
        self._out.flush()
