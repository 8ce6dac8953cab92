"""Problems of a spec and the fields they belong to; pure functions."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from frontend.errors import FieldProblem


@dataclass(frozen=True)
class Problem:
    """One thing to change."""

    path: str
    """As in the form, arms.0.loss.margin; empty where it concerns the whole."""
    message: str


def from_api(fields: Iterable[FieldProblem]) -> list[Problem]:
    """The problems that an API error carries."""
    return [Problem(form_path(path), message) for path, message in fields]


def form_path(path: str) -> str:
    """The API's arms[0].loss.margin as the form's arms.0.loss.margin."""
    return re.sub(r"\[(\d+)\]", r".\1", path)


def place(problem: Problem, shown: Collection[str]) -> str | None:
    """The shown field at which a problem is marked; None where there is none.

    A problem of one item of a list (seeds.1) belongs to the list's field.
    """
    path = problem.path
    while path and path not in shown:
        head, _, last = path.rpartition(".")
        if not last.isdigit():
            return None
        path = head
    return path or None


def in_words(path: str, titles: Mapping[str, str]) -> str:
    """Where a problem is, for people: "Arm 1, Margin"."""
    arm = re.match(r"arms\.(\d+)\.", path)
    before = f"Arm {int(arm[1]) + 1}, " if arm else ""
    name = path.rpartition(".")[2].replace("_", " ")
    return f"{before}{titles.get(path, name)}"
