"""The trail: every call of a person that changes something is written down, refused ones too.

What workers say among themselves is not. Refusals of callers that nobody knows are written up to a
pace only: else whoever can reach the address could push all that matters off the trail.

The trail of who did what, the newest entries of it.
"""

import asyncio
import logging
import time
from typing import Final

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, func, select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.auth.middleware import PERSON_KEY, RULE_KEY, RateLimiter
from backend.auth.permissions import Person, Rule
from backend.db.database import Database
from backend.db.models import Audit

MAX_ENTRIES: Final = 100_000
"""Entries; older ones go."""


def add_entry(database: Database, entry: Audit, kept: int = MAX_ENTRIES) -> None:
    """Add an entry, and let the one go that is too old by it."""
    with database.write() as write:
        write.session.add(entry)
        write.session.flush()
        assert entry.id is not None
        write.session.connection().execute(delete(Audit).where(col(Audit.id) <= entry.id - kept))


def entries_page(
    session: Session, *, who: str | None, page: int, page_size: int
) -> tuple[list[Audit], int]:
    """A page of entries, the newest first, and how many there are.

    Args:
        session: a view.
        who: of one person only; "" for callers that nobody knows.
        page: from 1.
        page_size: entries of a page.
    """
    wanted = [] if who is None else [col(Audit.who) == who]
    total = session.exec(select(func.count()).select_from(Audit).where(*wanted)).one()
    newest = select(Audit).where(*wanted).order_by(col(Audit.id).desc())
    found = session.exec(newest.offset((page - 1) * page_size).limit(page_size)).all()
    return list(found), total


log = logging.getLogger(__name__)

CREATED_IDS: Final = "lossboard.made"
"""Key of a request's scope: the ids of what the call made."""
ANONYMOUS_PER_MIN: Final = 60.0
MAX_ID_LENGTH: Final = 200
"""Characters of an id; callers write them."""


class AuditMiddleware:
    """ASGI middleware around the guard: writes before the answer's first byte is sent, so whoever
    has an answer finds it on the trail."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._anonymous = RateLimiter(ANONYMOUS_PER_MIN)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and remember how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        written = False

        async def watched(message: Message) -> None:
            nonlocal written
            if message["type"] == "http.response.start":
                written = True
                await self._write(scope, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            if not written:
                await self._write(scope, 500)  # as the server answers where the app raises
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
            await asyncio.to_thread(add_entry, database, entry)
        except SQLAlchemyError:
            # The call itself has been done or refused; its answer has to say which.
            log.exception("not on the trail: %s %s, status %d", rule.method, rule.route, status)


def note_created(scope: Scope, **ids: str) -> None:
    """Say what a call has made, for the trail."""
    scope[CREATED_IDS] = ids


def _ids(scope: Scope) -> dict[str, str]:
    found = {**scope.get("path_params", {}), **scope.get(CREATED_IDS, {})}
    return {name: str(value)[:MAX_ID_LENGTH] for name, value in found.items()}
