"""Searches as the API shows them, and the requests that enlarge them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.runs.schemas import State
from contract.comparison.tuning import Value

TrialState = Literal["waiting", "running", "complete", "failed", "cancelled"]
Phase = Literal["search", "final", "done"]


class TrialRunOut(BaseModel):
    """A run of a trial."""

    id: str
    seed: int
    fold: int | None
    """From 0; null where the tuning has one fold."""
    state: State
    value: float | None
    """Of the objective at its best epoch; null until it has succeeded."""
    best_epoch: int | None


class TrialOut(BaseModel):
    """One setting of an arm that was tried."""

    number: int
    params: dict[str, Value]
    """Path -> value; empty for the arm as it is written."""
    state: TrialState
    """complete and failed count against the budget. A cancelled one has a cancelled run, or its
    search was cancelled before it was judged; a retry goes on with it."""
    value: float | None
    """Mean over its runs of the objective at their best epochs."""
    epochs: int | None
    """Median of the best epochs of its runs."""
    runs: list[TrialRunOut]


class CurvePoint(BaseModel):
    """The best value after n trials."""

    n: int
    value: float
    """With the random sampler the expected best of n trials, without the arm as it is written; with
    TPE the best of the first n."""
    low: float | None
    """10 % quantile of the best of n trials, by value; null with TPE."""
    high: float | None
    """90 % quantile."""


class TunedArm(BaseModel):
    """The search of one arm."""

    name: str
    space: dict[str, dict[str, Any]]
    """Path -> range or choices, as in the spec."""
    trials: list[TrialOut]
    best: int | None
    """Number of the trial with the best value."""
    default: int | None
    """Number of the trial that is the arm as it is written; null without one."""
    problem: str | None
    """Why it has no final runs, once its search is over."""
    curve: list[CurvePoint]
    importance: dict[str, float] | None
    """Path -> share of what distinguishes the best trials, by PED-ANOVA; null with too few."""
    near_best: float | None
    """Share of its complete trials whose value is within 1 % of the best one's; null without any.
    """
    spent_s: float
    """Training time of its trials' runs, without measuring."""


class TuningOut(BaseModel):
    """The search of a comparison."""

    tuning: dict[str, Any]
    """The section of the spec."""
    phase: Phase
    """search until the final runs exist, final until they are over, then done. Also done if there
    are none because all trials of all arms have failed."""
    problem: str | None
    """Why it stands still, although its runs allow the next step; null while it does not."""
    arms: list[TunedArm]


class SensitivityPoint(BaseModel):
    """A trial at its value of one setting."""

    trial: int
    value: float | None
    """Of the objective; null unless the trial is complete."""
    x: Value
    """Of the setting."""
    state: TrialState


class SensitivityArm(BaseModel):
    """The trials of one arm along one setting."""

    name: str
    points: list[SensitivityPoint]
    default: Value | None
    """The setting's value in the arm as it is written; null if it has none."""
    published: float | None
    """The value that a published benchmark found best on the same data; null where none did."""


class Sensitivity(BaseModel):
    """How the objective depends on one setting."""

    path: str
    log: bool
    """Whether an arm searched it on a logarithmic scale."""
    arms: list[SensitivityArm]
    """Those that searched it."""


class MoreTrials(BaseModel):
    """Trials that every arm gets in addition."""

    model_config = ConfigDict(extra="forbid")

    trials: int = Field(ge=1, le=500)
