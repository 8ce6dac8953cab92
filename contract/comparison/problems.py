"""Problems of a spec, and the base class of its sections.

A problem says where it is, what was given and what to do.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError


class Problem(NamedTuple):
    """One thing wrong with a spec."""

    path: str
    """Where it is, for example `arms[0].loss.margin`; empty for the whole spec."""
    message: str


class SpecError(ValueError):
    """A spec is not valid; holds every problem found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(f"{path or 'spec'}: {message}" for path, message in problems))


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
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        elif previous not in _UNIONS:
            path += f".{part}" if path else part
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
        return f"unknown kind {seen.get('kind')!r}; known are {known}"
    shown = repr(seen)
    if len(shown) > 60:
        size = f"{len(seen)} items" if isinstance(seen, Sequence) else type(seen).__name__
        shown = f"{shown[:40]}... ({size})"
    return f"{text[0].lower()}{text[1:]}; got {shown}"


class Section(BaseModel):
    """One part of a comparison spec: unknown keys are refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
