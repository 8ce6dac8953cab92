"""The leaderboard as the API gives it."""

from typing import Literal

from pydantic import BaseModel

from backend.verdict.schemas import Tuned
from contract.comparison.replication import Noun
from contract.metrics import Better


class LeaderboardValue(BaseModel):
    """The value of one run."""

    seed: int
    value: float


class ToBest(BaseModel):
    """How far an arm is from the best one, paired by seed."""

    best: str
    mean_difference: float
    """Mean of the arm's value minus the best one's."""
    low: float | None
    """Lower end of the simultaneous interval over all pairs; null for fewer than three pairs."""
    high: float | None
    p_holm: float | None
    """P-value after Holm's correction over all pairs of arms; null for fewer than three pairs."""
    n: int
    """Seeds that both arms have."""
    told_apart: bool
    level: bool
    """Whether the simultaneous interval lies inside the practical bounds."""


class LeaderboardArm(BaseModel):
    """One arm in one metric."""

    arm: str
    n: int
    """Runs that have succeeded and have a value."""
    mean: float | None
    sd: float | None
    """Standard deviation of the sample (n - 1); null for fewer than two values."""
    low: float | None
    """Lower end of the interval of the mean that holds for all arms at once at 95 %; null for fewer
    than three values."""
    high: float | None
    values: list[LeaderboardValue]
    rank: tuple[int, int] | None
    """First and last place that the arm may have: no more arms are clearly different on either
    side. Null for an arm without a value, for one that did not train, and where neither direction
    is better."""
    letters: str
    """A letter for each of the metric's groups that the arm is in: arms that share one are not told
    apart. Empty without a rank, and where there are more groups than letters."""
    state: str
    """Why the arm has no rank although it was run: `no_valid_tuple`, `collapsed` or `overflow`;
    else empty."""
    to_best: ToBest | None
    """Null for the best arm itself, and for an arm that shares no seed with it."""


class LeaderboardMetric(BaseModel):
    """One metric of all arms."""

    key: str
    label: str
    better: Better
    arms: list[LeaderboardArm]
    """In the spec's order."""
    best: list[str]
    """The arm with the best mean; several if their means are equal."""
    not_told_apart: list[tuple[str, str]]
    """Pairs of ranked arms whose difference may be chance, the better mean first."""
    groups: list[list[str]]
    """The largest sets of arms of which no two are clearly different, that of the best arm first;
    an arm may be in several."""
    said: str
    """Which arm is best, and which are not clearly different from it, as a sentence."""
    pairs: int
    """Pairs of arms that were compared: those that share at least three seeds."""
    practical: float | None
    """Half-width of the differences that do not matter; null where the metric has none, or is
    compared by its ratio."""
    untrained: float | None
    """The untrained network's value, mean over seeds; measured on the validation split."""
    raw_backbone: float | None
    """The value of the frozen backbone's features, without a head."""
    chance: float | None
    """The value of a random ranking."""


class Leaderboard(BaseModel):
    """All arms of a comparison, by the quality of their embeddings on the test split."""

    metrics: list[LeaderboardMetric]
    """The main one first: MAP@R, or cross-modal MAP on data of two modalities."""
    advice: str
    """Which arms to use for what, and with what reservation; empty where nothing is measured."""
    tuned: Tuned | None
    """The search that gave the arms their settings; null where they were given."""
    replicate: Literal["seed", "split"]
    """What varies between the runs of an arm: the seed alone, or the split of the data too."""
    replicate_noun: Noun
    """What one replicate is called: with `split` it depends on the data."""
    runs_finished: int
    """Runs that succeeded; only these count."""
    runs_total: int
    runs_open: int
    """Runs that are queued or running: ranks may still change."""
