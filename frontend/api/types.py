"""The API's answers as types; docs/API.md says what each field means.

Generated from the API's OpenAPI document by `make types`. Do not edit: change the backend's
models and generate it again.
"""

from typing import Any, Literal, NotRequired, TypedDict


class AccessToken(TypedDict):
    """A token, without its secret, which is kept nowhere."""

    name: str
    role: Literal["viewer", "editor", "admin"]
    source: Literal["database", "environment"]
    state: Literal["active", "expired", "revoked"]
    created_at: str | None
    created_by: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None
    revoked_by: str | None


class AccessTokenList(TypedDict):
    """All tokens that are or were accepted."""

    open: bool
    tokens: list[AccessToken]


class Alert(TypedDict):
    """Something that happened."""

    id: int
    type: Literal[
        "comparison.ended",
        "run.failed",
        "run.diverged",
        "arm.collapsed",
        "arm.below_backbone",
        "arm.below_untrained",
    ]
    at: str
    text: str
    comparison: str | None
    data: dict[str, Any]


class Amount(TypedDict):
    """A number that is known exactly, by its bounds, or about."""

    least: int
    most: int
    about: bool


class ArmState(TypedDict):
    """A state that ended runs of an arm are in, which says whether they were trained."""

    arm: str
    state: Literal["no_valid_tuple", "collapsed", "overflow", "below_backbone", "below_untrained"]
    runs: int
    of: int
    not_trained: bool
    said: str


class AsReported(TypedDict):
    """What the measure as the paper took it says."""

    word: Literal[
        "supported",
        "contradicted",
        "level",
        "leaning_for",
        "leaning_against",
        "undecided",
        "not_measured",
    ]
    metrics: list[str]


class AuditEntry(TypedDict):
    """One call that changed something, or was refused."""

    at: str
    who: str
    role: Literal["viewer", "editor", "admin"] | Literal["open", ""]
    method: str
    route: str
    ids: dict[str, str]
    status: int


class AuditPage(TypedDict):
    """One page of the audit trail."""

    entries: list[AuditEntry]
    total: int
    page: int
    page_size: int


class BatchTuples(TypedDict):
    """The tuples of one batch."""

    unit: Literal["pairs", "triplets", "softmaxes", "items"]
    total: float
    positive_pairs: float
    negative_pairs: float
    mean: bool
    selection: str


class BestArm(TypedDict):
    """The arm with the best mean in the comparison's main metric."""

    arm: str
    metric: str
    label: str
    better: Literal["higher", "lower"] | None
    mean: float
    sd: float | None
    n: int
    level_with: int


class Catalogue(TypedDict):
    """What can be chosen and measured: rows with texts and the JSON schemas of settings."""

    data: list[dict[str, Any]]
    encoders: list[dict[str, Any]]
    losses: list[dict[str, Any]]
    samplers: list[dict[str, Any]]
    optimizers: list[dict[str, Any]]
    training: dict[str, Any]
    arm_training: list[str]
    measure: dict[str, Any]
    practical: list[dict[str, Any]]
    practical_ratio: float
    limits: dict[str, int]
    tuning: dict[str, Any]
    presets: list[dict[str, Any]]
    metrics: list[dict[str, Any]]
    plugins: list[dict[str, Any]]


class Choice(TypedDict):
    """One of the answers that a question allows."""

    value: str
    text: str


class ClassFacts(TypedDict):
    """One class of the samples."""

    label: int
    n: int
    variance: float
    accuracy: float | None


class ClassMoved(TypedDict):
    """One class of the samples in two arms."""

    label: int
    n: int
    kept: float


class ConfusedPair(TypedDict):
    """How often items of one class have their nearest neighbour in another."""

    actual: int
    nearest: int
    items: float
    low: float
    high: float


class CreatedToken(TypedDict):
    """A new token."""

    secret: str
    token: AccessToken


class CurvePoint(TypedDict):
    """The best value after n trials."""

    n: int
    value: float
    low: float | None
    high: float | None


class Delivery(TypedDict):
    """An alert on its way to a receiver."""

    id: int
    receiver: str
    receiver_name: str
    type: str
    at: str
    text: str
    comparison: str | None
    state: Literal["pending", "delivered", "given_up"]
    tries: int
    tried_at: str | None
    status: int | None
    problem: str
    next_at: str | None


class DeliveryPage(TypedDict):
    """A page of deliveries, the newest first."""

    deliveries: list[Delivery]
    total: int
    page: int
    page_size: int


class Difference(TypedDict):
    """The difference between an arm and the baseline, over seeds at which both have succeeded."""

    a: str
    b: str
    n: int
    mean_difference: float
    interval: tuple[float, float] | None
    p_value: float
    smallest_p: float
    effect_size: float | None


class Earlier(TypedDict):
    """A ready answer to the same question of earlier snapshots."""

    id: str
    n: int
    epochs: list[int]
    arms: list[str]
    coordinates: str


class Evidence(TypedDict):
    """One metric that a claim is judged by."""

    metric: str
    mean_difference: float | None
    interval: tuple[float, float] | None
    simultaneous: tuple[float, float] | None
    bounds: tuple[float, float] | None
    ratio: float | None
    ratio_interval: tuple[float, float] | None
    ratio_simultaneous: tuple[float, float] | None
    ratio_bounds: tuple[float, float] | None
    level_side: Literal["greater", "less"] | None
    p_value: float | None
    p_holm: float | None
    effect_size: float | None
    n: int
    verdict: Literal[
        "supported",
        "contradicted",
        "level",
        "leaning_for",
        "leaning_against",
        "undecided",
        "not_measured",
    ]
    label: str
    part: str
    robust: bool
    expected: Literal["greater", "less"]
    mean_a: float | None
    mean_b: float | None
    censored: int
    differences: list[float]


class Failure(TypedDict):
    """Why a run failed, for people."""

    message: str
    cause: NotRequired[str]
    step: NotRequired[int | None]


class Field(TypedDict):
    """One problem of a request."""

    path: str
    message: str


class HardTuple(TypedDict):
    """A triplet (anchor, positive, negative) or a pair of samples."""

    samples: list[int]
    value: float


class Histogram(TypedDict):
    """Distances of pairs of samples."""

    edges: list[float]
    positive: list[int]
    negative: list[int]


class KeptPart(TypedDict):
    """A part of a run's model: its weights, the embeddings of the test split, or the confusion."""

    kind: Literal["weights", "embeddings", "confusion"]
    kept: bool
    size: int
    problem: str


class LeaderboardValue(TypedDict):
    """The value of one run."""

    seed: int
    value: float


class Live(TypedDict):
    """The process answers."""

    status: NotRequired[Literal["ok"]]


class Log(TypedDict):
    """A run's log."""

    lines: list[str]


class Me(TypedDict):
    """The caller."""

    name: str
    role: Literal["viewer", "editor", "admin"]
    signed_in: bool


class MemoryPreview(TypedDict):
    """A rough estimate of the bytes that a run needs, besides the process and its libraries."""

    items: int
    network: int
    batch: int
    total: int


class ModelFile(TypedDict):
    """A file of a model's download."""

    name: str
    size: int
    what: str


class Neighbour(TypedDict):
    """A sample near another."""

    sample: int
    distance: float
    hit: bool


class Note(TypedDict):
    """A problem or a warning."""

    where: str
    message: str


class Pair(TypedDict):
    """The two arms that are judged."""

    a: str
    b: str


class PartSize(TypedDict):
    """One split; null stands for what is known only once the data are read."""

    items: Amount | None
    classes: Amount | None
    smallest_class: Amount | None


class Parts(TypedDict):
    """How many of its parts a claim was judged on."""

    judged: int
    of: int


class Preparation(TypedDict):
    """What a run does before its first step, and how far it is."""

    what: str
    done: float
    total: NotRequired[float | None]
    unit: NotRequired[str]
    eta_s: NotRequired[float | None]


class Problem(TypedDict):
    """A part that does not work."""

    part: str
    message: str


class Projection(TypedDict):
    """Coordinates of snapshots, or the progress of their computation."""

    id: str
    state: Literal["queued", "running", "ready", "failed", "cancelled"]
    progress: float
    place: int | None
    eta_s: float | None
    error: str | None
    method: Literal["pca", "tsne", "pacmap"]
    dims: Literal[2, 3]
    seed: int
    n: int
    epochs: list[int]
    arms: list[str]
    coordinates: str | None
    earlier: Earlier | None


class Ready(TypedDict):
    """Whether everything that the API needs works."""

    status: Literal["ok", "unavailable"]
    database: Literal["ok", "unavailable"]
    broker: Literal["ok", "unavailable"]
    collector: Literal["ok", "unavailable"]
    disk: Literal["ok", "unavailable"]
    collector_lag: int | None
    collector_lag_s: float | None
    disk_free: int
    problems: list[Problem]


class Receiver(TypedDict):
    """A receiver, without its secret, and with the host of its address alone."""

    id: str
    comparison: str | None
    name: str
    address: str
    problem: str | None
    events: list[
        Literal[
            "comparison.ended",
            "run.failed",
            "run.diverged",
            "arm.collapsed",
            "arm.below_backbone",
            "arm.below_untrained",
        ]
    ]
    created_at: str
    created_by: str
    failures: int


class ReceiverList(TypedDict):
    """The receivers of a comparison, or those of the board."""

    enabled: bool
    hosts: list[str]
    types: list[
        Literal[
            "comparison.ended",
            "run.failed",
            "run.diverged",
            "arm.collapsed",
            "arm.below_backbone",
            "arm.below_untrained",
        ]
    ]
    receivers: list[Receiver]


class Replicates(TypedDict):
    """What the pairs of runs are replicates of."""

    kind: Literal["seed", "split"]
    noun: Literal["seed", "draw", "split"]
    n: int
    said: str


class Reported(TypedDict):
    """What a paper reports."""

    what: str
    a: float
    b: float
    unit: str
    source: str
    second_hand: bool


class Result(TypedDict):
    """What came out of a comparison, in short."""

    best: BestArm | None
    claims: (
        dict[
            Literal[
                "supported",
                "contradicted",
                "level",
                "leaning_for",
                "leaning_against",
                "undecided",
                "not_measured",
            ],
            int,
        ]
        | None
    )
    no_claims: str


class RunCounts(TypedDict):
    """Numbers of runs."""

    trials: int
    trial_runs: int
    final_runs: int


class RunEpochs(TypedDict):
    """A run and the epochs of its snapshots."""

    arm: str
    seed: int
    run: str
    epochs: list[int]


class RunState(TypedDict):
    """A state that says whether the training did what it was meant to do."""

    state: Literal["no_valid_tuple", "collapsed", "overflow", "below_backbone", "below_untrained"]
    step: int
    message: str


class RunValues(TypedDict):
    """One metric of one run; null where it has no value or none that is finite."""

    run: str
    seed: int
    last: float | None
    censored: bool
    best: float | None
    best_epoch: float | None
    test: float | None


class Samples(TypedDict):
    """The held-out samples, which all arms and epochs of a seed share."""

    n: int
    total: int
    split: str
    classes: list[str]
    labels: list[int]
    fine: list[int] | None
    modalities: list[str] | None
    modality: list[int] | None
    ids: list[int]
    media: Literal["image", "spectrogram", "none"]
    tile: int | None
    columns: int | None
    sprite: str | None
    sounds: str | None
    sound_ends: list[float] | None
    texts: list[str] | None
    fine_names: list[str] | None


class SchedulePreview(TypedDict):
    """When its runs would be trained, if they were queued now."""

    slots: int
    waiting: int
    work_s: float | None
    begins_in_s: float | None
    ends_in_s: float | None
    basis: Literal["siblings", "pace", "earlier"] | None


class SeedCurve(TypedDict):
    """One run's values at its arm's steps."""

    run: str
    seed: int
    values: list[float | None]


class SeenColumn(TypedDict):
    """A column of a table, or several columns whose names differ by a number only."""

    name: str
    type: str
    examples: list[str]
    roles: list[str]
    suggested: str


class SensitivityPoint(TypedDict):
    """A trial at its value of one setting."""

    trial: int
    value: float | None
    x: float | int | str
    state: Literal["waiting", "running", "complete", "failed", "cancelled"]


class Series(TypedDict):
    """Columns of one series; thinned where min and max are given."""

    run: str
    key: str
    total: int
    steps: list[int]
    values: list[float | None]
    min: list[float | None] | None
    max: list[float | None] | None


class Setting(TypedDict):
    """A setting that differs between the arms that have it."""

    setting: str
    values: dict[str, Any]


class SettingValues(TypedDict):
    """A setting that differs among the requested arms that have it."""

    setting: str
    label: str
    values: list[Any]


class Size(TypedDict):
    """What deleting a comparison frees."""

    bytes: int
    points: int
    runs: int


class SlotUsage(TypedDict):
    """What a slot's trainer uses of its machine, over the last seconds."""

    cpu_cores: float
    memory_bytes: int
    memory_total_bytes: int
    gpu_share: NotRequired[float | None]
    gpu_memory_bytes: NotRequired[int | None]
    gpu_memory_total_bytes: NotRequired[int | None]


class Space(TypedDict):
    """The samples, seeds and epochs of a comparison that have snapshots."""

    samples: Samples | None
    shared: bool
    seeds: list[int]
    runs: list[RunEpochs]


class SpaceMoved(TypedDict):
    """How much two arms agree on the same samples at one epoch."""

    seed: int
    epoch: int
    a: str
    b: str
    k: int
    kept: float
    chance: float
    classes: list[ClassMoved]
    cka: float | None
    cka_biased: float | None
    among: int


class SplitSizes(TypedDict):
    """The splits of a run."""

    train: PartSize
    validation: PartSize
    test: PartSize | None


class Spread(TypedDict):
    """One number over an arm's seeds."""

    mean: float | None
    sd: float | None
    n: int
    censored: int


class Suggestion(TypedDict):
    """The model to take unless one has reasons for another."""

    arm: str
    seed: int
    run: str
    why_arm: str
    why_seed: str
    level: list[str]


class Suspect(TypedDict):
    """A sample that all arms place among another class: its label may be wrong."""

    sample: int
    label: int
    suggested: int
    share: float


class TemplateDetail(TypedDict):
    """A template with its spec."""

    id: str
    name: str
    note: str
    created_by: str
    created_at: str
    spec: dict[str, Any]
    problems: list[Field]


class Template(TypedDict):
    """A template without its spec."""

    id: str
    name: str
    note: str
    created_by: str
    created_at: str


class TextExample(TypedDict):
    """One of the texts shown of a data set."""

    class_name: str
    text: str


class Thumbnail(TypedDict):
    """One of the images shown of a data set."""

    n: int
    class_name: str
    file: str


class ToBest(TypedDict):
    """How far an arm is from the best one, paired by seed."""

    best: str
    mean_difference: float
    low: float | None
    high: float | None
    p_holm: float | None
    n: int
    told_apart: bool
    level: bool


class ToHalve(TypedDict):
    """What would make the intervals half as wide."""

    replicates: int | None
    floor: str


class TrialRun(TypedDict):
    """A run of a trial."""

    id: str
    seed: int
    fold: int | None
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    value: float | None
    best_epoch: int | None


class Tuned(TypedDict):
    """The search that gave every arm its settings, with the same budget."""

    trials: int
    objective: str
    sampler: Literal["random", "tpe"]
    folds: int


class Usage(TypedDict):
    """What an attempt used of its machine; of runs that are trained together, all of them."""

    seconds: float
    cpu_seconds: float
    memory_bytes: int
    samples_per_s: NotRequired[float | None]


class Value(TypedDict):
    """
    One run's result.

    No model: a large summary has tens of thousands of them, and a model takes ten times as long.
    """

    seed: int
    value: float | None
    step: int
    censored: bool


class ViewFilters(TypedDict):
    """Which comparisons a view shows; an empty text or null matches any."""

    q: NotRequired[str]
    tag: NotRequired[str]
    created_by: NotRequired[str]
    state: NotRequired[Literal["queued", "running", "succeeded", "failed", "cancelled"] | None]
    archived: NotRequired[bool]


class View(TypedDict):
    """A saved view of the board."""

    id: str
    name: str
    filters: ViewFilters
    columns: list[str]
    sort: Literal["created_at", "name", "state", "result"]
    created_by: str
    created_at: str


class Waiting(TypedDict):
    """A run that waits."""

    run: str
    comparison: str
    comparison_name: str
    arm: str
    seed: int
    role: Literal["final", "trial"]
    trial: int | None
    fold: int | None
    created_by: str
    position: int
    starts_in_s: float | None
    wants: str
    priority: int
    since: str
    waits_for: str | None


class Warning(TypedDict):
    """One thing to look at before the start."""

    code: Literal[
        "few_steps", "small_class", "repeated_items", "few_measured", "few_positives", "left_out"
    ]
    path: str
    message: str


class Worker(TypedDict):
    """One worker slot."""

    name: str
    device: str
    host: str
    state: Literal["idle", "busy", "lost"]
    run: str | None
    runs: list[str]
    seen_s_ago: float
    usage: SlotUsage | None


class AlertList(TypedDict):
    """Alerts, the oldest first."""

    alerts: list[Alert]
    last: int


class ArmConfusion(TypedDict):
    """The confusion of one arm."""

    arm: str
    seeds: list[int]
    right: list[float]
    pairs: list[ConfusedPair]
    others: float


class ArmCurve(TypedDict):
    """One metric of one arm; lists are columns of equal length."""

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
    """One metric of several arms, in the order of the request."""

    key: str
    arms: list[ArmCurve]
    unknown: list[str]


class ArmDistances(TypedDict):
    """Distances of pairs over the epochs of one arm."""

    arm: str
    epochs: list[int]
    histograms: list[Histogram]


class ArmFacts(TypedDict):
    """How one arm places the samples; each list has one value per sample."""

    arm: str
    run: str
    correct: list[int | None]
    centroid_distance: list[float]
    average_precision: list[float | None]
    classes: list[ClassFacts]
    histogram: Histogram


class ArmNeighbours(TypedDict):
    """One arm's neighbours of a sample, nearest first."""

    arm: str
    neighbours: list[Neighbour]


class ArmPreview(TypedDict):
    """One arm."""

    name: str
    batch_size: int
    epochs: int
    steps_per_epoch: Amount | None
    steps: Amount | None
    trial_steps: Amount | None
    tuples: BatchTuples | None
    memory: MemoryPreview | None


class ArmRun(TypedDict):
    """One seed of an arm."""

    id: str
    seed: int
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    states: list[RunState]


class ArmSummary(TypedDict):
    """One metric of one arm over its seeds."""

    arm: str
    n: int
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    censored: int
    untrained: float | None
    values: list[Value]


class ArmTuples(TypedDict):
    """The hardest tuples of one arm, the hardest first; no sample is in two of a kind."""

    arm: str
    mean_distance: float
    triplets: list[HardTuple]
    positives: list[HardTuple]
    negatives: list[HardTuple]


class ArmValues(TypedDict):
    """One metric of one arm; null where no run has a value."""

    last: Spread | None
    best: Spread | None
    best_epoch: Spread | None
    test: Spread | None
    runs: list[RunValues]


class Claim(TypedDict):
    """
    One claim, judged by its robust form; the other figures are those of its first measured
    part.
    """

    metric: str
    mean_difference: float | None
    interval: tuple[float, float] | None
    simultaneous: tuple[float, float] | None
    bounds: tuple[float, float] | None
    ratio: float | None
    ratio_interval: tuple[float, float] | None
    ratio_simultaneous: tuple[float, float] | None
    ratio_bounds: tuple[float, float] | None
    level_side: Literal["greater", "less"] | None
    p_value: float | None
    p_holm: float | None
    effect_size: float | None
    n: int
    verdict: Literal[
        "supported",
        "contradicted",
        "level",
        "leaning_for",
        "leaning_against",
        "undecided",
        "not_measured",
    ]
    id: int
    text: str
    arms: Pair | None
    reason: str
    reported: list[Reported]
    evidence: list[Evidence]
    reported_evidence: list[Evidence]
    as_reported: AsReported
    disagreement: str
    parts: Parts
    true_by_construction: str
    related: str


class ComparisonDetail(TypedDict):
    """A comparison with its whole spec, defaults filled in."""

    id: str
    name: str
    tags: list[str]
    notes: str
    created_by: str
    archived: bool
    version: int
    created_at: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    phase: Literal["search", "final"] | None
    progress: float
    eta_s: float | None
    runs: dict[Literal["queued", "running", "succeeded", "failed", "cancelled"], int]
    trial_runs: dict[Literal["queued", "running", "succeeded", "failed", "cancelled"], int] | None
    arms: list[str]
    seeds: list[int]
    replicate: Literal["seed", "split"]
    replicate_noun: Literal["seed", "draw", "split"]
    data: str
    result: Result | None
    spec: dict[str, Any]


class Comparison(TypedDict):
    """A comparison, as lists show it."""

    id: str
    name: str
    tags: list[str]
    notes: str
    created_by: str
    archived: bool
    version: int
    created_at: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    phase: Literal["search", "final"] | None
    progress: float
    eta_s: float | None
    runs: dict[Literal["queued", "running", "succeeded", "failed", "cancelled"], int]
    trial_runs: dict[Literal["queued", "running", "succeeded", "failed", "cancelled"], int] | None
    arms: list[str]
    seeds: list[int]
    replicate: Literal["seed", "split"]
    replicate_noun: Literal["seed", "draw", "split"]
    data: str
    result: Result | None


class ComparisonPage(TypedDict):
    """One page of a list."""

    comparisons: list[Comparison]
    total: int
    page: int
    page_size: int


class Confusion(TypedDict):
    """Which classes are confused, of every arm on the same test items."""

    split: NotRequired[Literal["test"]]
    shared: bool
    seeds: list[int]
    classes: list[str]
    items: list[int]
    arms: list[ArmConfusion]
    lacking: list[str]


class CreatedReceiver(TypedDict):
    """A new receiver."""

    secret: str
    receiver: Receiver


class KeptModel(TypedDict):
    """What one run keeps of its model."""

    run: str
    arm: str
    seed: int
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    parts: list[KeptPart]
    score: float | None
    parameters: int | None


class LeaderboardArm(TypedDict):
    """One arm in one metric."""

    arm: str
    n: int
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    values: list[LeaderboardValue]
    rank: tuple[int, int] | None
    letters: str
    state: str
    to_best: ToBest | None


class LeaderboardMetric(TypedDict):
    """One metric of all arms."""

    key: str
    label: str
    better: Literal["higher", "lower"] | None
    arms: list[LeaderboardArm]
    best: list[str]
    not_told_apart: list[tuple[str, str]]
    groups: list[list[str]]
    said: str
    pairs: int
    practical: float | None
    untrained: float | None
    raw_backbone: float | None
    chance: float | None


class MetricSummary(TypedDict):
    """One metric of all arms."""

    key: str
    label: str
    better: Literal["higher", "lower"] | None
    raw_backbone: float | None
    chance: float | None
    arms: list[ArmSummary]
    differences: list[Difference]


class MetricValues(TypedDict):
    """One metric of all requested arms, in their order."""

    key: str
    label: str
    unit: str
    better: Literal["higher", "lower"] | None
    arms: list[ArmValues]


class Model(TypedDict):
    """A trained model to take along."""

    run: str
    arm: str
    seed: int
    files: list[ModelFile]
    needs: list[str]
    script: str
    card: str
    description: dict[str, Any]


class Models(TypedDict):
    """The trained models of a comparison."""

    suggested: Suggestion | None
    runs: list[KeptModel]


class Preview(TypedDict):
    """What a comparison consists of; null stands for what is known only once the data are read."""

    runs: RunCounts
    splits: SplitSizes
    trial_splits: SplitSizes | None
    arms: list[ArmPreview]
    schedule: SchedulePreview
    warnings: list[Warning]


class Question(TypedDict):
    """A question about a file."""

    name: str
    text: str
    choices: list[Choice]
    columns: list[SeenColumn]


class QueueSlot(TypedDict):
    """
    A worker slot and its run; the fields of the run are null while it has none.

    Of several runs that it trains together they are those of the first one; progress and remaining
    time are of all.
    """

    name: str
    device: str
    host: str
    state: Literal["idle", "busy", "lost"]
    run: str | None
    runs: list[str]
    seen_s_ago: float
    usage: SlotUsage | None
    comparison: NotRequired[str | None]
    comparison_name: NotRequired[str | None]
    created_by: NotRequired[str | None]
    arm: NotRequired[str | None]
    seed: NotRequired[int | None]
    role: NotRequired[Literal["final", "trial"] | None]
    trial: NotRequired[int | None]
    fold: NotRequired[int | None]
    progress: NotRequired[float | None]
    eta_s: NotRequired[float | None]
    preparing: NotRequired[Preparation | None]
    samples_per_s: NotRequired[float | None]
    states: NotRequired[list[RunState]]


class RunDetail(TypedDict):
    """One run, with the machine that it is or was trained on."""

    id: str
    comparison: str
    arm: str
    seed: int
    role: Literal["final", "trial"]
    trial: int | None
    fold: int | None
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: float
    eta_s: float | None
    preparing: Preparation | None
    attempt: int
    resumed_at: int
    device: str | None
    shared: int | None
    error: Failure | None
    states: list[RunState]
    versions: dict[str, str] | None
    splits: dict[str, int] | None
    loss_digest: str | None
    step: int
    total_steps: int
    steps_per_epoch: int
    created_at: str
    started_at: str | None
    ended_at: str | None
    environment: dict[str, str] | None
    usage: Usage | None


class Run(TypedDict):
    """One run."""

    id: str
    comparison: str
    arm: str
    seed: int
    role: Literal["final", "trial"]
    trial: int | None
    fold: int | None
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: float
    eta_s: float | None
    preparing: Preparation | None
    attempt: int
    resumed_at: int
    device: str | None
    shared: int | None
    error: Failure | None
    states: list[RunState]
    versions: dict[str, str] | None
    splits: dict[str, int] | None
    loss_digest: str | None
    step: int
    total_steps: int
    steps_per_epoch: int
    created_at: str
    started_at: str | None
    ended_at: str | None


class SensitivityArm(TypedDict):
    """The trials of one arm along one setting."""

    name: str
    points: list[SensitivityPoint]
    default: float | int | str | None
    published: float | None


class SeriesList(TypedDict):
    """Several series."""

    series: list[Series]


class SpaceDistances(TypedDict):
    """Distances of pairs in every arm of a seed."""

    seed: int
    arms: list[ArmDistances]


class SpaceFacts(TypedDict):
    """The arms that have a snapshot of one epoch."""

    seed: int
    epoch: int
    arms: list[ArmFacts]


class SpaceHardest(TypedDict):
    """The hardest tuples of the arms that have a snapshot of one epoch."""

    seed: int
    epoch: int
    among: int
    arms: list[ArmTuples]
    k: int
    suspects: list[Suspect]
    suspected: int


class SpaceNeighbours(TypedDict):
    """The neighbours of one sample in each arm."""

    seed: int
    epoch: int
    sample: int
    arms: list[ArmNeighbours]


class Summary(TypedDict):
    """All metrics of all arms."""

    metrics: list[MetricSummary]
    runs_finished: int
    runs_total: int
    baseline: str
    differs: list[Setting]


class TemplateList(TypedDict):
    """All templates, by name."""

    templates: list[Template]


class Trial(TypedDict):
    """One setting of an arm that was tried."""

    number: int
    params: dict[str, float | int | str]
    state: Literal["waiting", "running", "complete", "failed", "cancelled"]
    value: float | None
    epochs: int | None
    runs: list[TrialRun]


class TunedArm(TypedDict):
    """The search of one arm."""

    name: str
    space: dict[str, dict[str, Any]]
    trials: list[Trial]
    best: int | None
    default: int | None
    problem: str | None
    curve: list[CurvePoint]
    importance: dict[str, float] | None
    near_best: float | None
    spent_s: float


class Tuning(TypedDict):
    """The search of a comparison."""

    tuning: dict[str, Any]
    phase: Literal["search", "final", "done"]
    problem: str | None
    arms: list[TunedArm]


class Verdict(TypedDict):
    """All claims."""

    claims_version: NotRequired[int]
    summary: str
    advice: str
    rule: str
    arms: Pair | None
    tuned: Tuned | None
    seeds: int
    replicates: Replicates
    family: int
    smallest_p: float | None
    to_halve: ToHalve
    arm_states: list[ArmState]
    caveats: list[str]
    claims: list[Claim]


class ViewList(TypedDict):
    """All saved views, by name."""

    views: list[View]


class WorkerList(TypedDict):
    """The slots that were seen lately."""

    workers: list[Worker]


class Arm(TypedDict):
    """One arm of one comparison."""

    comparison: str
    comparison_name: str
    arm: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
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
    """One page of a list."""

    arms: list[Arm]
    total: int
    page: int
    page_size: int


class ArmTable(TypedDict):
    """The requested arms side by side."""

    arms: list[Arm]
    unknown: list[str]
    keys: list[str]
    metrics: list[MetricValues]
    differs: list[SettingValues]


class DatasetDetail(TypedDict):
    """A data set with what is known of its classes."""

    id: str
    name: str
    kind: Literal[
        "image_folder",
        "features",
        "paired_features",
        "text",
        "pairs",
        "triplets",
        "labelled_pairs",
        "scored_pairs",
    ]
    created_at: str
    state: Literal["ready", "unanswered"]
    questions: list[Question]
    answers: dict[str, Any]
    size: int
    items: int
    classes: int
    class_names: list[str]
    has_fine: bool
    shape: dict[str, int]
    has_split: bool
    warnings: list[Note]
    thumbnails: int
    counts: list[int]
    thumbnail_items: list[Thumbnail]
    texts: list[TextExample]


class Dataset(TypedDict):
    """An uploaded data set, as lists show it."""

    id: str
    name: str
    kind: Literal[
        "image_folder",
        "features",
        "paired_features",
        "text",
        "pairs",
        "triplets",
        "labelled_pairs",
        "scored_pairs",
    ]
    created_at: str
    state: Literal["ready", "unanswered"]
    questions: list[Question]
    answers: dict[str, Any]
    size: int
    items: int
    classes: int
    class_names: list[str]
    has_fine: bool
    shape: dict[str, int]
    has_split: bool
    warnings: list[Note]
    thumbnails: int


class Leaderboard(TypedDict):
    """All arms of a comparison, by the quality of their embeddings on the test split."""

    metrics: list[LeaderboardMetric]
    advice: str
    tuned: Tuned | None
    replicate: Literal["seed", "split"]
    replicate_noun: Literal["seed", "draw", "split"]
    runs_finished: int
    runs_total: int
    runs_open: int


class Queue(TypedDict):
    """All slots and one page of the waiting runs."""

    workers: list[QueueSlot]
    devices: dict[str, int]
    waiting: list[Waiting]
    waiting_total: int
    page: int
    page_size: int
    running_total: int
    eta_s: float | None


class RunList(TypedDict):
    """A comparison's runs."""

    runs: list[Run]


class Sensitivity(TypedDict):
    """How the objective depends on one setting."""

    path: str
    log: bool
    arms: list[SensitivityArm]


class DatasetList(TypedDict):
    """Data sets: all that match, or one page of them."""

    datasets: list[Dataset]
    total: int
    page: int
    page_size: int | None


class Everything(TypedDict):
    """
    A comparison and all that is known of it except its curves.

    Its `spec` is what POST /comparisons takes.
    """

    format: str
    made_at: str
    versions: dict[str, str]
    comparison: ComparisonDetail
    spec: dict[str, Any]
    runs: list[Run]
    summary: Summary
    verdict: Verdict
    leaderboard: Leaderboard
    tuning: Tuning | None
