"""What the API tells a slot: a run to train, and how that run stands."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


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


class Pulse(BaseModel):
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


GONE = Pulse(current=False, state="gone")
"""The answer for a run that no longer exists."""
