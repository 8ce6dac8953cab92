"""What a worker tells the backend, one message an entry of the event stream.

Every message names its run, attempt and, where its place in the series matters, its number `seq`
(1, 2, 3, ... without gaps). The backend takes a message only if its attempt is the run's current
one and its seq is the next, so that a message sent twice counts once and a lost one is asked for
again (the heartbeat's answer says which seq was committed last).
"""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator

VERSION: Final = 1
LARGEST: Final = 2**63 - 1
"""No database has room for a larger whole number."""


def _storable(text: object) -> object:
    """Without what UTF-8 or a PostgreSQL cannot hold, which stands in texts of libraries: an event
    that cannot be stored ends its run."""
    if not isinstance(text, str):
        return text
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")


Text = Annotated[str, BeforeValidator(_storable)]
"""Text of any origin."""
Step = Annotated[int, Field(ge=0, le=LARGEST)]
"""Optimiser steps done."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    v: Literal[1] = VERSION
    run: str
    attempt: int = Field(ge=1)


class _Numbered(_Message):
    seq: int = Field(ge=1)


class Failure(BaseModel):
    """Why a run failed, for people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: Text
    """What happened, with what was seen."""
    cause: Text = ""
    """The likely cause and what to do about it; empty where unknown."""
    step: int | None = None
    """The optimiser step at which it happened."""


class Preparation(BaseModel):
    """What a run does before its first step, and how far it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: Text = Field(max_length=500)
    """The work, as "downloading cifar-10-python.tar.gz"."""
    done: float = Field(ge=0)
    total: float | None = Field(default=None, ge=0)
    """None where nobody knows."""
    unit: str = Field("items", max_length=50)
    """Of both."""
    eta_s: float | None = Field(default=None, ge=0)
    """Seconds this work still takes, at its pace so far."""


class Preparing(_Numbered):
    """The trainer fetches, reads or computes what its first step needs."""

    kind: Literal["preparing"] = "preparing"
    preparation: Preparation


class Started(_Numbered):
    """The trainer has built everything and is about to take its first step."""

    kind: Literal["started"] = "started"
    device: Text
    """As shown to people, e.g. "cpu" or "NVIDIA H100"."""
    total_steps: Step
    steps_per_epoch: int = Field(ge=1, le=LARGEST)
    after: Step = 0
    """The step it goes on from: the claim's, or 0 where it could not use the checkpoint. Then what
    earlier attempts measured is forgotten, so that no series is made of two histories."""


class Column(BaseModel):
    """New points of one series: as many steps as values, steps rising."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    steps: list[Step]
    values: list[float | None]
    """A value that is not finite travels as None."""

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
"""SHA-256 of a blob's bytes, as hex digits: its name."""


class Snapshot(BaseModel):
    """The blobs of one snapshot; the backend holds them before the message is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int = Field(ge=0)
    step: Step
    embeddings: Digest
    """A .npy file: [N, D] float32, the rows in the order of the samples."""
    facts: Digest
    """A contract.snapshots.Facts as JSON."""
    samples: Digest
    """A contract.snapshots.Samples as JSON; the same for all snapshots of one data section."""
    sprite: Digest | None = None
    """A PNG with a tile for each sample, row by row; None where they are no pictures."""
    sounds: Digest | None = None
    """A wav file with the recordings of all sounds, one behind another; None where none are."""


class Kept(_Numbered):
    """A snapshot of the held-out samples was kept."""

    kind: Literal["kept"] = "kept"
    snapshot: Snapshot


class Checkpointed(_Numbered):
    """A checkpoint was stored; sent behind all points and snapshots up to its step, so that it
    counts only when they do."""

    kind: Literal["checkpointed"] = "checkpointed"
    step: int = Field(ge=1, le=LARGEST)
    digest: Digest
    """Of the blob, which only a worker can read."""


class Ended(_Numbered):
    """The last message of an attempt that came to its own end."""

    kind: Literal["ended"] = "ended"
    state: Literal["succeeded", "failed", "cancelled"]
    failure: Failure | None = None


class Lost(_Message):
    """Sent by the supervisor for a trainer that died without an end, behind all it had sent.

    It carries no seq, for the supervisor does not know the last one; the stream's order places it.
    """

    kind: Literal["lost"] = "lost"
    reason: Text
    strike: bool = True
    """Whether it counts towards the attempts after which the run fails; a worker that was asked
    to stop is no fault of the run."""


Event = Annotated[
    Preparing | Started | Points | Log | Kept | Checkpointed | Ended | Lost,
    Field(discriminator="kind"),
]
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def decode(raw: bytes | str) -> Event:
    """Read one event.

    Raises:
        pydantic.ValidationError: it is no event of this version.
    """
    return _EVENT.validate_json(raw)


def encode(event: Event) -> bytes:
    """Write one event as JSON."""
    return event.model_dump_json().encode()
