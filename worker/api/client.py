"""Client of the API's internal part: claim a run, keep its lease, say that the slot lives."""

import os
import socket
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from worker.api import connection as internal
from worker.api.claim import GONE, Claim, Pulse
from worker.errors import ApiUnavailableError
from worker.settings import Settings

TIMEOUT: Final = httpx.Timeout(2.0, connect=1.0)
"""Short: while a call waits, the slot looks after nothing else, and a cancel must be quick."""

Model = TypeVar("Model", bound=BaseModel)


class Api:
    """The calls a slot makes; every one raises ApiUnavailableError where it got no good answer."""

    def __init__(self, settings: Settings) -> None:
        self._name = settings.name
        self._where = {
            "device": settings.device,
            "host": socket.gethostname(),
            "pid": os.getpid(),
        }
        self._http = internal.client(settings, TIMEOUT)

    def claim(self) -> Claim | None:
        """Take the next queued run of this device class; None if there is none."""
        answer = self._post("/claim", {"worker": self._name, **self._where})
        return None if answer.status_code == httpx.codes.NO_CONTENT else _read(Claim, answer)

    def heartbeat(self, claim: Claim) -> Pulse:
        """Renew the lease; the answer says how the run stands."""
        answer = self._post(
            f"/runs/{quote(claim.run, safe='')}/heartbeat",
            {"attempt": claim.attempt, "worker": self._name},
            missing_is_fine=True,
        )
        if answer.status_code == httpx.codes.NOT_FOUND:
            return GONE
        return _read(Pulse, answer)

    def seen(self) -> None:
        """Say that this slot lives."""
        self._post(f"/workers/{quote(self._name, safe='')}/seen", self._where)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _post(
        self, path: str, body: dict[str, object], *, missing_is_fine: bool = False
    ) -> httpx.Response:
        try:
            answer = self._http.post(path, json=body)
        except httpx.HTTPError as error:
            raise ApiUnavailableError(f"{path}: {error!r}") from error
        if answer.is_success or (missing_is_fine and answer.status_code == httpx.codes.NOT_FOUND):
            return answer
        raise ApiUnavailableError(f"{path}: HTTP {answer.status_code}: {answer.text[:500]}")


def _read(model: type[Model], answer: httpx.Response) -> Model:
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as error:
        raise ApiUnavailableError(f"not the API's answer: {error}") from error
