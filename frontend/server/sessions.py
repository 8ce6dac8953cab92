"""Sessions of people who signed in, and the API's answers about tokens.

A session is a random id in a browser's cookie and a token for the API. Sessions exist only in this
process's memory.
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import httpx
from cachetools import TLRUCache, TTLCache

from frontend.api.transport import PREFIX
from frontend.server.forwarded import handed_on

COOKIE: Final = "lossboard_session"
IDLE_S: Final = 12 * 3600.0
"""A session ends when it has not been used for this time."""
LONGEST_S: Final = 7 * 24 * 3600.0
"""A session ends at this age even if it is used."""
MOST_SESSIONS: Final = 10_000
"""With more, the session whose last use is the oldest ends."""
ROLES: Final = ("viewer", "editor", "admin")
"""The API's roles; each may also do what the roles before it may."""


@dataclass(frozen=True)
class Person:
    """A person who is signed in."""

    name: str
    role: str

    def may(self, role: str) -> bool:
        """Return whether the person has at least this role; an unknown role has no rights."""
        return self.role in ROLES and ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True)
class Session:
    """One browser's sign-in."""

    token: str = field(repr=False)
    person: Person
    began: float


class Sessions:
    """The sessions of one process; safe to use from any thread."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, limit: int = MOST_SESSIONS
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: TLRUCache[str, Session] = TLRUCache(limit, _end, clock)
        self.needed = False
        """Whether the API demands a sign-in, as far as is known."""

    def begin(self, token: str, person: Person) -> str:
        """Start a session and return its id."""
        session_id = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[session_id] = Session(token, person, self._clock())
        return session_id

    def find(self, session_id: str | None) -> Session | None:
        """Return the session with this id and count that as use; None if it ended or never was."""
        with self._lock:
            session = self._sessions.get(session_id or "")
            if session is not None:
                self._sessions[session_id or ""] = session  # sets its end anew
            return session

    def end(self, session_id: str | None) -> None:
        """End a session, if there is one with this id."""
        with self._lock:
            self._sessions.pop(session_id or "", None)


@cache
def sessions() -> Sessions:
    """Return this process's sessions, which the server's routes and the pages' scripts share."""
    return Sessions()


def _end(_id: str, session: Session, now: float) -> float:
    """Return the time at which a session ends that is used now."""
    return min(now + IDLE_S, session.began + LONGEST_S)


RECHECK_S: Final = 5.0
"""How long the API's last answer is relied on."""
AUTH_TIMEOUT: Final = httpx.Timeout(10.0, connect=3.0)


class AuthUnavailableError(Exception):
    """The API does not answer whether a token is valid; the text is shown to people."""


class RefusedTokenError(Exception):
    """The API does not accept a token; the text is shown to people."""


UNKNOWN_TOKEN: Final = "This token is unknown or no longer valid."


class TooManyTokensError(Exception):
    """Too many wrong tokens came from the visitor's address."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"no more tokens for {wait_s} s")
        self.wait_s = wait_s


class ApiAuth:
    """Asks the API whether it demands a sign-in, and whose token one is."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        api_url: str,
        clock: Callable[[], float] = time.monotonic,
        *,
        ui_secret: str = "",
    ) -> None:
        self._client = client
        self._ui_secret = ui_secret
        self._url = f"{api_url}{PREFIX}/me"
        self._clock = clock
        self._needs_sign_in = False
        self._answered: float | None = None
        self._accepted: TTLCache[str, None] = TTLCache(MOST_SESSIONS, RECHECK_S, clock)

    async def needs_sign_in(self) -> bool:
        """Return whether the API demands a sign-in.

        While the API is away, its last answer counts. Before the first answer it is False: without
        the API there is nothing to protect, and the pages say that the API is away.
        """
        now = self._clock()
        if self._answered is None or now - self._answered >= RECHECK_S:
            try:
                answer = await self._client.get(self._url, timeout=AUTH_TIMEOUT)
            except httpx.HTTPError:
                return self._needs_sign_in
            self._needs_sign_in, self._answered = (
                answer.status_code == httpx.codes.UNAUTHORIZED,
                now,
            )
        return self._needs_sign_in

    async def is_revoked(self, token: str) -> bool:
        """Return whether the API accepts a session's token no longer.

        What it said is relied on for `RECHECK_S`. While it does not answer, the session goes on:
        each call of the API is checked there.
        """
        if token in self._accepted:
            return False
        try:
            await self.owner(token)
        except RefusedTokenError:
            return True
        except (AuthUnavailableError, TooManyTokensError):
            pass
        self._accepted[token] = None
        return False

    async def owner(self, token: str, address: str = "") -> Person:
        """Return the person who has this token.

        Args:
            token: what a visitor typed.
            address: of the visitor; the API counts wrong tokens by it.

        Raises:
            RefusedTokenError: the API does not accept it.
            TooManyTokensError: the API checks no more tokens of this address for a while.
            AuthUnavailableError: the API does not answer.
        """
        try:
            headers = [
                ("Authorization", f"Bearer {token}"),
                *handed_on(address, self._ui_secret),
            ]
            answer = await self._client.get(self._url, headers=headers, timeout=AUTH_TIMEOUT)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                raise RefusedTokenError(_sentence(answer.json()["message"]))
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                raise TooManyTokensError(float(answer.headers["retry-after"]))
            me = answer.raise_for_status().json()
            return Person(str(me["name"]), str(me["role"]))
        except (UnicodeEncodeError, httpx.LocalProtocolError):
            raise RefusedTokenError(UNKNOWN_TOKEN) from None  # no header can carry it
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise AuthUnavailableError(
                "The API does not answer, so nobody can be let in now. Is it running?"
            ) from error


def _sentence(text: object) -> str:
    """Return a message of the API as a sentence of its own."""
    said = str(text)
    return f"{said[:1].upper()}{said[1:]}."
