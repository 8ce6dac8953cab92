"""Problems of a brought data set: where, what was seen, what to do; all of them at once.

How much of a brought data set is read before it is refused.

What a checked data set is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

MOST_KEPT: Final = 100
"""Problems, and warnings, that are kept; further ones are counted."""


@dataclass(frozen=True)
class RowProblem:
    """One thing wrong with a data set, or, as a warning, worth knowing."""

    where: str
    """`cats/a.jpg`, `row 17, column f3` (rows count from 0), `labels`; empty for the whole."""
    message: str


class IntakeError(ValueError):
    """A data set is refused; carries what is wrong with it."""

    def __init__(self, problems: Sequence[RowProblem], total: int | None = None) -> None:
        self.problems = list(problems[:MOST_KEPT])
        """The first problems, at most `MOST_KEPT`."""
        self.total = len(problems) if total is None else total
        """How many there are in all."""
        super().__init__(told(self.problems, self.total))


def told(problems: Sequence[RowProblem], total: int, shown: int = 5) -> str:
    """The first problems in one line, and how many more there are."""
    first = [f"{p.where}: {p.message}" if p.where else p.message for p in problems[:shown]]
    more = total - len(first)
    return "; ".join(first) + (f"; and {more} more" if more else "")


class Findings:
    """Collects problems and warnings while a data set is read."""

    def __init__(self) -> None:
        self._problems: list[RowProblem] = []
        self._warnings: list[RowProblem] = []
        self._warned = 0
        self.total = 0
        """Problems found so far."""
        self.passed_over: list[str] = []
        """Names of columns that are not used."""

    def add(self, where: str, message: str) -> None:
        """One more problem."""
        self.total += 1
        if len(self._problems) < MOST_KEPT:
            self._problems.append(RowProblem(where, message))

    def about(self, where: str) -> bool:
        """Whether one of the problems is there."""
        return any(problem.where == where for problem in self._problems)

    def warn(self, where: str, message: str) -> None:
        """Something that is no reason to refuse."""
        self._warned += 1
        if len(self._warnings) < MOST_KEPT:
            self._warnings.append(RowProblem(where, message))

    def pass_over(self, name: str) -> None:
        """A column of a name that means nothing here."""
        self.passed_over.append(name)
        self.warn(name, "is not used")

    @property
    def warnings(self) -> tuple[RowProblem, ...]:
        """The first warnings, and how many more there are."""
        more = self._warned - len(self._warnings)
        rest = (RowProblem("", f"and {more:,} more warnings"),) if more else ()
        return (*self._warnings, *rest)

    def refuse(self, where: str, message: str) -> IntakeError:
        """The error for a problem behind which nothing more can be read: `raise` it."""
        self.add(where, message)
        return IntakeError(self._problems, self.total)

    def settle(self) -> None:
        """Go on only if nothing is wrong.

        Raises:
            IntakeError: with everything found.
        """
        if self.total:
            raise IntakeError(self._problems, self.total)


@dataclass(frozen=True)
class Limits:
    """Bounds on what a file may hold; a file beyond one is refused and says which."""

    max_bytes: int = 4 * 2**30
    """Of an archive's files in all, unpacked; of a table's arrays in all, uncompressed."""
    max_files: int = 200_000
    """Files in an archive or in a folder of images."""
    max_file_bytes: int = 64 * 2**20
    """Of one image file."""
    max_pixels: int = 50_000_000
    """Width times height of one image."""
    max_columns: int = 65_536
    """Features of one row."""


DEFAULT: Final = Limits()
"""What is used where nobody says otherwise."""


Told: TypeAlias = Callable[[int, int], None]
"""Called with how many items are checked, and of how many; what it raises ends the check."""


def nobody(done: int, total: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class ImageSet:
    """Images in class folders, each of which could be decoded."""

    root: Path
    files: tuple[str, ...]
    """Paths below `root` with `/`, sorted; of identical images only the first."""
    labels: np.ndarray
    """[N] int64 places in `class_names`."""
    class_names: tuple[str, ...]
    """Names of the class folders, sorted."""
    warnings: tuple[RowProblem, ...] = ()


@dataclass(frozen=True)
class FeatureTable:
    """Rows of finite features with labels."""

    features: np.ndarray
    """[N, D] float32; the audio modality of a paired table."""
    labels: np.ndarray
    """[N] int64 places in `class_names`."""
    class_names: tuple[str, ...]
    """Sorted: numbers by value, words by letter."""
    fine: np.ndarray | None = None
    """[N] int64 from 0 up: labels within the classes."""
    ids: tuple[str, ...] | None = None
    """A name for each row, no two alike."""
    visual: np.ndarray | None = None
    """[N, E] float32: the second modality of a paired table."""
    warnings: tuple[RowProblem, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)
