"""The limit on guesses of tokens: ten wrong ones from an address within a minute.

Then further wrong ones from there are refused unseen for a while, and so are right ones that may
have been guessed: or else a guesser would simply go on. Let in all the same are tokens of full
length, which nobody guesses, and people whose token was accepted from that address before: people
behind one proxy do not lock each other out. Used in the event loop only.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from cachetools import LRUCache, TTLCache

from backend.auth.tokens import hash_token

MAX_WRONG: Final = 10
WITHIN_S: Final = 60.0
REMEMBERED: Final = 10_000
"""Entries of each kind that are kept; with more, the oldest are dropped."""


class Guesses:
    """The recent wrong tokens of each address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._addresses: _Times = TTLCache(REMEMBERED, WITHIN_S, clock)
        self._tokens: _Times = TTLCache(REMEMBERED, WITHIN_S, clock)
        self._accepted: LRUCache[tuple[str, str], None] = LRUCache(REMEMBERED)

    def wait_s(self, address: str, token: str) -> float:
        """Return the seconds until the address may try this token; 0 if it may now."""
        key = _key(address, token)
        return max(self._wait(self._addresses, address), self._wait(self._tokens, key))

    def failed(self, address: str, token: str) -> None:
        """Remember a wrong token.

        One that is sent again and again, as by a program whose token was revoked, is no new guess:
        it uses up its own ten attempts and not those of its neighbours.
        """
        key = _key(address, token)
        if key not in self._tokens:
            self._add(self._addresses, address)
        self._add(self._tokens, key)

    def passed(self, address: str, name: str) -> None:
        """Remember that a person's token was accepted from an address."""
        self._accepted[address, name] = None

    def knows(self, address: str, name: str) -> bool:
        """Return whether the person's token was accepted from this address before."""
        return (address, name) in self._accepted

    def _wait(self, times_of: "_Times", key: str) -> float:
        times = times_of.get(key)
        if times is None or len(times) < MAX_WRONG:
            return 0.0
        return max(0.0, WITHIN_S - (self._clock() - times[0]))

    def _add(self, times_of: "_Times", key: str) -> None:
        times = times_of.get(key) or deque(maxlen=MAX_WRONG)
        times.append(self._clock())
        times_of[key] = times  # keeps them for WITHIN_S from now


_Times = TTLCache[str, deque[float]]


def _key(address: str, token: str) -> str:
    return f"{address} {hash_token(token).hex()}"
