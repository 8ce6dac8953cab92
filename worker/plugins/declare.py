"""How a class says that it is a loss."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from torch import nn

Module = TypeVar("Module", bound=type[nn.Module])
MARK: Final = "__lossboard_loss__"
"""Attribute of a class that is a loss."""
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,59}")
ARXIV: Final = re.compile(r"\d{4}\.\d{4,5}")


@dataclass(frozen=True)
class Declared:
    """What a class says of itself."""

    name: str
    label: str
    idea: str
    paper: str
    url: str


def loss(
    *, name: str, label: str = "", idea: str = "", paper: str = "", url: str = ""
) -> Callable[[Module], Module]:
    """Mark a class as a loss that arms can have.

    Args:
        name: by which specs name it: a small letter, then small letters, digits, `_` and `-`.
        label: what people call it; by default the name of the class.
        idea: one sentence; by default the first line of the class's docstring.
        paper: its source; an arXiv number is enough.
        url: of the source.

    Raises:
        TypeError: the class is no `torch.nn.Module`, or the name is none.
    """
    if NAME.fullmatch(name) is None:
        raise TypeError(f"the name {name!r} of a loss must match {NAME.pattern}")

    def mark(module: Module) -> Module:
        if not isinstance(module, type) or not issubclass(module, nn.Module):
            raise TypeError(f"the loss {name!r} must be a class derived from torch.nn.Module")
        is_arxiv = ARXIV.fullmatch(paper) is not None
        declared = Declared(
            name=name,
            label=label or module.__name__,
            idea=idea or _first_line(module.__doc__),
            paper=f"arXiv {paper}" if is_arxiv else paper,
            url=url or (f"https://arxiv.org/abs/{paper}" if is_arxiv else ""),
        )
        setattr(module, MARK, declared)
        return module

    return mark


def declared_by(module: type[nn.Module]) -> Declared | None:
    """Return what a class says of itself, not what a class above it does; None if it is no loss."""
    found = vars(module).get(MARK)
    return found if isinstance(found, Declared) else None


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().partition("\n")[0]
