"""Whether the API needs a token, and whose one is."""

import time
from collections.abc import Callable
from typing import Final

import httpx

from frontend.api.transport import PREFIX
from frontend.server.sessions import Person

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
