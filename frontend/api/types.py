"""The API's answers as types; docs/API.md says what each field means."""

from typing import Any, Literal, TypedDict

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Better = Literal["higher", "lower"] | None
Word = Literal["supported", "contradicted", "undecided", "not_measured"]


class Comparison(TypedDict):
    """A comparison, as lists show it; times are ISO 8601 in UTC, progress is 0 ... 1."""

    id: str
    name: str
    tags: list[str]
    notes: str
    created_by: str
    archived: bool
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


class Preparation(TypedDict):
    """What a run does before its first step, and how far it is."""

    what: str
    done: float
    total: float | None
    unit: str
    eta_s: float | None


class Run(TypedDict):
    """One arm with one seed."""

    id: str
    comparison: str
    arm: str
    seed: int
    state: State
    progress: float
    eta_s: float | None
    preparing: Preparation | None
    attempt: int
    resumed_at: int
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
    """One run's result; null where it was not finite, a lower bound where it is censored."""

    seed: int
    value: float | None
    step: int
    censored: bool


class ArmSummary(TypedDict):
    """One metric of one arm over its seeds: mean, standard deviation, 95 % interval, all null where
    a value is censored; and the untrained encoder's mean."""

    arm: str
    n: int
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    censored: int
    untrained: float | None
    values: list[Value]


class Difference(TypedDict):
    """An arm (a) against the baseline (b), paired by seed: mean of a - b."""

    a: str
    b: str
    n: int
    mean_difference: float
    interval: tuple[float, float] | None
    p_value: float
    smallest_p: float
    effect_size: float | None


class MetricSummary(TypedDict):
    """One metric of all arms, and what a frozen backbone alone and a random ranking have."""

    key: str
    label: str
    better: Better
    raw_backbone: float | None
    chance: float | None
    arms: list[ArmSummary]
    differences: list[Difference]


class SettingDifference(TypedDict):
    """A setting in which arms differ, and its value by arm."""

    setting: str
    values: dict[str, Any]


class Summary(TypedDict):
    """Arms x metrics."""

    metrics: list[MetricSummary]
    runs_finished: int
    runs_total: int
    baseline: str
    differs: list[SettingDifference]


class ArmPair(TypedDict):
    """Two arms: a in the contrastive loss's place, b in the triplet loss's."""

    a: str
    b: str


class Reported(TypedDict):
    """What a paper reports of both losses."""

    what: str
    a: float
    b: float
    unit: str
    source: str
    second_hand: bool


class Evidence(TypedDict):
    """One metric that a claim is judged by; differences are a - b."""

    metric: str
    label: str
    expected: Literal["greater", "less"]
    mean_a: float | None
    mean_b: float | None
    mean_difference: float | None
    interval: tuple[float, float] | None
    p_value: float | None
    p_holm: float | None
    effect_size: float | None
    n: int
    censored: int
    verdict: Word


class Claim(TypedDict):
    """One claim with its verdict; its figures are those of its first measured evidence."""

    id: int
    text: str
    metric: str
    arms: ArmPair | None
    mean_difference: float | None
    interval: tuple[float, float] | None
    p_value: float | None
    p_holm: float | None
    effect_size: float | None
    n: int
    verdict: Word
    reason: str
    reported: list[Reported]
    evidence: list[Evidence]


class Verdict(TypedDict):
    """All claims; arms is null where the comparison lacks a contrastive or a triplet arm."""

    summary: str
    advice: str
    arms: ArmPair | None
    seeds: int
    smallest_p: float | None
    caveats: list[str]
    claims: list[Claim]


class Worker(TypedDict):
    """One worker slot; `run` is what it works on."""

    name: str
    device: str
    host: str
    state: Literal["idle", "busy", "lost"]
    run: str | None
    seen_s_ago: float


class PartProblem(TypedDict):
    """A part of the API that does not do its work, and what to do."""

    part: str
    message: str


class Ready(TypedDict):
    """Whether what the API needs does its work; the lag counts events not stored yet."""

    status: Literal["ok", "unavailable"]
    database: Literal["ok", "unavailable"]
    broker: Literal["ok", "unavailable"]
    collector: Literal["ok", "unavailable"]
    disk: Literal["ok", "unavailable"]
    collector_lag: int | None
    collector_lag_s: float | None
    disk_free: int
    problems: list[PartProblem]


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


class RowProblem(TypedDict):
    """Something about one part of a data set."""

    where: str
    message: str


class Dataset(TypedDict):
    """A data set that a team uploaded."""

    id: str
    name: str
    kind: str
    created_at: str
    size: int
    items: int
    classes: int
    class_names: list[str]
    has_fine: bool
    warnings: list[RowProblem]
    shape: dict[str, Any]
    thumbnails: int


class Thumbnail(TypedDict):
    """One of the images shown of a data set."""

    n: int
    class_name: str
    file: str


class DatasetDetail(Dataset):
    """A data set with what is known of its classes."""

    counts: list[int]
    thumbnail_items: list[Thumbnail]


class DatasetList(TypedDict):
    """Uploaded data sets, as one answer."""

    datasets: list[Dataset]


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
