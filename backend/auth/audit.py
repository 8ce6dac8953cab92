"""The audit log: every call of a person that changes something, refused ones included.

Calls of workers are not written down. Refusals of unknown callers are written only up to a fixed
rate: otherwise anyone who can reach the address could push everything that matters out of the log.
"""

import logging
import time
from functools import partial
from typing import Final

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, func, select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.auth.middleware import PERSON_KEY, RULE_KEY, RateLimiter
from backend.auth.permissions import Person, Rule
from backend.db.database import Database
from backend.db.models import Audit
from backend.errors import DATABASE_UNAVAILABLE, ERROR_CODE
from backend.http.writing import run_write

log = logging.getLogger(__name__)
MAX_ENTRIES: Final = 100_000
"""Older entries are deleted."""
CREATED_IDS: Final = "lossboard.made"
"""Key of a request's scope: the ids of what the call created."""
ANONYMOUS_PER_MIN: Final = 60.0
LOCKED_WAIT_S: Final = 0.1
MAX_ID_LENGTH: Final = 200
"""Characters of an id; longer ones are cut, because callers write them."""


class AuditMiddleware:
    """ASGI middleware around the authentication: it writes each entry before the first byte of the
    answer is sent, so a caller who has an answer finds it in the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._anonymous = RateLimiter(ANONYMOUS_PER_MIN)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and record its outcome."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        written = False

        async def send_and_record(message: Message) -> None:
            nonlocal written
            if message["type"] == "http.response.start":
                written = True
                await self._write(scope, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_and_record)
        except Exception:
            if not written:
                await self._write(scope, 500)  # the server's answer if the app raises
            raise

    async def _write(self, scope: Scope, status: int) -> None:
        rule: Rule | None = scope.get(RULE_KEY)
        if rule is None or not rule.changes:
            return
        person: Person | None = scope.get(PERSON_KEY)
        if person is None and self._anonymous.take(""):
            return
        entry = Audit(
            at=time.time(),
            who=person.name if person else "",
            role=(person.role if person.authenticated else "open") if person else "",
            method=rule.method,
            route=rule.route,
            ids=_ids(scope),
            status=status,
        )
        database: Database = scope["app"].state.parts.database
        try:
            # Where the call itself found the database locked, its answer must not wait once more.
            locked = scope.get(ERROR_CODE) == DATABASE_UNAVAILABLE
            await run_write(partial(add_entry, database, entry), LOCKED_WAIT_S if locked else None)
        except SQLAlchemyError as error:
            # The call itself has been done or refused, and its answer must say which.
            what = "not on the trail: %s %s, status %d: %s"
            log.error(what, rule.method, rule.route, status, str(error).partition("\n")[0])


def note_created(scope: Scope, **ids: str) -> None:
    """Leave the ids of what a call created in its scope, for the audit log."""
    scope[CREATED_IDS] = ids


def entries_page(
    session: Session, *, who: str | None, page: int, page_size: int
) -> tuple[list[Audit], int]:
    """Return a page of entries, the newest first, and the number of all entries.

    Args:
        session: a read transaction.
        who: only entries of this person; "" for unknown callers, None for all.
        page: from 1.
        page_size: entries of a page.
    """
    wanted = [] if who is None else [col(Audit.who) == who]
    total = session.exec(select(func.count()).select_from(Audit).where(*wanted)).one()
    newest = select(Audit).where(*wanted).order_by(col(Audit.id).desc())
    found = session.exec(newest.offset((page - 1) * page_size).limit(page_size)).all()
    return list(found), total


def add_entry(database: Database, entry: Audit, limit: int = MAX_ENTRIES) -> None:
    """Add an entry, and delete the entries that are now too old."""
    with database.write() as write:
        write.session.add(entry)
        write.session.flush()
        assert entry.id is not None
        write.session.connection().execute(delete(Audit).where(col(Audit.id) <= entry.id - limit))


def _ids(scope: Scope) -> dict[str, str]:
    ids = {**scope.get("path_params", {}), **scope.get(CREATED_IDS, {})}
    return {name: str(value)[:MAX_ID_LENGTH] for name, value in ids.items()}
