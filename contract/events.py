"""Events that a worker sends to the backend, one for each entry of the event stream.

Every event names its run and attempt and, where its order matters, its number `seq` (1, 2, 3, ...
without gaps). The backend accepts an event only if its attempt is the current one of the run and
its seq is the next. So an event that is sent twice counts once, and a lost one is sent again: the
answer to a heartbeat says which seq was committed last.
"""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator

from contract.artifacts import ArtifactKind
from contract.metrics.states import State

VERSION: Final = 1
MAX_INTEGER: Final = 2**63 - 1
"""Largest integer that the databases can store."""


def _make_storable(text: object) -> object:
    """Replace characters that UTF-8 or PostgreSQL cannot store.

    Messages of libraries may hold them, and an event that cannot be stored would end its run.
    """
    if not isinstance(text, str):
        return text
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")


Text = Annotated[str, BeforeValidator(_make_storable)]
"""Text of any origin."""
Step = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
"""Number of optimiser steps done."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    v: Literal[1] = VERSION
    run: Text
    attempt: int = Field(ge=1)


class _Numbered(_Message):
    seq: int = Field(ge=1)


class Failure(BaseModel):
    """Why a run failed, for people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: Text
    """What happened, with the values that were seen."""
    cause: Text = ""
    """Likely cause and what to do about it; empty where unknown."""
    step: int | None = None
    """Optimiser step at which it happened."""


class Preparation(BaseModel):
    """What a run does before its first step, and how far it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: Text = Field(max_length=500)
    """The work, for example "downloading cifar-10-python.tar.gz"."""
    done: float = Field(ge=0)
    total: float | None = Field(default=None, ge=0)
    """None where it is not known."""
    unit: str = Field("items", max_length=50)
    """Unit of `done` and `total`."""
    eta_s: float | None = Field(default=None, ge=0)
    """Estimated seconds until this work is done, at its pace so far."""


class Preparing(_Numbered):
    """The trainer fetches, reads or computes what its first step needs."""

    kind: Literal["preparing"] = "preparing"
    preparation: Preparation


class Started(_Numbered):
    """The trainer has built everything and is about to take its first step."""

    kind: Literal["started"] = "started"
    device: Text
    """Name for the pages, for example "cpu" or "NVIDIA H100"."""
    total_steps: Step
    steps_per_epoch: int = Field(ge=1, le=MAX_INTEGER)
    after: Step = 0
    """Step from which the attempt continues: that of the claim, or 0 where the checkpoint could not
    be used. In that case the points of earlier attempts are deleted, so that no series mixes two
    histories."""
    versions: dict[str, str] = Field(default_factory=dict, max_length=20)
    """What the numbers depend on: the version of the product (engine) and of the definitions of its
    measures (measures)."""
    splits: dict[str, int] = Field(default_factory=dict, max_length=20)
    """Items of each split: train, validation, test."""
    environment: dict[str, str] = Field(default_factory=dict, max_length=40)
    """What the run is trained on: host, system, processor, Python, libraries, commit; by name."""


class Noticed(_Numbered):
    """The training got into a state, or out of it; a log line says it to people as well."""

    kind: Literal["noticed"] = "noticed"
    state: State
    step: Step
    """Since when, as optimiser steps done."""
    message: Text
    """What was seen, and what to do about it."""
    over: bool = False
    """Whether the run has left the state."""


class Column(BaseModel):
    """New points of one series: the same number of steps and values, steps rising."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    steps: list[Step]
    values: list[float | None]
    """A value that is not finite is sent as None."""

    @model_validator(mode="after")
    def _as_many_steps_as_values(self) -> Self:
        if len(self.steps) != len(self.values):
            raise ValueError("a column needs as many steps as values")
        return self


class Points(_Numbered):
    """Measured values; `step` is the last optimiser step finished."""

    kind: Literal["points"] = "points"
    step: Step
    series: list[Column]


class Log(_Numbered):
    """Lines for the run's log."""

    kind: Literal["log"] = "log"
    lines: list[Text]


Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""SHA-256 of the bytes of a blob in hex digits, which is the blob's name."""


class Snapshot(BaseModel):
    """The blobs of one snapshot; they are stored in the backend before the event is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int = Field(ge=0)
    step: Step
    embeddings: Digest
    """A .npy file of [N, D] float32, with rows in the order of the samples."""
    facts: Digest
    """A contract.snapshots.Facts as JSON."""
    samples: Digest
    """A contract.snapshots.Samples as JSON; the same for all snapshots of one data section."""
    sprite: Digest | None = None
    """A PNG with a tile for each sample, row by row; None where samples are no pictures."""
    sounds: Digest | None = None
    """A wav file with all recordings, one after another; None where there are none."""


class Kept(_Numbered):
    """A snapshot of the held-out samples was kept."""

    kind: Literal["kept"] = "kept"
    snapshot: Snapshot


class Checkpointed(_Numbered):
    """A checkpoint was stored.

    It is sent after all points and snapshots up to its step, so that it counts only once they do.
    """

    kind: Literal["checkpointed"] = "checkpointed"
    step: int = Field(ge=1, le=MAX_INTEGER)
    digest: Digest
    """Digest of the blob, which only workers can read."""


class Artifact(BaseModel):
    """A part of the trained model that a run kept, or could not keep."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ArtifactKind
    digest: Digest | None
    """Its blob, stored in the backend before the event is sent; None where it was not kept."""
    size: int = Field(ge=0, le=MAX_INTEGER)
    """Bytes of its blob, or that it would have had."""
    facts: dict[str, Any] = Field(default_factory=dict)
    """Of weights a contract.artifacts.WeightsFacts."""
    problem: Text = ""
    """Why it was not kept, for people."""


class ArtifactKept(_Numbered):
    """A part of the trained model was kept, or could not be; sent if the claim asked for it."""

    kind: Literal["artifact"] = "artifact"
    artifact: Artifact


class Usage(BaseModel):
    """What an attempt used of its machine; of runs that are trained together, all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float = Field(ge=0)
    """Wall time from the claim to the end."""
    cpu_seconds: float = Field(ge=0)
    """Processor time of all threads."""
    memory_bytes: int = Field(ge=0, le=MAX_INTEGER)
    """The most memory that the process had at once."""
    samples_per_s: float | None = Field(default=None, ge=0)
    """Training items a second, without the time of measuring; None before a step was done."""


class Ended(_Numbered):
    """The last event of an attempt that ended in the normal way."""

    kind: Literal["ended"] = "ended"
    state: Literal["succeeded", "failed", "cancelled"]
    failure: Failure | None = None
    usage: Usage | None = None


class Lost(_Message):
    """A trainer died without sending `Ended`; its supervisor sends this after all its events.

    It has no seq, because the supervisor does not know the last one; its position in the stream
    gives the order.
    """

    kind: Literal["lost"] = "lost"
    reason: Text
    strike: bool = True
    """Whether it counts towards the attempts after which the run fails; it does not where the
    worker was asked to stop, which is not caused by the run."""
    cause: Text = ""
    """Likely cause and what to do about it; empty for the usual one, too little memory."""


Event = Annotated[
    Preparing
    | Started
    | Points
    | Noticed
    | Log
    | Kept
    | Checkpointed
    | ArtifactKept
    | Ended
    | Lost,
    Field(discriminator="kind"),
]
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def decode(raw: bytes | str) -> Event:
    """Read one event.

    Raises:
        pydantic.ValidationError: this is no event of this version.
    """
    return _EVENT.validate_json(raw)


def encode(event: Event) -> bytes:
    """Write one event as JSON."""
    return event.model_dump_json().encode()
