"""Tokens: created at random, stored as hashes only, compared in constant time.

A token is random and at least 20 characters long, so one round of SHA-256 protects it well enough:
there is no dictionary to try.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Self

from backend.auth.permissions import ROLES, Person, Role, name_problem
from backend.errors import SettingsError

MIN_TOKEN_LENGTH: Final = 20
"""Characters that a token has at least."""
HASH_PREFIX: Final = "sha256="
MADE_LENGTH: Final = 43
"""Characters of a token that `create_token` makes."""
LAUNCHER_NAME: Final = "lossboard launcher"
"""The name of the launcher's own token, which is made anew at each of its starts."""


@dataclass(frozen=True)
class TokenEntry:
    """One person's token."""

    person: Person
    token_hash: bytes = field(repr=False)
    length: int | None = field(default=None, repr=False, compare=False)
    """Characters of the token, where it is given itself."""


@dataclass(frozen=True)
class Tokens:
    """The tokens of the environment."""

    entries: tuple[TokenEntry, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.entries)

    @property
    def lengths(self) -> frozenset[int]:
        """The lengths of those tokens that are given themselves and not by their hash."""
        return frozenset(entry.length for entry in self.entries if entry.length)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `name:role:token` or `name:role:sha256=<hex>`, separated by commas or line breaks.

        A line that starts with # is a comment.

        Raises:
            SettingsError: an entry is not valid; the message says which, and never its token.
        """
        entries: list[TokenEntry] = []
        for number, raw in enumerate(_split_entries(text), 1):
            entry = _parse_entry(raw, number)
            if any(entry.person.name == other.person.name for other in entries):
                raise _entry_error(
                    number, f"{entry.person.name!r} has an entry already; use another name"
                )
            if any(entry.token_hash == other.token_hash for other in entries):
                raise _entry_error(number, "another entry has the same token; give each its own")
            entries.append(entry)
        return cls(tuple(entries))

    def owner(self, token: str) -> Person | None:
        """Return the person whose token it is, in the same time for every token."""
        given = hash_token(token)
        found: Person | None = None
        for entry in self.entries:
            if hmac.compare_digest(given, entry.token_hash):
                found = entry.person
        return found


NO_TOKENS: Final = Tokens()
"""No tokens in the environment."""


def create_token(name: str, role: str) -> tuple[str, str]:
    """Return a new token and its entry, which holds only the token's hash.

    Raises:
        SettingsError: the name or the role is not valid.
    """
    token = secrets.token_urlsafe(32)
    entry = f"{name.strip()}:{role}:{HASH_PREFIX}{hash_token(token).hex()}"
    if "," in name or "\n" in name:
        raise SettingsError("a name holds no comma and no line break, which separate entries")
    Tokens.parse(entry)
    return token, entry


def hash_token(token: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _split_entries(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if not line.lstrip().startswith("#"):
            yield from filter(None, map(str.strip, line.split(",")))


def _parse_entry(raw: str, number: int) -> TokenEntry:
    parts = raw.split(":", 2)
    if len(parts) < 3:
        raise _entry_error(number, "it is not name:role:token")
    name, role, token = map(str.strip, parts)
    if not name:
        raise _entry_error(number, "its name is empty")
    if problem := name_problem(name):
        raise _entry_error(number, f"its name {problem}")
    person = Person(name, _parse_role(role, number), authenticated=True)
    token_hash = _parse_token(token, number)
    return TokenEntry(person, token_hash, None if token.startswith(HASH_PREFIX) else len(token))


def _parse_role(role: str, number: int) -> Role:
    for known in ROLES:
        if role == known:
            return known
    raise _entry_error(number, f"its role is none of {', '.join(ROLES)}")


def _parse_token(token: str, number: int) -> bytes:
    if token.startswith(HASH_PREFIX):
        hashed = token.removeprefix(HASH_PREFIX).lower()
        if not re.fullmatch("[0-9a-f]{64}", hashed):
            raise _entry_error(number, f"{HASH_PREFIX} is not followed by 64 hex digits")
        return bytes.fromhex(hashed)
    if not re.fullmatch("[A-Za-z0-9_-]*", token):
        raise _entry_error(
            number,
            "its token has other characters than letters, digits, - and _; "
            "`python -m launcher token NAME ROLE` makes one",
        )
    if len(token) < MIN_TOKEN_LENGTH:
        raise _entry_error(
            number,
            f"its token has {len(token)} characters, at least {MIN_TOKEN_LENGTH} are needed; "
            "`python -m launcher token NAME ROLE` makes one",
        )
    return hash_token(token)


def _entry_error(number: int, why: str) -> SettingsError:
    return SettingsError(f"entry {number} of LOSSBOARD_TOKENS: {why}")
