"""Clients of the API's internal part: one for a slot, which trains runs, and one for a projector.

A slot claims runs, keeps their leases by heartbeats and reports that it is alive. A projector
claims projections, reports their progress and their end. Blobs have a client of their own, in
`worker.api.blobs`.
"""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract.artifacts import Keep
from contract.comparison.bundles import MOST_RUNS
from contract.names import API_PREFIX
from worker.api.plugin_ref import PluginRef
from worker.errors import ApiUnavailableError
from worker.settings import Settings

SLOT_TIMEOUT: Final = httpx.Timeout(2.0, connect=1.0)
"""Short: while a call waits, the slot does nothing else, and a cancel must take effect quickly."""
PROJECTION_TIMEOUT: Final = httpx.Timeout(10.0, connect=2.0)

Model = TypeVar("Model", bound=BaseModel)


class Claim(BaseModel):
    """One attempt of one run, which now belongs to this slot."""

    model_config = ConfigDict(frozen=True)

    run: str
    attempt: int = Field(ge=1)
    start_after: int = Field(0, ge=0)
    """The step after which this attempt starts; 0 without a checkpoint."""
    checkpoint: str | None = None
    """Digest of the blob of that step's checkpoint."""
    lease_s: float = Field(gt=0)
    """Seconds without a heartbeat after which the API gives the run to another slot."""
    comparison: str
    arm: str
    seed: int
    spec: dict[str, Any]
    """Spec of the whole comparison. Only the trainer reads it, so that an unreadable one fails its
    run and not the slot."""
    keep: Keep | None = None
    """What is kept of the trained model; None for nothing, also by an API that knows of none."""
    loss_digest: str | None = None
    """Of the plug-in that its loss is; None for one of our own losses."""
    plugin: PluginRef | None = None
    """Where that plug-in lies: the slot fills it in for its trainer."""


class HeartbeatAnswer(BaseModel):
    """What the API says about an attempt."""

    model_config = ConfigDict(frozen=True)

    current: bool
    """Whether the run still has this attempt; not so once a newer one has begun."""
    state: str
    """State of the run."""
    cancel: bool = False
    """Whether the run is to be cancelled."""
    committed_seq: int = 0
    """Number of the last event of this attempt that the backend has stored."""

    @property
    def over(self) -> bool:
        """Whether the backend expects nothing more of this attempt."""
        return not self.current or self.state != "running"


class _ClaimAnswer(Claim):
    """A claim, and those to be trained with it."""

    others: list[Claim] = Field(default_factory=list)


class _HeartbeatAnswers(BaseModel):
    answers: list[HeartbeatAnswer]


class _FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True)


class EpochInput(_FrozenModel):
    """One snapshot to project."""

    epoch: int
    embeddings: str
    """Digest of the embeddings' blob."""


class ArmInput(_FrozenModel):
    """The snapshots of one arm to project."""

    arm: str
    epochs: list[EpochInput]


class ProjectionTask(_FrozenModel):
    """A projection that a viewer waits for."""

    id: str
    method: str
    dims: int
    seed: int
    inputs: list[ArmInput]


class _InternalApi:
    """Calls to one section of the API's internal part."""

    def __init__(self, settings: Settings, timeout: httpx.Timeout, path: str = "") -> None:
        self._http = http_client(settings, timeout, path)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _post(self, path: str, body: Mapping[str, object]) -> httpx.Response:
        try:
            answer = self._http.post(path, json=body)
        except httpx.HTTPError as error:
            raise ApiUnavailableError(f"{path}: {error!r}") from error
        if answer.is_success:
            return answer
        raise ApiUnavailableError(f"{path}: HTTP {answer.status_code}: {answer.text[:500]}")


class SlotApi(_InternalApi):
    """The calls of a slot. Each raises ApiUnavailableError if there is no usable answer."""

    def __init__(
        self, settings: Settings, digests: Callable[[], Sequence[str]] = lambda: ()
    ) -> None:
        """Args:
        settings: of the slot.
        digests: returns those of the plug-ins that the slot has.
        """
        super().__init__(settings, SLOT_TIMEOUT)
        self._digests = digests
        self._name = settings.name
        self.device = settings.device
        self._process = {
            "device": settings.device,
            "host": socket.gethostname(),
            "pid": os.getpid(),
        }

    def claim(self) -> list[Claim]:
        """Claim the next queued run of this slot's device class, and others that may be trained
        together with it; an empty list if none is queued."""
        asked = {"worker": self._name, **self._introduction(), "most": MOST_RUNS}
        answer = self._post("/claim", asked)
        if answer.status_code == httpx.codes.NO_CONTENT:
            return []
        first = _parse(_ClaimAnswer, answer)
        return [Claim(**first.model_dump(exclude={"others"})), *first.others]

    def heartbeats(
        self, claims: Sequence[Claim], usage: Mapping[str, float | None] | None = None
    ) -> list[HeartbeatAnswer]:
        """Renew the leases of runs, and return their states in the same order.

        Args:
            claims: the runs.
            usage: what their trainer uses of the machine; None while not known.
        """
        body: dict[str, object] = {
            "worker": self._name,
            "runs": [{"run": claim.run, "attempt": claim.attempt} for claim in claims],
        }
        if usage is not None:
            body["usage"] = dict(usage)
        answer = self._post("/heartbeats", body)
        answers = _parse(_HeartbeatAnswers, answer).answers
        if len(answers) != len(claims):
            raise ApiUnavailableError(f"{len(answers)} answers about {len(claims)} runs")
        return answers

    def report_presence(self) -> None:
        """Report that this slot is alive."""
        self._post(f"/workers/{quote(self._name, safe='')}/seen", self._introduction())

    def report_plugins(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Report what was found of the plug-ins that this slot is to offer."""
        self._post("/plugins", {"worker": self._name, "plugins": list(entries)})

    def _introduction(self) -> dict[str, object]:
        digests = list(self._digests())
        return {**self._process, **({"losses": digests} if digests else {})}


class ProjectionApi(_InternalApi):
    """The calls of a projector. Each raises ApiUnavailableError if there is no usable answer."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, PROJECTION_TIMEOUT, "/projections")

    def claim(self, methods: Sequence[str]) -> ProjectionTask | None:
        """Claim the projection by one of these methods that has waited longest; None if none
        waits."""
        answer = self._post("/claim", {"methods": list(methods)})
        if answer.status_code == httpx.codes.NO_CONTENT:
            return None
        return _parse(ProjectionTask, answer)

    def progress(self, task: str, share: float) -> bool:
        """Report the share done, 0 to 1; return whether the projection is still wanted."""
        answer = self._post(f"/{quote(task, safe='')}/progress", {"progress": share})
        return bool(answer.json().get("current"))

    def end(self, task: str, *, digest: str | None = None, error: str | None = None) -> None:
        """Report the digest of the coordinates' blob, or why there is none."""
        self._post(f"/{quote(task, safe='')}/end", {"digest": digest, "error": error})


def http_client(settings: Settings, timeout: httpx.Timeout, path: str = "") -> httpx.Client:
    """Return an HTTP client that sends the workers' token.

    Args:
        settings: address of the API, and the token.
        timeout: of one call.
        path: common to all calls, below the API's internal part.
    """
    return httpx.Client(
        base_url=f"{settings.api_url}{API_PREFIX}/internal{path}",
        headers={"Authorization": f"Bearer {settings.token}"},
        timeout=timeout,
        # Without TLS there is nothing to verify, and the list of authorities takes 30 ms to read.
        verify=httpx.URL(settings.api_url).scheme != "http",
        trust_env=False,  # a proxy that is set for the internet would not reach a local API
    )


def _parse(model: type[Model], answer: httpx.Response) -> Model:
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as error:
        raise ApiUnavailableError(f"not the API's answer: {error}") from error
