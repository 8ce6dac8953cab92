"""The problems of a data set, the limits on its size, and the results of a check without problems.

A problem says where it is, what was found and what to do; a reader collects all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from contract.names import TupleShape

MAX_KEPT: Final = 100
"""Most problems, and most warnings, that are kept; further ones are counted."""


@dataclass(frozen=True)
class RowProblem:
    """A problem of a data set, or a warning."""

    where: str
    """For example `cats/a.jpg`, `row 17, column f3` (rows count from 0) or `labels`; empty for the
    whole data set."""
    message: str


class IntakeError(ValueError):
    """A data set is refused; holds its problems."""

    def __init__(self, problems: Sequence[RowProblem], total: int | None = None) -> None:
        self.problems = list(problems[:MAX_KEPT])
        """The first problems, at most `MOST_KEPT`."""
        self.total = len(problems) if total is None else total
        """Number of all problems."""
        super().__init__(summary_of(self.problems, self.total))


def summary_of(problems: Sequence[RowProblem], total: int, shown: int = 5) -> str:
    """Return the first problems in one line, and how many more there are."""
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
        """Number of problems found so far."""

    def add(self, where: str, message: str) -> None:
        """Add a problem."""
        self.total += 1
        if len(self._problems) < MAX_KEPT:
            self._problems.append(RowProblem(where, message))

    def has_problem_at(self, where: str) -> bool:
        """Return whether there is a problem at this place."""
        return any(problem.where == where for problem in self._problems)

    def warn(self, where: str, message: str) -> None:
        """Add a warning, which is no reason to refuse the data set."""
        self._warned += 1
        if len(self._warnings) < MAX_KEPT:
            self._warnings.append(RowProblem(where, message))

    @property
    def warnings(self) -> tuple[RowProblem, ...]:
        """The first warnings, with a last one that counts the others."""
        more = self._warned - len(self._warnings)
        rest = (RowProblem("", f"and {more:,} more warnings"),) if more else ()
        return (*self._warnings, *rest)

    def refuse(self, where: str, message: str) -> IntakeError:
        """Add a problem after which nothing can be read, and return the error to raise."""
        self.add(where, message)
        return IntakeError(self._problems, self.total)

    def raise_if_any(self) -> None:
        """Refuse the data set if there are problems.

        Raises:
            IntakeError: with every problem found.
        """
        if self.total:
            raise IntakeError(self._problems, self.total)


@dataclass(frozen=True)
class Limits:
    """Bounds on the content of a file; a larger one is refused with the bound that it exceeds."""

    max_bytes: int = 4 * 2**30
    """Bytes of all files of an archive, unpacked, or of all arrays of a table, uncompressed."""
    max_files: int = 200_000
    """Files in an archive or in a folder of images."""
    max_file_bytes: int = 64 * 2**20
    """Bytes of one image file."""
    max_pixels: int = 50_000_000
    """Width times height of one image."""
    max_columns: int = 65_536
    """Features of one row."""


DEFAULT_LIMITS: Final = Limits()
"""The limits that hold by default."""


CheckProgress: TypeAlias = Callable[[int, int], None]
"""Called with the number of checked items and of all items; an error that it raises ends the
check."""


def no_progress(done: int, total: int) -> None:
    """Ignore the progress."""


@dataclass(frozen=True)
class ImageSet:
    """Images in class folders, each of which could be decoded."""

    root: Path
    files: tuple[str, ...]
    """Sorted paths below `root`, with `/`; of identical images only the first."""
    labels: np.ndarray
    """[N] int64 indices into `class_names`."""
    class_names: tuple[str, ...]
    """Names of the class folders, sorted."""
    warnings: tuple[RowProblem, ...] = ()
    split_folders: tuple[str, ...] = ()
    """Names of the folders above the class folders, such as train and test, if there are any; paths
    of files then begin with them."""


@dataclass(frozen=True)
class FeatureTable:
    """Rows of finite features with labels."""

    features: np.ndarray
    """[N, D] float32; the audio modality of a paired table."""
    labels: np.ndarray
    """[N] int64 indices into `class_names`."""
    class_names: tuple[str, ...]
    """Names of the classes, sorted: numbers by value, words by letter."""
    fine: np.ndarray | None = None
    """[N] int64 labels from 0 up that divide the classes further."""
    ids: tuple[str, ...] | None = None
    """A different name for each row."""
    visual: np.ndarray | None = None
    """[N, E] float32, the second modality of a paired table."""
    warnings: tuple[RowProblem, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class TextTable:
    """Texts with labels."""

    texts: tuple[str, ...]
    """None is empty or begins or ends with a blank."""
    labels: np.ndarray
    """[N] int64 indices into `class_names`."""
    class_names: tuple[str, ...]
    """Names of the classes, sorted: numbers by value, words by letter."""
    fine: np.ndarray | None = None
    """[N] int64 indices into `fine_names`: labels that divide the classes further."""
    fine_names: tuple[str, ...] = ()
    ids: tuple[str, ...] | None = None
    """A different name for each text."""
    parts: tuple[str, ...] | None = None
    """Each text's part of a split that the table brings: train, validation or test."""
    warnings: tuple[RowProblem, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class TupleTable:
    """Tuples of items: pairs, triplets, or pairs with a label or a score."""

    shape: TupleShape
    items: tuple[str, ...]
    """The different texts, or ids of rows of a feature table, in the order in which they occur."""
    rows: np.ndarray
    """[R, 2 or 3] int64 places among the items: anchor, positive and negative; or first and
    second. No row is twice."""
    same: np.ndarray | None = None
    """[R] bool of labelled pairs, whether they belong together."""
    scores: np.ndarray | None = None
    """[R] float64 of scored pairs."""
    parts: tuple[str, ...] | None = None
    """Each row's part of a split that the table brings: train, validation or test."""
    warnings: tuple[RowProblem, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)
