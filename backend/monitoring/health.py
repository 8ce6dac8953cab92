"""Check whether every part that the API needs works; for the probes and the metrics."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from backend.ingest.event_stream import BrokerMemory, Lag
from backend.state import Parts
from backend.storage.disk_space import write_problem

MAX_LAG_S: Final = 30.0
"""Age of the oldest event that is not stored yet; if it is older, the pages show old data."""
MIN_FREE_BYTES: Final = 200_000_000
"""Room on each disk that is written; with less, a snapshot or a checkpoint may not fit."""
MAX_BROKER_SHARE: Final = 0.95
"""Of the broker's limit on its memory; beyond it the next events may be refused."""


@dataclass(frozen=True)
class Health:
    """The result of a check; a problem is a sentence with the finding and what to do, or None."""

    database: str | None
    broker: str | None
    collector: str | None
    disk: str | None
    lag: Lag | None
    """None while the broker does not answer."""
    broker_memory: BrokerMemory | None
    """None while the broker does not answer."""
    disk_free: int
    """Bytes; of several disks, on the one with the least."""

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
    memory: BrokerMemory | None = None
    try:
        lag = parts.queue.behind()
        memory = parts.queue.broker_memory()
        broker = _memory_problem(memory)
    except (RedisError, OSError) as error:
        broker = f"it does not answer ({_first_line(error)}); start it, nothing else is needed"
    disk, free = _disk(parts)
    return Health(database, broker, _collector(parts, lag), disk, lag, memory, free)


def _memory_problem(memory: BrokerMemory) -> str | None:
    if not memory.limit or memory.used < MAX_BROKER_SHARE * memory.limit:
        return None
    return (
        f"it uses {memory.used:,} of the {memory.limit:,} bytes that its maxmemory allows, and "
        "refuses events at the limit; raise maxmemory, or delete what else is kept there. Trainers "
        "send again what was refused"
    )


def _disk(parts: Parts) -> tuple[str | None, int]:
    """Check every folder that is written, on whatever disk it lies; return the problems, and the
    least room in bytes."""
    data_dir = parts.settings.data_dir
    problems: list[str] = []
    free: dict[int, int] = {}
    for folder in (data_dir, *parts.blobs.folders, *parts.uploads.folders):
        if problem := write_problem(folder):
            problems.append(problem)
            continue
        device = folder.stat().st_dev
        if device in free:
            continue
        free[device] = disk_free(folder)
        if free[device] < MIN_FREE_BYTES:
            problems.append(
                f"{free[device]:,} bytes are free on the disk of {folder}, {MIN_FREE_BYTES:,} are "
                "needed; delete comparisons or give it a larger disk"
            )
    return "; ".join(problems) or None, min(free.values(), default=0)


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
