"""Which tokens a restored database has.

Tokens belong to an installation, not to its data: a backup from another machine, or of last month,
must not bring back a token that was revoked since, nor open what is closed. So the target keeps its
own, unless those of the backup are asked for.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from backend.admin.locations import Locations
from backend.auth.stored_tokens import stored
from backend.db.database import Database
from backend.db.models import Token

REVOKED_BY: Final = "restore"


def read_tokens(locations: Locations) -> list[Token]:
    """Read the tokens of the database that is replaced; none if there is none, or if it cannot be
    read, which may be the reason why it is replaced."""
    if locations.file is not None and not locations.file.is_file():
        return []
    database = Database(locations.url)
    try:
        with database.read() as session:
            return stored(session)
    except SQLAlchemyError:
        return []
    finally:
        database.close()


def keep_tokens(database: Database, own: Sequence[Token], *, with_tokens: bool, now: float) -> str:
    """Give a restored database its tokens; return in words which, or "" where there are none.

    Args:
        database: the restored one, which is not in use yet.
        own: those of the database that is replaced.
        with_tokens: whether those of the backup are wanted.
        now: seconds since the epoch.
    """
    with database.write() as write:
        session = write.session
        found = stored(session)
        if found and with_tokens:
            return "its tokens are restored with it"
        if own:
            session.connection().execute(delete(Token))
            session.expunge_all()
            session.add_all(Token.model_validate(row.model_dump()) for row in own)
            lacking = "it has no tokens, so " if with_tokens else ""
            return f"{lacking}the tokens that were here stay"
        if not found:
            return ""
        for row in found:
            if row.revoked_at is None:
                row.revoked_at, row.revoked_by = now, REVOKED_BY
                session.add(row)
        return (
            "its tokens are not restored, and nobody can sign in until one is added with "
            "`python -m launcher token add NAME admin`, or LOSSBOARD_TOKENS has one (--with-tokens "
            "would restore them)"
        )
