"""Tokens are kept out of texts: of errors that repeat what was sent, and of log lines.

Only hashes of tokens are known here, so every part of a text that could be a token is hashed and
looked up, also in the middle of other characters and where it is percent-encoded.
"""

import hashlib
import logging
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

from backend.auth.tokens import MADE_LENGTH, MIN_TOKEN_LENGTH, hash_token

PLACEHOLDER: Final = "[a token]"
LOGGERS_WITH_HANDLERS: Final = ("", "uvicorn", "uvicorn.error", "uvicorn.access")
"""Loggers that have their own handlers."""
MAX_SEARCHED: Final = 2 * MADE_LENGTH
"""Characters of a word in which tokens of any length are looked for; in longer words only tokens of
the lengths that are known, because the work grows with the square."""
MAX_WORD: Final = 1000
"""Characters of a word that is shown; of a longer one only its length."""
_TOKEN: Final = "[A-Za-z0-9_-]"
_WORD: Final = re.compile(rf"{_TOKEN}{{{MIN_TOKEN_LENGTH},}}")
_ENCODED: Final = re.compile(rf"(?:%[0-9A-Fa-f]{{2}}|{_TOKEN}){{{MIN_TOKEN_LENGTH},}}")
_UNIT: Final = re.compile(rf"%[0-9A-Fa-f]{{2}}|{_TOKEN}")


class TokenRedactor:
    """Removes the tokens of people and workers from texts."""

    def __init__(
        self, digests: Container[bytes], worker_token: str, lengths: Iterable[int] = ()
    ) -> None:
        """Create a redactor.

        Args:
            digests: the hashes of people's tokens; it may change.
            worker_token: the workers' token.
            lengths: of tokens that `create_token` did not make, as far as they are known.
        """
        self._digests = digests
        self._worker_digest = hash_token(worker_token)
        known = {MADE_LENGTH, len(worker_token), *lengths}
        self._lengths = sorted((one for one in known if one >= MIN_TOKEN_LENGTH), reverse=True)

    def redact(self, text: str) -> str:
        """Return the text with each token replaced."""
        text = _WORD.sub(lambda found: self._without_tokens(found[0]), text)
        return _ENCODED.sub(lambda found: self._decoded(found[0]), text) if "%" in text else text

    def _without_tokens(self, word: str) -> str:
        if len(word) > MAX_WORD:
            return f"[{len(word)} characters]"
        kept: list[str] = []
        end = 0
        for start, after in self._spans(word):
            kept += [word[end:start], PLACEHOLDER]
            end = after
        return "".join([*kept, word[end:]])

    def _decoded(self, text: str) -> str:
        """Return the text without tokens of which characters are percent-encoded."""
        if "%" not in text:
            return text
        units = _UNIT.findall(text)
        decoded = "".join(unquote_to_bytes(unit).decode("latin-1") for unit in units)
        kept: list[str] = []
        end = 0
        for found in _WORD.finditer(decoded):
            for start, after in self._spans(found[0]):
                kept += [*units[end : found.start() + start], PLACEHOLDER]
                end = found.start() + after
        return "".join([*kept, *units[end:]])

    def _spans(self, word: str) -> Iterator[tuple[int, int]]:
        """Yield where tokens begin and end in a word of characters that tokens have."""
        content = word.encode("ascii")
        start = 0
        while start + MIN_TOKEN_LENGTH <= len(content):
            length = self._length_at(content, start)
            if length:
                yield start, start + length
            start += length or 1

    def _length_at(self, content: bytes, start: int) -> int:
        """Return the length of the token that begins here; 0 if there is none."""
        left = len(content) - start
        if len(content) <= MAX_SEARCHED:
            lengths: Sequence[int] = range(left, MIN_TOKEN_LENGTH - 1, -1)
        else:
            lengths = self._lengths if start else [left, *self._lengths]
        for length in lengths:
            if length <= left and self._is_token(content[start : start + length]):
                return length
        return 0

    def _is_token(self, content: bytes) -> bool:
        digest = hashlib.sha256(content).digest()
        return digest == self._worker_digest or digest in self._digests

    def redact_logs(self) -> None:
        """Remove tokens from every line that this process logs from now on."""
        for name in LOGGERS_WITH_HANDLERS:
            for handler in logging.getLogger(name).handlers:
                inner = handler.formatter or logging.Formatter()
                if isinstance(inner, _RedactingFormatter):  # of an earlier app in this process
                    inner = inner.inner
                handler.setFormatter(_RedactingFormatter(inner, self))


class _RedactingFormatter(logging.Formatter):
    def __init__(self, inner: logging.Formatter, redactor: TokenRedactor) -> None:
        super().__init__()
        self.inner = inner
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.redact(self.inner.format(record))
