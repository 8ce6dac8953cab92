"""Lists that come with published data sets, and the images that they name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from worker.errors import DataError
from worker.reporting.progress import Progress

SHOWN: Final = 5
"""Things named in a message; the others are counted."""
TELL_EVERY: Final = 1000


@dataclass(frozen=True)
class Row:
    """One line of an official list."""

    path: Path
    line: int
    words: tuple[str, ...]

    @property
    def where(self) -> str:
        """Which line it is."""
        return f"line {self.line}"

    def whole(self, column: int, least: int = 0) -> int:
        """The whole number in a column.

        Raises:
            DataError: it is none, or too small.
        """
        word = self.words[column]
        if not (word.isascii() and word.isdecimal()) or int(word) < least:
            raise self.error(f"{word!r} is no whole number from {least} up")
        return int(word)

    def error(self, seen: str) -> DataError:
        """The error of this line."""
        return DataError(
            f"{self.path}, {self.where}: {seen}. Put the official file there, or remove the whole "
            "folder to have it unpacked again."
        )


def rows(path: Path, columns: int, *, header: bool = False) -> list[Row]:
    """The words of each line of an official list; of the last column all that is left.

    Args:
        path: the list, UTF-8.
        columns: fewest words of a line; empty lines do not count.
        header: whether the first line names the columns.

    Raises:
        DataError: it cannot be read or is empty; names the first line with too few columns.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}. Put the official file there.") from error
    found = []
    for number, line in enumerate(lines, start=1):
        row = Row(path, number, tuple(line.strip().split(maxsplit=columns - 1)))
        if not row.words or (header and number == 1):
            continue
        if len(row.words) < columns:
            raise row.error(f"{columns} columns are needed, {line[:80]!r} has {len(row.words)}")
        found.append(row)
    if not found:
        raise DataError(f"{path} lists nothing. Put the official file there.")
    return found


def by_id(path: Path, columns: int) -> dict[int, Row]:
    """The rows of a list by the number in their first column.

    Raises:
        DataError: as `rows`, or a number is none or is there twice.
    """
    found: dict[int, Row] = {}
    for row in rows(path, columns):
        first = found.setdefault(row.whole(0), row)
        if first is not row:
            raise row.error(f"{row.words[0]} stands in {first.where} already")
    return found


def images(
    folder: Path, listed: Sequence[tuple[str, str]], source: Path, progress: Progress
) -> list[Path]:
    """The files that a list names, every one of which is there.

    Args:
        folder: to which the names are relative.
        listed: where in the list each name stands, and the name, with slashes.
        source: the list, for messages.
        progress: told how many have been looked for.

    Raises:
        DataError: a name leads out of the folder or is there twice, or files are missing: names
            the first of them, and how many there are.
        CancelledError: by `progress`.
    """
    seen: dict[str, str] = {}
    missing: list[str] = []
    paths = []
    for at, (where, name) in enumerate(listed, start=1):
        if at % TELL_EVERY == 0:
            progress(f"looking for the images of {source.name}", at, len(listed), "images")
        place = PurePosixPath(name)
        if place.is_absolute() or ".." in place.parts or "\0" in name:
            raise DataError(f"{source}, {where}: {name!r} leads out of {folder}")
        if name in seen:
            raise DataError(f"{source}, {where}: {name} stands in {seen[name]} already")
        seen[name] = where
        path = folder / place
        if not path.is_file():
            missing.append(f"{name} ({where})")
        paths.append(path)
    if missing:
        raise DataError(
            f"{source} lists images that are not there: {some(missing)}. They should lie in "
            f"{folder}; remove the whole data set's folder to have it unpacked again."
        )
    return paths


def some(things: Sequence[object]) -> str:
    """The first few, and how many more."""
    more = f" and {len(things) - SHOWN:,} more" if len(things) > SHOWN else ""
    return ", ".join(map(str, things[:SHOWN])) + more
