"""Makes a restored database fit for a world that went on after its backup.

The broker's stream and living workers may still tell of attempts that the backup knows, from
further on: taken, they would be a gap that never closes; and of attempts that it does not know yet,
whose numbers would be given again. So no run goes on with an attempt of before: what was not over
is queued, from its checkpoint, and counts its attempts on from the next hundred. Whatever an
older attempt sends is dropped as stale then, and its worker is told to stop.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from backend.db.database import Database
from backend.db.models import StreamPosition
from backend.ingest.event_stream import order
from backend.runs import repository as runs

STRIDE: Final = 100
"""More attempts than a run makes between a backup and its restore."""


def settle(database: Database, now: float, replaced: Mapping[str, int]) -> int:
    """Queue what ran, give all that is queued new numbers; how many runs are queued.

    Args:
        database: the restored one, which nobody uses yet.
        now: seconds since the epoch.
        replaced: run -> attempt, in the database whose place it takes.
    """
    database.load_position()
    with database.write() as write:
        for run in runs.in_state(write.session, "running"):
            reason = "it ran when the backup was made"
            runs.lose(write, run, reason=reason, strike=False, now=now)
        queued = runs.in_state(write.session, "queued")
        for run in queued:
            known = max(run.attempt, replaced.get(run.id, 0))
            run.attempt = (known // STRIDE + 1) * STRIDE + 1
            write.session.add(run)
        # Who watched before has seen what is no more: its last event lies before this one, so it
        # gets everything anew.
        entry = max(database.position, f"{int(now * 1000)}-0", key=order)
        write.session.merge(StreamPosition(entry=entry))
        write.position = entry
    return len(queued)


def attempts(file: Path | None) -> dict[str, int]:
    """Run -> attempt in an SQLite file; none where it cannot be read, which may be the reason why
    it is replaced."""
    if file is None or not file.is_file():
        return {}
    connection = sqlite3.connect(file)
    try:
        return dict(connection.execute("SELECT id, attempt FROM run").fetchall())
    except sqlite3.DatabaseError:
        return {}
    finally:
        connection.close()
