"""Tokens in the database: added, revoked, listed; only their hashes are kept.

A name has one token at a time. Once that token is revoked or has expired, the name may be given
anew; the earlier rows stay. They are never deleted, because the API is closed as long as there is
one.
"""

import re
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import inspect
from sqlmodel import Session, col, select

from backend.auth.permissions import Role, name_problem
from backend.auth.tokens import LAUNCHER_NAME, Tokens, hash_token
from backend.db.models import Token
from backend.errors import ConflictError, NotFoundError

COMMAND_LINE: Final = "command line"
"""Stands for the person in `created_by` and `revoked_by` of changes while the API is stopped."""
RESERVED_NAMES: Final = (LAUNCHER_NAME, COMMAND_LINE)
TABLE: Final = "token"
MAX_DAYS: Final = 36_500

TokenState = Literal["active", "expired", "revoked"]


def parse_expiry(text: str) -> Callable[[datetime], datetime]:
    """Parse `90d`, a date (its end) or a time in ISO 8601; without an offset it is UTC.

    Returns:
        A function from the present time to the time of expiry, both UTC.

    Raises:
        ValueError: it is none of these; the message says what is.
    """
    if days := re.fullmatch(r"([0-9]{1,6})d", text):
        count = int(days[1])
        if not 1 <= count <= MAX_DAYS:
            raise ValueError(f"is {text}; it must lie between 1d and {MAX_DAYS}d")
        return lambda now: now + timedelta(days=count)
    try:
        moment = datetime.fromisoformat(text)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            moment = moment.replace(hour=23, minute=59, second=59)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            "must be a number of days such as 90d, a date such as 2027-01-31, or a time such as "
            "2027-01-31T18:00+01:00"
        ) from None
    return lambda _: moment


def _valid_name(name: str) -> str:
    name = name.strip()
    problem = name_problem(name) if name else "is empty"
    if any("\ud800" <= character <= "\udfff" for character in name):
        problem = "is not Unicode text"
    if name in RESERVED_NAMES:
        problem = "is one that Lossboard uses itself; choose another"
    if problem:
        raise PydanticCustomError("token_name", "{text}", {"text": problem})
    return name


def _valid_expiry(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        now = datetime.now(UTC)
        if parse_expiry(text)(now) <= now:
            raise ValueError("lies in the past (times are UTC)")
    except ValueError as error:
        raise PydanticCustomError("token_expiry", "{text}", {"text": str(error)}) from None
    return text


class NewToken(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, AfterValidator(_valid_name)]
    """Who it is for; what they submit goes by it."""
    role: Role
    expires: Annotated[str | None, AfterValidator(_valid_expiry)] = Field(None, max_length=40)
    """A number of days such as `90d`, a date (its end, UTC) or a time; null for never."""


def stored(session: Session) -> list[Token]:
    """Return all tokens, the oldest first; none from a database of a version before them."""
    if not inspect(session.connection()).has_table(TABLE):
        return []
    return list(session.exec(select(Token).order_by(col(Token.id))).all())


def state(token: Token, now: float) -> TokenState:
    """Return whether a token is accepted, and if not, what ended it first."""
    ends = [(token.expires_at, "expired"), (token.revoked_at, "revoked")]
    over = sorted((at, what) for at, what in ends if at is not None and at <= now)
    if not over:
        return "active"
    return "expired" if over[0][1] == "expired" else "revoked"


def add(
    session: Session, new: NewToken, *, by: str, now: float, environment: Tokens
) -> tuple[Token, str]:
    """Store a new token; return its row and the secret, which is kept nowhere.

    Args:
        session: a write transaction.
        new: name, role and expiry.
        by: who adds it.
        now: seconds since the epoch.
        environment: the tokens of LOSSBOARD_TOKENS.

    Raises:
        ConflictError: the name has a token.
    """
    if new.name in names(environment):
        raise ConflictError(
            f"{new.name!r} has a token in LOSSBOARD_TOKENS; choose another name, or take that "
            "entry out and start the API again"
        )
    held = _find(session, new.name)
    if held and state(held, now) == "active":
        raise ConflictError(
            f"{new.name!r} has a token already, made on {utc(held.created_at)}; revoke it first, "
            "or choose another name"
        )
    if held:
        held.revoked_at, held.revoked_by = now, by
        session.add(held)
        session.flush()
    secret = secrets.token_urlsafe(32)
    expires_at: float | None = None
    if new.expires:
        expires_at = parse_expiry(new.expires)(datetime.fromtimestamp(now, UTC)).timestamp()
    token = Token(
        name=new.name,
        role=new.role,
        token_hash=hash_token(secret).hex(),
        created_at=now,
        created_by=by,
        expires_at=expires_at,
    )
    session.add(token)
    session.flush()
    return token, secret


def revoke(
    session: Session,
    name: str,
    *,
    by: str,
    now: float,
    environment: Tokens,
    last_admin: bool = False,
) -> Token:
    """Revoke the token of a name; return its row.

    Args:
        session: a write transaction.
        name: whose token.
        by: who revokes it.
        now: seconds since the epoch.
        environment: the tokens of LOSSBOARD_TOKENS.
        last_admin: whether it may be the last one of an admin.

    Raises:
        NotFoundError: the name has no token.
        ConflictError: it is one of the environment, or the last one of an admin.
    """
    held = _find(session, name.strip())
    if held is None:
        if name.strip() in names(environment):
            raise ConflictError(
                f"the token of {name.strip()!r} comes from LOSSBOARD_TOKENS or "
                "LOSSBOARD_TOKENS_FILE; take its entry out and start the API again"
            )
        raise NotFoundError(f"there is no token of {name.strip()!r}, or it is revoked already")
    others = [one for one in stored(session) if one.id != held.id]
    was_admin = held.role == "admin" and state(held, now) == "active"
    if was_admin and not last_admin and not has_admin(others, environment, now):
        raise ConflictError(
            f"{held.name!r} has the last admin token: without it nobody can add or revoke tokens, "
            "delete or read the audit log until the API is stopped and one is added with `python "
            "-m launcher token add NAME admin`. Add another admin first, or confirm it with "
            "last_admin (--last-admin)"
        )
    held.revoked_at, held.revoked_by = now, by
    session.add(held)
    session.flush()
    return held


def has_admin(rows: Sequence[Token], environment: Tokens, now: float) -> bool:
    """Return whether an admin can sign in."""
    return any(entry.person.role == "admin" for entry in environment.entries) or any(
        row.role == "admin" and state(row, now) == "active" for row in rows
    )


def names(tokens: Tokens) -> set[str]:
    """Return the names that have a token in the environment."""
    return {entry.person.name for entry in tokens.entries}


def utc(seconds: float) -> str:
    """Return a time for people, such as `2027-01-31 18:00 UTC`."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _find(session: Session, name: str) -> Token | None:
    """Return the row that holds a name: the one that is not revoked, though it may have expired."""
    wanted = select(Token).where(col(Token.name) == name, col(Token.revoked_at).is_(None))
    return session.exec(wanted).first()
