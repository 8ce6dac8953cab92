"""Check whether every part that the API needs works; for the probes and the metrics."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from backend.ingest.event_stream import Lag
from backend.state import Parts

MAX_LAG_S: Final = 30.0
"""Age of the oldest event that is not stored yet; if it is older, the pages show old data."""
MIN_FREE_BYTES: Final = 200_000_000
"""Room in the data folder; with less, a snapshot or a checkpoint may not fit."""


@dataclass(frozen=True)
class Health:
    """The result of a check; a problem is a sentence with the finding and what to do, or None."""

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


def check_health(parts: Parts) -> Health:
    """Check every part; takes as long as the slowest one, a few seconds at most."""
    database, broker = None, None
    lag: Lag | None = None
    try:
        parts.database.check_writable()
    except (SQLAlchemyError, TimeoutError) as error:
        database = f"it takes no writes ({_first_line(error)}); see that it runs and has room"
    try:
        lag = parts.queue.behind()
    except (RedisError, OSError) as error:
        broker = f"it does not answer ({_first_line(error)}); start it, nothing else is needed"
    free = disk_free(parts.settings.data_dir)
    disk = None
    if free < MIN_FREE_BYTES:
        disk = (
            f"{free:,} bytes are free in the data folder, {MIN_FREE_BYTES:,} are needed; "
            "delete comparisons or give it a larger disk"
        )
    return Health(database, broker, _collector(parts, lag), disk, lag, free)


def disk_free(folder: Path) -> int:
    """Return the bytes that may still be written below a folder."""
    return shutil.disk_usage(folder).free


def _collector(parts: Parts, lag: Lag | None) -> str | None:
    if not parts.collector.is_alive():
        return "its thread has ended; restart the API, no event is lost"
    if lag is not None and lag.seconds > MAX_LAG_S:
        return (
            f"the oldest of {lag.entries:,} events waits for {lag.seconds:.0f} s, "
            f"{MAX_LAG_S:.0f} s are allowed; see whether the database is slow"
        )
    return None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
