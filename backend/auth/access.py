"""The tokens that are accepted now: those of the environment and those of the database.

One API process serves a database, so its set in memory is the truth while it runs: it is read at
the start and after each change. Whether a token has expired is looked up at each use.
"""

import asyncio
import logging
import shlex
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Final, TypeVar

from sqlalchemy import bindparam, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col

from backend.auth import stored_tokens
from backend.auth.permissions import ROLES, Person
from backend.auth.stored_tokens import NewToken, state, utc
from backend.auth.tokens import NO_TOKENS, TokenEntry, Tokens, hash_token
from backend.db.database import Database
from backend.db.models import Token
from backend.errors import SettingsError
from backend.http.dependencies import from_state
from backend.http.writing import run_write

log = logging.getLogger(__name__)
USE_WRITTEN_EVERY_S: Final = 60.0
Result = TypeVar("Result")
UNKNOWN: Final = "this token is unknown or no longer valid; ask your admin for one"


class AccessTokens:
    """All tokens of one API process; safe to use from any thread, unless a method says more."""

    def __init__(
        self,
        environment: Tokens = NO_TOKENS,
        launcher: Tokens = NO_TOKENS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Accept the tokens of the environment; `load` adds those of the database.

        Args:
            environment: the tokens of LOSSBOARD_TOKENS; with any the API is closed.
            launcher: the launcher's own one; it closes nothing.
            clock: seconds since the epoch.
        """
        self._environment = environment
        self._fixed = Tokens((*environment.entries, *launcher.entries))
        self._fixed_hashes = frozenset(entry.token_hash for entry in self._fixed.entries)
        self._clock = clock
        self._database: Database | None = None
        self._changing = threading.Lock()
        self._stored: dict[bytes, Token] = {}
        self._last_used: dict[bytes, float] = {}
        self._unwritten: dict[int, float] = {}
        self._writing: asyncio.Task[None] | None = None

    def __bool__(self) -> bool:
        """Return whether calls need a token: there is one, or was one in the database."""
        return bool(self._environment) or bool(self._stored)

    def __contains__(self, token_hash: object) -> bool:
        """Return whether it is the hash of a token that is or was accepted."""
        return token_hash in self._stored or token_hash in self._fixed_hashes

    def load(self, database: Database) -> None:
        """Read the tokens of the database."""
        self._database = database
        self._read(database)

    def check(self) -> None:
        """Refuse tokens that are in both places.

        Raises:
            SettingsError: a name, or a token, of the database is in the environment as well.
        """
        for row in self._stored.values():
            if row.revoked_at is None:
                _refuse_double(row, self._environment)

    def owner(self, token: str) -> Person | None:
        """Return the person whose token it is; None if it is not accepted, or no longer."""
        if person := self._fixed.owner(token):
            return person
        # The time of a look-up by hash says nothing about the token.
        row = self._stored.get(hash_token(token))
        if row is None or state(row, self._clock()) != "active":
            return None
        return _person(row)

    def refusal(self, token: str) -> str:
        """Return for people why a token is not accepted."""
        row = self._stored.get(hash_token(token))
        if row is None:
            return UNKNOWN
        ended = state(row, self._clock())
        if ended == "expired" and row.expires_at is not None:
            what = f"expired on {utc(row.expires_at)}"
        elif ended == "revoked" and row.revoked_at is not None:
            what = f"was revoked on {utc(row.revoked_at)}"
        else:
            return UNKNOWN
        return f"this token {what}; ask who runs this Lossboard for a new one"

    def note_use(self, token: str) -> None:
        """Remember that a token was used, and store it, at most once a minute; never waits.

        In the event loop only. A use that cannot be stored is dropped: the next one is stored.
        """
        token_hash, now = hash_token(token), self._clock()
        row = self._stored.get(token_hash)
        before = self._last_used.get(token_hash, (row and row.last_used_at) or 0.0)
        if 0 <= now - before < USE_WRITTEN_EVERY_S:
            return
        self._last_used[token_hash] = now
        if row is None or row.id is None or self._database is None:
            return
        self._unwritten[row.id] = now
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_uses(self._database))

    async def finish(self) -> None:
        """Wait until the last uses are stored."""
        if self._writing is not None:
            await self._writing

    def add(self, new: NewToken, *, by: str) -> tuple[Token, str]:
        """Add a token; return its row and the secret. It is accepted from now on.

        Raises:
            ConflictError: the name has a token.
        """
        with self._changing:
            row, secret = self._write(
                lambda session: stored_tokens.add(
                    session, new, by=by, now=self._clock(), environment=self._environment
                )
            )
            self._put(row)
        return row, secret

    def revoke(self, name: str, *, by: str, last_admin: bool) -> Token:
        """Revoke the token of a name; it is refused from now on.

        Raises:
            NotFoundError: the name has no token.
            ConflictError: it is one of the environment, or the last one of an admin.
        """
        with self._changing:
            row = self._write(
                lambda session: stored_tokens.revoke(
                    session,
                    name,
                    by=by,
                    now=self._clock(),
                    environment=self._environment,
                    last_admin=last_admin,
                )
            )
            self._put(row)
        return row

    def stored(self) -> list[Token]:
        """Return the tokens of the database, the oldest first."""
        return list(self._stored.values())

    def of_environment(self) -> list[TokenEntry]:
        """Return the tokens of the environment."""
        return list(self._environment.entries)

    def last_use(self, token_hash: bytes) -> float | None:
        """Return when a token was last used, to a minute; of the environment's since the start."""
        row = self._stored.get(token_hash)
        return self._last_used.get(token_hash, row.last_used_at if row else None)

    def now(self) -> float:
        """Return the seconds since the epoch by which tokens expire."""
        return self._clock()

    def _write(self, change: Callable[[Session], Result]) -> Result:
        """Change the database; a change that fails leaves here what the database has."""
        assert self._database is not None, "loaded at the start"
        try:
            with self._database.write() as write:
                return change(write.session)
        except Exception:
            self._read(self._database)
            raise

    def _read(self, database: Database) -> None:
        with database.read() as session:
            rows = stored_tokens.stored(session)
        self._stored = {bytes.fromhex(row.token_hash): row for row in rows}

    def _put(self, row: Token) -> None:
        self._stored = {**self._stored, bytes.fromhex(row.token_hash): row}

    async def _write_uses(self, database: Database) -> None:
        while self._unwritten:
            uses, self._unwritten = self._unwritten, {}
            try:
                await run_write(partial(_store_uses, database, uses))
            except SQLAlchemyError as error:
                log.warning("the last use of %d tokens was not stored: %s", len(uses), error)


def _store_uses(database: Database, uses: dict[int, float]) -> None:
    statement = update(Token).where(col(Token.id) == bindparam("key"))
    with database.write() as write:
        write.session.connection().execute(
            statement.values(last_used_at=bindparam("used")),
            [{"key": key, "used": used} for key, used in uses.items()],
        )


def _refuse_double(row: Token, environment: Tokens) -> None:
    """Refuse to start with a token in both places.

    Raises:
        SettingsError: the name, or the token, is in the environment as well.
    """
    for entry in environment.entries:
        if entry.person.name == row.name:
            raise SettingsError(
                f"{row.name!r} has a token in LOSSBOARD_TOKENS and another that was added with "
                "`token add`; take the entry out of LOSSBOARD_TOKENS, or run `python -m launcher "
                f"token revoke {shlex.quote(row.name)}`"
            )
        if entry.token_hash.hex() == row.token_hash:
            raise SettingsError(
                f"the entry of {entry.person.name!r} in LOSSBOARD_TOKENS is the token of "
                f"{row.name!r}, which was added with `token add`; take the entry out"
            )


def _person(row: Token) -> Person | None:
    """Return whose token it is; None for a role that this version does not know."""
    role = next((role for role in ROLES if role == row.role), None)
    return Person(row.name, role, authenticated=True) if role else None


Access = Annotated[AccessTokens, from_state("access")]
