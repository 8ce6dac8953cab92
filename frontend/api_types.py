"""The API's answers as types; docs/API.md says what each field means."""

from typing import Any, Literal, TypedDict

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Better = Literal["higher", "lower"] | None


class Comparison(TypedDict):
    """A comparison, as lists show it; times are ISO 8601 in UTC, progress is 0 ... 1."""

    id: str
    name: str
    tags: list[str]
    notes: str
    created_by: str
    created_at: str
    state: State
    progress: float
    eta_s: float | None
    runs: dict[State, int]
    arms: list[str]
    seeds: list[int]
    data: str


class ComparisonDetail(Comparison):
    """A comparison with its whole spec, defaults filled in."""

    spec: dict[str, Any]


class ComparisonPage(TypedDict):
    """One page of a list, newest first, and how many match in all."""

    comparisons: list[Comparison]
    total: int
    page: int
    page_size: int


class Failure(TypedDict):
    """Why a run failed."""

    message: str
    cause: str
    step: int | None


class Run(TypedDict):
    """One arm with one seed."""

    id: str
    comparison: str
    arm: str
    seed: int
    state: State
    progress: float
    eta_s: float | None
    attempt: int
    device: str | None
    error: Failure | None
    step: int
    total_steps: int
    steps_per_epoch: int
    created_at: str
    started_at: str | None
    ended_at: str | None


class Series(TypedDict):
    """Columns of one metric of one run; min and max stand beside thinned values alone."""

    run: str
    key: str
    total: int
    steps: list[int]
    values: list[float | None]
    min: list[float | None] | None
    max: list[float | None] | None


class Value(TypedDict):
    """One run's result; null where it was not finite."""

    seed: int
    value: float | None
    step: int


class ArmSummary(TypedDict):
    """One metric of one arm over its seeds: mean, standard deviation, 95 % interval."""

    arm: str
    n: int
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    values: list[Value]


class MetricSummary(TypedDict):
    """One metric of all arms."""

    key: str
    label: str
    better: Better
    arms: list[ArmSummary]


class Summary(TypedDict):
    """Arms x metrics."""

    metrics: list[MetricSummary]
    runs_finished: int
    runs_total: int


class Worker(TypedDict):
    """One worker slot; `run` is what it works on."""

    name: str
    device: str
    host: str
    state: Literal["idle", "busy", "lost"]
    run: str | None
    seen_s_ago: float


class Ready(TypedDict):
    """Whether what the API needs answers; the lag counts events not stored yet."""

    status: Literal["ok", "unavailable"]
    database: Literal["ok", "unavailable"]
    broker: Literal["ok", "unavailable"]
    collector_lag: int | None


class Catalogue(TypedDict):
    """Rows with texts and the JSON schemas of settings: what can be chosen and measured."""

    data: list[dict[str, Any]]
    encoders: list[dict[str, Any]]
    losses: list[dict[str, Any]]
    samplers: list[dict[str, Any]]
    optimizers: list[dict[str, Any]]
    training: dict[str, Any]
    measure: dict[str, Any]
    presets: list[dict[str, Any]]
    metrics: list[dict[str, Any]]


class RunList(TypedDict):
    """Runs, as one answer."""

    runs: list[Run]


class SeriesList(TypedDict):
    """Series, as one answer."""

    series: list[Series]


class Log(TypedDict):
    """A run's log, as one answer."""

    lines: list[str]


class WorkerList(TypedDict):
    """Worker slots, as one answer."""

    workers: list[Worker]


class Nothing(TypedDict):
    """An answer without content."""
