"""Who calls, and what roles there are."""

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal, get_args
from urllib.parse import unquote_to_bytes

Role = Literal["viewer", "editor", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""Each may do what those before it may."""
MAX_NAME: Final = 80
"""Characters of a person's name."""


@dataclass(frozen=True)
class Person:
    """Whoever a call comes from."""

    name: str
    role: Role
    proven: bool
    """By a token; else the house is open and the name is only what the caller says."""

    def may(self, role: Role) -> bool:
        """Whether the person's role reaches another."""
        return ROLES.index(self.role) >= ROLES.index(role)


def told_name(header: str) -> str:
    """The name that a header tells, percent-encoded UTF-8; empty where it tells none.

    Raises:
        ValueError: it is too long, no UTF-8, or holds control characters; says which.
    """
    try:
        # The server reads headers as Latin-1; this makes the bytes that were sent of them.
        name = unquote_to_bytes(header.encode("latin-1")).decode().strip()
    except UnicodeError:
        raise ValueError("is not percent-encoded UTF-8; encode it as an address is") from None
    if problem := name_problem(name):
        raise ValueError(problem)
    return name


def name_problem(name: str) -> str | None:
    """What makes a name none."""
    if len(name) > MAX_NAME:
        return f"has {len(name)} characters; at most {MAX_NAME} are taken"
    odd = next((c for c in name if unicodedata.category(c) in {"Cc", "Zl", "Zp"}), "")
    return f"holds the control character U+{ord(odd):04X}; leave it out" if odd else None
