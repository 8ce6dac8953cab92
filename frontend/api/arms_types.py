"""The API's answers about arms of several comparisons; docs/API.md says what each field means."""

from typing import Any, TypedDict

from frontend.api.types import Better, State


class Spread(TypedDict):
    """One number over an arm's seeds; mean and sd are null where a value is censored."""

    mean: float | None
    sd: float | None
    n: int
    censored: int


class ArmRun(TypedDict):
    """One seed of an arm."""

    id: str
    seed: int
    state: State


class Arm(TypedDict):
    """One arm of one comparison; its settings by path, as `loss.margin`."""

    comparison: str
    comparison_name: str
    arm: str
    state: State
    tags: list[str]
    data: str
    loss: str
    created_by: str
    created_at: str
    archived: bool
    seeds: int
    runs: list[ArmRun]
    settings: dict[str, Any]
    best_epoch: Spread | None


class ArmPage(TypedDict):
    """One page of a list, and how many match in all."""

    arms: list[Arm]
    total: int
    page: int
    page_size: int


class RunValues(TypedDict):
    """One metric of one run; null for what it has not."""

    run: str
    seed: int
    last: float | None
    censored: bool
    best: float | None
    best_epoch: float | None
    test: float | None


class ArmValues(TypedDict):
    """One metric of one arm; null where no run has a value."""

    last: Spread | None
    best: Spread | None
    best_epoch: Spread | None
    test: Spread | None
    runs: list[RunValues]


class MetricValues(TypedDict):
    """One metric of all asked arms, in their order."""

    key: str
    label: str
    unit: str
    better: Better
    arms: list[ArmValues]


class SettingValues(TypedDict):
    """A setting that is not the same in all asked arms that have it, in their order."""

    setting: str
    label: str
    values: list[Any]


class ArmTable(TypedDict):
    """Arms side by side; `unknown` names those that there are not, `keys` the metrics they have."""

    arms: list[Arm]
    unknown: list[str]
    keys: list[str]
    metrics: list[MetricValues]
    differs: list[SettingValues]


class SeedCurve(TypedDict):
    """One run's values at its arm's steps."""

    run: str
    seed: int
    values: list[float | None]


class ArmCurve(TypedDict):
    """One metric of one arm: columns of equal length; a point is the mean of `width` steps."""

    comparison: str
    arm: str
    steps_per_epoch: int
    width: int
    steps: list[int]
    mean: list[float | None]
    low: list[float | None]
    high: list[float | None]
    n: list[int]
    elapsed: list[float | None] | None
    runs: list[SeedCurve]


class ArmCurves(TypedDict):
    """One metric of several arms, in the order asked."""

    key: str
    arms: list[ArmCurve]
    unknown: list[str]
