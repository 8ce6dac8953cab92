"""Client of the API's internal part for projections."""

from typing import Final
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from worker.api import client as internal
from worker.errors import ApiUnavailableError
from worker.settings import Settings

PROJECTION_TIMEOUT: Final = httpx.Timeout(10.0, connect=2.0)


class _In(BaseModel):
    model_config = ConfigDict(frozen=True)


class EpochIn(_In):
    """One snapshot."""

    epoch: int
    embeddings: str
    """The blob's digest."""


class ArmIn(_In):
    """One arm's snapshots."""

    arm: str
    epochs: list[EpochIn]


class Task(_In):
    """A projection that a viewer waits for."""

    id: str
    method: str
    dims: int
    seed: int
    inputs: list[ArmIn]


class ProjectionApi:
    """The calls a projector makes; every one raises ApiUnavailableError where it got no good
    answer."""

    def __init__(self, settings: Settings) -> None:
        self._http = internal.client(settings, PROJECTION_TIMEOUT, "/projections")

    def claim(self) -> Task | None:
        """Take what waits longest; None if nothing does."""
        answer = self._post("/claim", {})
        if answer.status_code == httpx.codes.NO_CONTENT:
            return None
        try:
            return Task.model_validate_json(answer.content)
        except ValidationError as error:
            raise ApiUnavailableError(f"not the API's answer: {error}") from error

    def progress(self, task: str, share: float) -> bool:
        """Say how much is done, 0 to 1; whether somebody still wants it."""
        answer = self._post(f"/{quote(task, safe='')}/progress", {"progress": share})
        return bool(answer.json().get("current"))

    def end(self, task: str, *, digest: str | None = None, error: str | None = None) -> None:
        """Give the coordinates' blob, or say why there is none."""
        self._post(f"/{quote(task, safe='')}/end", {"digest": digest, "error": error})

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _post(self, path: str, body: dict[str, object]) -> httpx.Response:
        try:
            answer = self._http.post(path, json=body)
        except httpx.HTTPError as error:
            raise ApiUnavailableError(f"{path}: {error!r}") from error
        if answer.is_success:
            return answer
        raise ApiUnavailableError(f"{path}: HTTP {answer.status_code}: {answer.text[:500]}")
