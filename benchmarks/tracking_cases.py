"""What benchmarks/tracking.py asks of each peer, and how the table names it."""

from collections.abc import Mapping
from typing import Final, NamedTuple

OURS_LOGGED, OURS_STORED = 200_000, 200_000
"""Points that ours writes in a round."""
LONG, SHORT = 1_000_000, 100_000
AIM_LONG: Final = 100_000
"""Aim tracks a few thousand points a second, and writes in no other way."""
READ_GOAL_MS: Final = 10.0

Call = tuple[str, str]
"""A peer's script below benchmarks/peers, and the name of a call in it."""


class Asked(NamedTuple):
    """One call of a peer."""

    name: str
    """As the table shows it."""
    points: int
    least_ratio: float | None = None
    ahead: str = ""
    """Why it may be ahead of ours: a note says so where it is."""


class Case(NamedTuple):
    """What is measured: a rate of writing, or the time of a read."""

    title: str
    unit: str
    ours: int
    """Points of ours."""
    peers: Mapping[Call, Asked]

    @property
    def rate(self) -> bool:
        """Whether points a second are shown, of which more is better."""
        return self.unit == "points/s"

    def figure(self, points: int, seconds: float) -> float:
        """What the table shows of that many points in so many seconds."""
        return points / seconds if self.rate else seconds * 1e3


FILE: Final = (
    "TensorBoard appends records to a file that is no database: nothing can be asked of it before "
    "all of it was read, and a half-written end is found by the next reader."
)
TEXT: Final = (
    "trackio writes a step's twenty values as one JSON text, one row where ours has twenty and "
    "two roll-ups of each series; its reads of one series then parse the texts of all steps."
)
HASHED: Final = (
    "Aim keeps points in the order of a hash and returns the first thousand that it meets, "
    "a sample that may miss every spike; ours returns mean, least and greatest of every bucket."
)
ARRAYS: Final = (
    "Aim decodes into an array of numbers; ours makes lists in which a lost value is null."
)

WRITTEN: Final = Case(
    "written end to end, 20 values a step",
    "points/s",
    OURS_LOGGED,
    {
        ("with_mlflow", "logged"): Asked("MLflow log_metrics", 1_000, 10),
        ("with_mlflow", "batched"): Asked("MLflow log_batch of 1,000", 5_000, 10),
        ("with_trackio", "logged"): Asked("trackio log and finish", 100_000, 3, TEXT),
        ("with_tensorboard", "logged"): Asked("TensorBoard Writer", 40_000, None, FILE),
        ("with_aim", "logged"): Asked("Aim Run.track", 5_000),
    },
)
WRITTEN_ONE: Final = Case(
    "written end to end, 1 value a step",
    "points/s",
    OURS_LOGGED,
    {
        ("with_mlflow", "logged_one"): Asked("MLflow log_metrics", 200, 10),
        ("with_trackio", "logged_one"): Asked("trackio log and finish", 20_000, 3),
        ("with_tensorboard", "logged_one"): Asked("TensorBoard Writer", 40_000, None, FILE),
        ("with_aim", "logged_one"): Asked("Aim Run.track", 2_000),
    },
)
BARE: Final = Case(
    "the store alone, 1,000 at a time",
    "points/s",
    OURS_STORED,
    {
        ("with_mlflow", "stored"): Asked("MLflow SqlAlchemyStore.log_batch", 5_000),
        ("with_trackio", "stored"): Asked("trackio SQLiteStorage.bulk_log", 50_000, None, TEXT),
        ("with_tensorboard", "stored"): Asked("TensorBoard EventFileWriter", 100_000, None, FILE),
    },
)
THINNED: Final = Case(
    "1,000 points of 1,000,000",
    "ms",
    LONG,
    {
        ("with_mlflow", "thinned"): Asked("MLflow get_metric_history_bulk_interval", LONG, 1),
        ("with_trackio", "thinned"): Asked("trackio get_logs", LONG, 1),
        ("with_tensorboard", "thinned"): Asked("TensorBoard EventAccumulator", LONG, 1),
        ("with_aim", "thinned"): Asked("Aim sample", AIM_LONG, 1, HASHED),
    },
)
WHOLE: Final = Case(
    "all of 100,000 points",
    "ms",
    SHORT,
    {
        ("with_mlflow", "whole"): Asked("MLflow get_metric_history", SHORT),
        ("with_trackio", "whole"): Asked("trackio get_logs", SHORT),
        ("with_tensorboard", "whole"): Asked("TensorBoard EventAccumulator", SHORT),
        ("with_aim", "whole"): Asked("Aim data.numpy", SHORT, None, ARRAYS),
    },
)
CASES: Final = (WRITTEN, WRITTEN_ONE, BARE, THINNED, WHOLE)
SCRIPTS: Final = tuple(dict.fromkeys(script for case in CASES for script, _ in case.peers))
