"""Client of the API's internal part: claim a run, keep its lease, say that the slot lives.

How a worker's processes reach the internal part of the API.

What the API tells a slot: a run to train, and how that run stands.

Client of the API's internal part for projections.
"""

import os
import socket
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract.names import API_PREFIX
from worker.errors import ApiUnavailableError
from worker.settings import Settings


def http_client(settings: Settings, timeout: httpx.Timeout, path: str = "") -> httpx.Client:
    """A client that shows the workers' token.

    Args:
        settings: where the API is, and the token.
        timeout: of a call.
        path: below the internal part, that all its calls share.
    """
    return httpx.Client(
        base_url=f"{settings.api_url}{API_PREFIX}/internal{path}",
        headers={"Authorization": f"Bearer {settings.token}"},
        timeout=timeout,
        trust_env=False,  # the API is a neighbour; a proxy meant for the internet would miss it
    )


class Claim(BaseModel):
    """One attempt of one run, now this slot's."""

    model_config = ConfigDict(frozen=True)

    run: str
    attempt: int = Field(ge=1)
    start_after: int = Field(0, ge=0)
    """The step this attempt starts after; 0 without a checkpoint."""
    checkpoint: str | None = None
    """The digest of that checkpoint's blob."""
    lease_s: float = Field(gt=0)
    """How long the API waits for a heartbeat before it gives the run to another slot."""
    comparison: str
    arm: str
    seed: int
    spec: dict[str, Any]
    """The whole comparison's; read by the trainer, so that a bad one fails only its run."""


class HeartbeatAnswer(BaseModel):
    """A heartbeat's answer."""

    model_config = ConfigDict(frozen=True)

    current: bool
    """Whether the attempt is still the run's."""
    state: str
    cancel: bool = False
    committed_seq: int = 0
    """The last event of this attempt that the backend has stored."""

    @property
    def over(self) -> bool:
        """Whether the backend expects nothing more of this attempt."""
        return not self.current or self.state != "running"


RUN_GONE = HeartbeatAnswer(current=False, state="gone")
"""The answer for a run that no longer exists."""


TIMEOUT: Final = httpx.Timeout(2.0, connect=1.0)
"""Short: while a call waits, the slot looks after nothing else, and a cancel must be quick."""

Model = TypeVar("Model", bound=BaseModel)


class SlotApi:
    """The calls a slot makes; every one raises ApiUnavailableError where it got no good answer."""

    def __init__(self, settings: Settings) -> None:
        self._name = settings.name
        self._where = {
            "device": settings.device,
            "host": socket.gethostname(),
            "pid": os.getpid(),
        }
        self._http = http_client(settings, TIMEOUT)

    def claim(self) -> Claim | None:
        """Take the next queued run of this device class; None if there is none."""
        answer = self._post("/claim", {"worker": self._name, **self._where})
        return None if answer.status_code == httpx.codes.NO_CONTENT else _read(Claim, answer)

    def heartbeat(self, claim: Claim) -> HeartbeatAnswer:
        """Renew the lease; the answer says how the run stands."""
        answer = self._post(
            f"/runs/{quote(claim.run, safe='')}/heartbeat",
            {"attempt": claim.attempt, "worker": self._name},
            missing_is_fine=True,
        )
        if answer.status_code == httpx.codes.NOT_FOUND:
            return RUN_GONE
        return _read(HeartbeatAnswer, answer)

    def report_presence(self) -> None:
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


PROJECTION_TIMEOUT: Final = httpx.Timeout(10.0, connect=2.0)


class _In(BaseModel):
    model_config = ConfigDict(frozen=True)


class EpochInput(_In):
    """One snapshot."""

    epoch: int
    embeddings: str
    """The blob's digest."""


class ArmInput(_In):
    """One arm's snapshots."""

    arm: str
    epochs: list[EpochInput]


class ProjectionTask(_In):
    """A projection that a viewer waits for."""

    id: str
    method: str
    dims: int
    seed: int
    inputs: list[ArmInput]


class ProjectionApi:
    """The calls a projector makes; every one raises ApiUnavailableError where it got no good
    answer."""

    def __init__(self, settings: Settings) -> None:
        self._http = http_client(settings, PROJECTION_TIMEOUT, "/projections")

    def claim(self) -> ProjectionTask | None:
        """Take what waits longest; None if nothing does."""
        answer = self._post("/claim", {})
        if answer.status_code == httpx.codes.NO_CONTENT:
            return None
        try:
            return ProjectionTask.model_validate_json(answer.content)
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
