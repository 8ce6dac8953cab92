"""What a worker tells the backend, one message an entry of the event stream.

Every message names its run, attempt and, where its place in the series matters, its number `seq`
(1, 2, 3, ... without gaps). The backend takes a message only if its attempt is the run's current
one and its seq is the next, so that a message sent twice counts once and a lost one is asked for
again (the heartbeat's answer says which seq was committed last).
"""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

VERSION: Final = 1


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

    message: str
    """What happened, with what was seen."""
    cause: str = ""
    """The likely cause and what to do about it; empty where unknown."""
    step: int | None = None
    """The optimiser step at which it happened."""


class Preparation(BaseModel):
    """What a run does before its first step, and how far it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str = Field(max_length=500)
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
    device: str
    """As shown to people, e.g. "cpu" or "NVIDIA H100"."""
    total_steps: int = Field(ge=0)
    steps_per_epoch: int = Field(ge=1)


class Column(BaseModel):
    """New points of one series: as many steps as values, steps rising."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    steps: list[int]
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
    step: int = Field(ge=0)
    series: list[Column]


class Log(_Numbered):
    """Lines for the run's log."""

    kind: Literal["log"] = "log"
    lines: list[str]


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
    reason: str
    strike: bool = True
    """Whether it counts towards the attempts after which the run fails; a worker that was asked
    to stop is no fault of the run."""


Event = Annotated[Preparing | Started | Points | Log | Ended | Lost, Field(discriminator="kind")]
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
