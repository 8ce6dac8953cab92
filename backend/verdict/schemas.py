"""The verdict as the API gives it."""

from pydantic import BaseModel

from contract.catalogue.claims import CLAIMS_VERSION, Expected
from contract.comparison.replication import Noun, Replicate
from contract.comparison.tuning import Sampler
from contract.metrics.states import State
from contract.statistics import Word

Interval = tuple[float, float]


class Pair(BaseModel):
    """The two arms that are judged."""

    a: str
    """Takes the place of the contrastive loss in the claims."""
    b: str
    """Takes the place of the triplet loss in the claims."""


class ReportedOut(BaseModel):
    """What a paper reports."""

    what: str
    a: float
    b: float
    unit: str
    source: str
    second_hand: bool


class Figures(BaseModel):
    """How one metric differs between the two arms."""

    metric: str
    mean_difference: float | None
    """Mean of a - b; a censored value counts as its bound."""
    interval: Interval | None
    """The 95 % interval of the mean difference; null below three pairs, for whole-numbered metrics
    and where a value is censored."""
    simultaneous: Interval | None
    """The interval that is wide enough for all claims of the verdict together."""
    bounds: Interval | None
    """Differences within which the two arms count as level; null for a metric that has no such
    bounds, or is compared by the ratio a / b."""
    ratio: float | None
    """Geometric mean of a / b, for a metric that is compared by it."""
    ratio_interval: Interval | None
    """Its 95 % interval."""
    ratio_simultaneous: Interval | None
    """Its interval that is wide enough for all claims of the verdict together."""
    ratio_bounds: Interval | None
    """Ratios within which the two arms count as level."""
    level_side: Expected | None
    """Where the arms are level: whether a is nevertheless greater or less, if that is certain."""
    p_value: float | None
    """Null where so few pairs cannot give a p below 0.05."""
    p_holm: float | None
    """The p-value after Holm's correction over the claims; null where so few pairs cannot give one
    below 0.05."""
    effect_size: float | None
    n: int
    """Pairs of runs."""
    verdict: Word


class EvidenceOut(Figures):
    """One metric that a claim is judged by."""

    label: str
    part: str
    """The epoch of the test split that is read: "best epoch" or "last epoch"; empty for others."""
    robust: bool
    """Whether it is a part of the robust form, which decides; otherwise of the measure as the paper
    took it."""
    expected: Expected
    """How a should compare with b."""
    mean_a: float | None
    """Mean over the pairs; null where a value is censored."""
    mean_b: float | None
    censored: int
    """Pairs in which a value is censored: only a lower bound of it is known."""
    differences: list[float]
    """a - b of each pair without a censored value."""


class AsReported(BaseModel):
    """What the measure as the paper took it says."""

    word: Word
    metrics: list[str]


class Parts(BaseModel):
    """How many of its parts a claim was judged on."""

    judged: int
    of: int


class ClaimOut(Figures):
    """One claim, judged by its robust form; the other figures are those of its first measured
    part."""

    id: int
    text: str
    arms: Pair | None
    reason: str
    reported: list[ReportedOut]
    """For contrastive and triplet loss; empty for other arms."""
    evidence: list[EvidenceOut]
    """The parts of the robust form."""
    reported_evidence: list[EvidenceOut]
    """The metrics of the measure as the paper took it."""
    as_reported: AsReported
    disagreement: str
    """One sentence where the two forms come to different words; otherwise empty."""
    parts: Parts
    true_by_construction: str
    """Why the measure as the paper took it comes out as claimed whatever the data; or empty."""
    related: str
    """Work of others on the same question; or empty."""


class Replicates(BaseModel):
    """What the pairs of runs are replicates of."""

    kind: Replicate
    noun: Noun
    """What one replicate is called."""
    n: int
    said: str
    """For example "10 seeds on one split"."""


class ArmStateOut(BaseModel):
    """A state that ended runs of an arm are in, which says whether they were trained."""

    arm: str
    state: State
    runs: int
    """Runs in this state."""
    of: int
    """Runs that have ended."""
    not_trained: bool
    """Whether so many of the arm's runs were not trained that its embeddings are not judged."""
    said: str


class ToHalve(BaseModel):
    """What would make the intervals half as wide."""

    replicates: int | None
    """How many more replicates; null where there is no interval, or no number would do."""
    floor: str
    """Why no number of replicates makes the intervals narrower than some width; or empty."""


class Tuned(BaseModel):
    """The search that gave every arm its settings, with the same budget."""

    trials: int
    """Of each arm."""
    objective: str
    """The metric of the validation split that decided."""
    sampler: Sampler
    folds: int


class Verdict(BaseModel):
    """All claims."""

    claims_version: int = CLAIMS_VERSION
    """Of the claims and the rules that judge them."""
    summary: str
    advice: str
    """Which arm to use here, for what, and with what reservation; empty where nothing is judged."""
    rule: str
    """How a word is decided, in one line."""
    arms: Pair | None
    """Null where the spec has no contrastive or no triplet arm and no other two were named."""
    tuned: Tuned | None
    """Null where the settings were given."""
    seeds: int
    """Number of seeds at which the runs of both arms have succeeded."""
    replicates: Replicates
    family: int
    """Number of claims that are measured: so many are judged together."""
    smallest_p: float | None
    """The smallest p-value that so few seeds can give; null for splits of one data set."""
    to_halve: ToHalve
    arm_states: list[ArmStateOut]
    caveats: list[str]
    claims: list[ClaimOut]
