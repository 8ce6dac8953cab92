"""The launcher's own way in where there is a sign-in: a token made at each start, in memory only.

With it the launcher asks which workers live and submits the first comparison. The API gets its
hash, beside the entries of people; no other process gets either.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

TOKENS: Final = "LOSSBOARD_TOKENS"
TOKENS_FILE: Final = "LOSSBOARD_TOKENS_FILE"
NAME: Final = "lossboard launcher"


def has_sign_in(environ: Mapping[str, str]) -> bool:
    """Whether the API is told whom to let in."""
    return any(environ.get(name, "").strip() for name in (TOKENS, TOKENS_FILE))


def without_tokens(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for processes that have to let nobody in."""
    return {name: value for name, value in environ.items() if name not in {TOKENS, TOKENS_FILE}}


@dataclass(frozen=True)
class Entry:
    """What the launcher shows the API; no token where nobody needs one."""

    token: str = field(default="", repr=False)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Entry":
        """A new one for this start."""
        return cls(secrets.token_urlsafe(32) if has_sign_in(environ) else "")

    @property
    def headers(self) -> dict[str, str]:
        """Of its calls."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def api_environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """What the API is told of tokens: those of people, and this one's hash."""
        told = {name: environ[name] for name in (TOKENS, TOKENS_FILE) if name in environ}
        if self.token:
            hashed = hashlib.sha256(self.token.encode()).hexdigest()
            told[TOKENS] = f"{told.get(TOKENS, '')}\n{NAME}:editor:sha256={hashed}"
        return told


NOT_NEEDED: Final = Entry()
"""Where there is no sign-in."""
