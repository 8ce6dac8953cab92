"""What follows when the machine's clock was set: the work under way keeps its durations."""

import logging

from sqlmodel import col, update

from backend.db.database import Database
from backend.db.models import Projection, Run
from backend.http.times import SteadyClock

log = logging.getLogger(__name__)


def follow_jump(database: Database, clock: SteadyClock) -> None:
    """Let the process's clock follow the machine's, if that was set, and move the start of all work
    under way with it, so that no remaining time and no duration contains the jump."""
    jump = clock.jump()
    if not jump:
        return
    with database.write() as write:
        connection = write.session.connection()
        connection.execute(
            update(Run)
            .where(col(Run.state) == "running")
            .values(started_at=col(Run.started_at) + jump)
        )
        connection.execute(
            update(Projection)
            .where(col(Projection.state) == "running")
            .values(
                started_at=col(Projection.started_at) + jump,
                heard_at=col(Projection.heard_at) + jump,
            )
        )
        clock.follow(jump)
    log.warning("the machine's clock was set by %+.0f s; durations do not contain that", jump)
