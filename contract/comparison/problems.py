"""Problems of a spec, and the base class of its sections.

A problem says where it is, what was given and what to do.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from contract.comparison.bounds import ShortList


class Problem(NamedTuple):
    """One thing wrong with a spec."""

    path: str
    """Where it is, for example `arms[0].loss.margin`; empty for the whole spec."""
    message: str


MAX_PROBLEMS: Final = 100
"""Problems that are told at once; further ones are counted."""
_MAX_SHOWN: Final = 60
"""Characters of a key, or of a value, that a problem shows."""


class SpecError(ValueError):
    """A spec is not valid; holds the first problems found."""

    def __init__(self, problems: Sequence[Problem], total: int | None = None) -> None:
        self.problems = list(problems[:MAX_PROBLEMS])
        self.total = len(problems) if total is None else total
        """Number of all problems."""
        told = "; ".join(f"{path or 'spec'}: {message}" for path, message in self.problems)
        more = self.total - len(self.problems)
        super().__init__(f"{told}; and {more:,} more" if more else told)


def problems_of_validation(error: ValidationError) -> list[Problem]:
    """Return the problems of a pydantic error, with paths of the spec and in plain words."""
    return [
        Problem(_path(detail["loc"]), _message(detail["type"], detail["msg"], detail["input"]))
        for detail in error.errors(include_url=False, include_context=False)
    ]


_UNIONS = {"data", "encoder", "visual_encoder", "loss", "sampler", "optimizer"}


def _path(loc: tuple[int | str, ...]) -> str:
    """Join a location to a path, without the `kind` that pydantic adds after a union."""
    path = ""
    previous: int | str = ""
    for index, part in enumerate(loc):
        if isinstance(part, int):
            path += f"[{part}]"
        elif index >= 2 and loc[index - 2] == "search":
            continue  # which kind of space the setting named before has
        elif previous not in _UNIONS:
            name = part if len(part) <= _MAX_SHOWN else f"{part[:_MAX_SHOWN]}..."
            path += f".{name}" if path else name
        else:
            previous = ""  # this part is the tag of a union; a field named like a union may follow
            continue
        previous = part
    return path


def _message(kind: str, text: str, seen: object) -> str:
    if kind == "extra_forbidden":
        return "unknown key; remove it or correct its spelling"
    if kind == "missing":
        return "required, but missing"
    if kind == "union_tag_not_found":
        return "needs a 'kind' that says which one it is"
    if kind == "union_tag_invalid" and isinstance(seen, Mapping):
        known = text.partition("expected tags: ")[2]
        return f"unknown kind {_shown(seen.get('kind'))}; known are {known}"
    if kind == "space":  # its text has the numbers
        return text
    if kind == "too_long" and isinstance(seen, ShortList):
        text = f"{text.rpartition(', not ')[0]}, not {seen.length}"
    return f"{text[0].lower()}{text[1:]}; got {_shown(seen)}"


def _shown(seen: object) -> str:
    shown = repr(seen)
    if len(shown) <= _MAX_SHOWN:
        return shown
    size = type(seen).__name__
    if isinstance(seen, Sequence):
        size = f"{seen.length if isinstance(seen, ShortList) else len(seen)} items"
    return f"{shown[:40]}... ({size})"


class Section(BaseModel):
    """One part of a comparison spec: unknown keys are refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
