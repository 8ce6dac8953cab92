"""Tuning: the same number of trials for every arm, over a space that the arm declares.

A trial is one setting of an arm, judged on validation data only. Afterwards the best setting of
each arm is trained with the seeds of the comparison, and only these final runs read the test split.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from contract.comparison.problems import Section

Value = float | int | str
"""A value of a setting in a trial."""
MAX_CHOICES: Final = 50
MAX_TEXT: Final = 100
"""Characters of a choice."""
MAX_NUMBER: Final = 1e9
"""Largest size of a number that is a choice; no setting may be so large."""
MAX_PATHS: Final = 20
"""Settings that one arm is tuned over."""


class Range(Section):
    """All numbers between two, both included."""

    low: float
    high: float
    log: bool = False
    """Whether equal ratios are equally likely, instead of equal differences."""

    @model_validator(mode="after")
    def _check_order(self) -> "Range":
        if self.low >= self.high:
            raise PydanticCustomError(
                "space",
                "low {low} is not below high {high}",
                {"low": f"{self.low:g}", "high": f"{self.high:g}"},
            )
        if self.log and self.low <= 0:
            raise PydanticCustomError(
                "space",
                "low must be above 0 on a logarithmic scale, not {low}",
                {"low": f"{self.low:g}"},
            )
        return self


def _check_choice(raw: object) -> object:
    if isinstance(raw, str):
        is_value = len(raw) <= MAX_TEXT
    elif isinstance(raw, int | float) and not isinstance(raw, bool):  # which is an int in Python
        is_value = abs(raw) <= MAX_NUMBER
    else:
        is_value = False
    if not is_value:
        raise PydanticCustomError("choice", "must be a number or the name of a choice")
    return raw


class Choices(Section):
    """A few values, each as likely as the others."""

    choices: list[Annotated[Value, BeforeValidator(_check_choice)]] = Field(
        min_length=1, max_length=MAX_CHOICES
    )


def _kind_of_space(raw: object) -> str:
    has_choices = "choices" in raw if isinstance(raw, dict) else isinstance(raw, Choices)
    return "choices" if has_choices else "range"


Space = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")],
    Discriminator(_kind_of_space),
]
"""The values that a setting may take in a trial."""

Search = Annotated[dict[str, Space], Field(max_length=MAX_PATHS)]
"""Path of a setting of the arm, such as `loss.margin` or `training.optimizer.lr`, -> its space."""

Sampler = Literal["random", "tpe"]
"""random: independent draws; tpe: the tree-structured Parzen estimator (Bergstra et al. 2011),
which learns from the trials of the rounds before."""


class Tuning(Section):
    """The search that every arm gets, with the same budget."""

    trials: int = Field(24, ge=1, le=500, title="Trials", description="Of each arm.")
    objective: str = Field(
        "retrieval.map_at_r",
        max_length=200,
        title="Objective",
        description="Metric on the validation split whose best epoch is the value of a trial.",
    )
    sampler: Sampler = Field(
        "random",
        title="Sampler",
        description="Random: independent draws, all at once. TPE: learns from round to round.",
    )
    seed: int = Field(0, ge=0, lt=2**31, title="Search seed", description="Decides the draws.")
    round: int = Field(
        8, ge=1, le=500, title="Trials a round", description="That TPE proposes together."
    )
    folds: int = Field(
        1,
        ge=1,
        le=20,
        title="Folds",
        description="1: the validation split. More: cross-validation within the training half.",
    )
    trial_seeds: list[Annotated[int, Field(ge=0, lt=2**31)]] = Field(
        default=[1000], min_length=1, max_length=10, title="Seeds of the trials"
    )
    include_default: bool = Field(
        True,
        title="Include the default",
        description="The first trial is the arm as it is written.",
    )

    @property
    def runs_per_trial(self) -> int:
        """Number of runs whose mean is the value of a trial."""
        return self.folds * len(self.trial_seeds)


class Fold(Section):
    """One part of cross-validation within the training half of the data."""

    number: int = Field(ge=0)
    of: int = Field(ge=2, le=20)


class TrialRun(Section):
    """What distinguishes a run of a trial from a final one: no test split, no snapshots, and only
    the objective's family of measures. Only contract.tuning sets it."""

    objective: str = Field(max_length=200)
    fold: Fold | None = None


def value_at(settings: dict[str, Any], path: str) -> Any:
    """Return the value at a path of nested settings.

    Raises:
        KeyError: there is none.
    """
    for part in path.split("."):
        settings = settings[part]
    return settings
