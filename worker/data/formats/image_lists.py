"""Text lists that come with published data sets, and the images that they name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from worker.errors import DataError
from worker.reporting.progress import Progress

SHOWN: Final = 5
"""Things named in a message; the others are counted."""
PROGRESS_EVERY: Final = 1000
"""Images looked for between two reports of progress."""


@dataclass(frozen=True)
class ListRow:
    """One line of an official list, split into words."""

    path: Path
    line: int
    words: tuple[str, ...]

    @property
    def where(self) -> str:
        """The line's number, for messages."""
        return f"line {self.line}"

    def whole(self, column: int, least: int = 0) -> int:
        """Return the whole number in a column.

        Raises:
            DataError: the word is not a whole number, or less than `least`.
        """
        word = self.words[column]
        if not (word.isascii() and word.isdecimal()) or int(word) < least:
            raise self.error(f"{word!r} is not a whole number from {least} up")
        return int(word)

    def error(self, seen: str) -> DataError:
        """Return an error that names this line."""
        return DataError(
            f"{self.path}, {self.where}: {seen}. Put the official file there, or remove the whole "
            "folder to have it unpacked again."
        )


def read_rows(path: Path, columns: int, *, header: bool = False) -> list[ListRow]:
    """Read the lines of an official list as words; the last column is the rest of the line.

    Args:
        path: the list, in UTF-8.
        columns: number of columns, which each line must have; empty lines are skipped.
        header: whether the first line names the columns.

    Raises:
        DataError: the list cannot be read or is empty, or a line has too few columns.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}. Put the official file there.") from error
    found = []
    for number, line in enumerate(lines, start=1):
        row = ListRow(path, number, tuple(line.strip().split(maxsplit=columns - 1)))
        if not row.words or (header and number == 1):
            continue
        if len(row.words) < columns:
            raise row.error(f"{columns} columns are needed, {line[:80]!r} has {len(row.words)}")
        found.append(row)
    if not found:
        raise DataError(f"{path} lists nothing. Put the official file there.")
    return found


def read_rows_by_number(path: Path, columns: int) -> dict[int, ListRow]:
    """Read the rows of a list by the number in their first column.

    Raises:
        DataError: as `rows`, or a first column is no number or occurs twice.
    """
    found: dict[int, ListRow] = {}
    for row in read_rows(path, columns):
        first = found.setdefault(row.whole(0), row)
        if first is not row:
            raise row.error(f"{row.words[0]} stands in {first.where} already")
    return found


def listed_images(
    folder: Path, listed: Sequence[tuple[str, str]], source: Path, progress: Progress
) -> list[Path]:
    """Return the files that a list names, after checking that each of them exists.

    Args:
        folder: the folder to which the names are relative.
        listed: for each image its place in the list, for messages, and its name, with slashes.
        source: the list, for messages.
        progress: called with the number of images looked for.

    Raises:
        DataError: a name leads out of the folder or occurs twice, or files are missing; names the
            first missing ones and how many more there are.
        CancelledError: raised by `progress`.
    """
    seen: dict[str, str] = {}
    missing: list[str] = []
    paths = []
    for at, (where, name) in enumerate(listed, start=1):
        if at % PROGRESS_EVERY == 0:
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
            f"{source} lists images that are not there: {first_few(missing)}. They should lie in "
            f"{folder}; remove the whole data set's folder to have it unpacked again."
        )
    return paths


def first_few(things: Sequence[object]) -> str:
    """Return the first few things as text, and how many more there are."""
    more = f" and {len(things) - SHOWN:,} more" if len(things) > SHOWN else ""
    return ", ".join(map(str, things[:SHOWN])) + more
