"""Tokens do not come back: neither in an error that repeats what was sent, nor in a log line.

Only hashes are known here, so every word that could be a token is hashed and looked up.
"""

import logging
import re
from typing import Final, Self

from backend.auth.tokens import SHORTEST, Tokens, digest

WORD: Final = re.compile(rf"[A-Za-z0-9_-]{{{SHORTEST},}}")
SHOWN: Final = "[a token]"
LOGGERS: Final = ("", "uvicorn", "uvicorn.error", "uvicorn.access")
"""Those with handlers of their own."""


class Hiding:
    """Takes the tokens of people and workers out of texts."""

    def __init__(self, digests: frozenset[bytes]) -> None:
        self._digests = digests

    @classmethod
    def of(cls, tokens: Tokens, worker_token: str) -> Self:
        """Of these tokens."""
        people = (entry.digest for entry in tokens.entries)
        return cls(frozenset((*people, digest(worker_token))))

    def text(self, text: str) -> str:
        """The text without them."""
        return WORD.sub(self._word, text)

    def _word(self, found: re.Match[str]) -> str:
        return SHOWN if digest(found[0]) in self._digests else found[0]

    def in_logs(self) -> None:
        """From now on no line of this process's log has one."""
        for name in LOGGERS:
            for handler in logging.getLogger(name).handlers:
                inner = handler.formatter or logging.Formatter()
                if isinstance(inner, _Formatter):  # an app before this one's
                    inner = inner.inner
                handler.setFormatter(_Formatter(inner, self))


class _Formatter(logging.Formatter):
    def __init__(self, inner: logging.Formatter, hiding: Hiding) -> None:
        super().__init__()
        self.inner = inner
        self._hiding = hiding

    def format(self, record: logging.LogRecord) -> str:
        return self._hiding.text(self.inner.format(record))
