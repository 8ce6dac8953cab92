"""Who is signed in: random ids for browsers, tokens for the API, in this process's memory only.

Whether the API needs a token, and whose one is.
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import httpx

from frontend.api.transport import PREFIX

COOKIE: Final = "lossboard_session"
IDLE_S: Final = 12 * 3600.0
"""A session that nobody has used for so long is over."""
LONGEST_S: Final = 7 * 24 * 3600.0
"""And so is one that began so long ago."""
MOST_SESSIONS: Final = 10_000
"""Sessions; beyond, the one that was used longest ago ends."""
ROLES: Final = ("viewer", "editor", "admin")
"""As the API has them: each may do what those before it may."""


@dataclass(frozen=True)
class Person:
    """Whoever is signed in."""

    name: str
    role: str

    def may(self, role: str) -> bool:
        """Whether the person's role reaches another; a role unknown here reaches none."""
        return self.role in ROLES and ROLES.index(self.role) >= ROLES.index(role)


@dataclass
class Session:
    """One browser's sign-in."""

    token: str = field(repr=False)
    person: Person
    began: float
    used: float


class Sessions:
    """The sessions of one process; any thread may ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self.needed = False
        """Whether the API lets nobody in without; as last heard."""

    def begin(self, token: str, person: Person) -> str:
        """A new session; the id that stands for it."""
        own, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            for old in [key for key, session in self._sessions.items() if _over(session, now)]:
                del self._sessions[old]
            if len(self._sessions) >= MOST_SESSIONS:
                del self._sessions[min(self._sessions, key=lambda key: self._sessions[key].used)]
            self._sessions[own] = Session(token, person, now, now)
        return own

    def find(self, own: str | None) -> Session | None:
        """The session of an id, which is used by that; None where there is none, or no more."""
        now = self._clock()
        with self._lock:
            session = self._sessions.get(own or "")
            if session is None or _over(session, now):
                self._sessions.pop(own or "", None)
                return None
            session.used = now
            return session

    def end(self, own: str | None) -> None:
        """Forget a session; one that is over already is forgotten too."""
        with self._lock:
            self._sessions.pop(own or "", None)


@cache
def sessions() -> Sessions:
    """This process's own: the server's routes and the pages' scripts share them."""
    return Sessions()


def _over(session: Session, now: float) -> bool:
    return now - session.used > IDLE_S or now - session.began > LONGEST_S


KNOWN_S: Final = 5.0
"""How long an answer is taken for the state of things."""
ASKING: Final = httpx.Timeout(10.0, connect=3.0)


class DoorAwayError(Exception):
    """The API does not say; for people."""


class Door:
    """Asks the API."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        api_url: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._url = f"{api_url}{PREFIX}/me"
        self._clock = clock
        self._locked = False
        self._asked: float | None = None

    async def locked(self) -> bool:
        """Whether one has to sign in.

        While the API is away it is as it was last; at first open, for there is nothing to see
        without the API, and the page itself says that it is away.
        """
        now = self._clock()
        if self._asked is None or now - self._asked >= KNOWN_S:
            try:
                answer = await self._client.get(self._url, timeout=ASKING)
            except httpx.HTTPError:
                return self._locked
            self._locked, self._asked = answer.status_code == httpx.codes.UNAUTHORIZED, now
        return self._locked

    async def owner(self, token: str) -> Person | None:
        """Whose token it is; None for nobody's.

        Raises:
            DoorAwayError: the API does not say.
        """
        try:
            headers = {"Authorization": f"Bearer {token}"}
            answer = await self._client.get(self._url, headers=headers, timeout=ASKING)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                return None
            said = answer.raise_for_status().json()
            return Person(str(said["name"]), str(said["role"]))
        except (UnicodeEncodeError, httpx.LocalProtocolError):
            return None  # such a thing cannot even be sent
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise DoorAwayError(
                "The API does not answer, so nobody can be let in now. Is it running?"
            ) from error
