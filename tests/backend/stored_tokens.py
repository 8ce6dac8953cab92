"""Tokens in a database that no API uses."""

from backend.auth.stored_tokens import NewToken, add, revoke
from backend.auth.tokens import NO_TOKENS
from backend.db.database import Database


def store_token(database: Database, name: str, role: str = "admin", now: float = 1000.0) -> str:
    """Store a token; its secret."""
    new = NewToken.model_validate({"name": name, "role": role})
    with database.write() as write:
        return add(write.session, new, by="test", now=now, environment=NO_TOKENS)[1]


def revoke_token(database: Database, name: str, now: float = 2000.0) -> None:
    """Revoke a token."""
    with database.write() as write:
        revoke(write.session, name, by="test", now=now, environment=NO_TOKENS, last_admin=True)
