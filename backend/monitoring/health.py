"""Whether every part that the API needs does its work; asked by probes and by the metrics."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from backend.ingest.event_stream import Lag
from backend.state import Parts

MAX_LAG_S: Final = 30.0
"""Age of the oldest event that is not stored yet; beyond it what the pages show is old."""
MIN_FREE_BYTES: Final = 200_000_000
"""Bytes of room in the data folder; below it a snapshot or a checkpoint may find none."""


@dataclass(frozen=True)
class Health:
    """What was found; a problem is a sentence with what was seen and what to do, None if fine."""

    database: str | None
    broker: str | None
    collector: str | None
    disk: str | None
    lag: Lag | None
    """None while the broker does not answer."""
    disk_free: int
    """Bytes."""

    @property
    def parts(self) -> dict[str, str | None]:
        """Part -> its problem."""
        return {
            "database": self.database,
            "broker": self.broker,
            "collector": self.collector,
            "disk": self.disk,
        }


def check_health(own: Parts) -> Health:
    """Ask every part; takes as long as the slowest answers, a few seconds at most."""
    database, broker = None, None
    lag: Lag | None = None
    try:
        own.database.check_writable()
    except (SQLAlchemyError, TimeoutError) as error:
        database = f"it takes no writes ({_first_line(error)}); see that it runs and has room"
    try:
        lag = own.queue.behind()
    except (RedisError, OSError) as error:
        broker = f"it does not answer ({_first_line(error)}); start it, nothing else is needed"
    free = disk_free(own.settings.data_dir)
    disk = None
    if free < MIN_FREE_BYTES:
        disk = (
            f"{free:,} bytes are free in the data folder, {MIN_FREE_BYTES:,} are needed; "
            "delete comparisons or give it a larger disk"
        )
    return Health(database, broker, _collector(own, lag), disk, lag, free)


def disk_free(folder: Path) -> int:
    """Bytes that may still be written below a folder."""
    return shutil.disk_usage(folder).free


def _collector(own: Parts, lag: Lag | None) -> str | None:
    if not own.collector.is_alive():
        return "its thread has ended; restart the API, no event is lost"
    if lag is not None and lag.seconds > MAX_LAG_S:
        return (
            f"the oldest of {lag.entries:,} events waits for {lag.seconds:.0f} s, "
            f"{MAX_LAG_S:.0f} s are allowed; see whether the database is slow"
        )
    return None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
