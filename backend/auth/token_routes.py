"""HTTP routes: the tokens, added and revoked while the API runs."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.auth.access import Access, AccessTokens
from backend.auth.audit import note_created
from backend.auth.dependencies import User
from backend.auth.permissions import MAX_NAME_LENGTH, Role
from backend.auth.stored_tokens import NewToken, TokenState, state
from backend.auth.tokens import TokenEntry
from backend.db.models import Token
from backend.errors import ConflictError
from backend.http.json_body import JsonRoute
from backend.http.times import iso
from backend.http.writing import writes

router = APIRouter(prefix="/tokens", tags=["access"], route_class=JsonRoute)
OPEN: Final = (
    "this Lossboard is open: it has no tokens, so everybody may do everything. Stop it, add the "
    "first token with `python -m launcher token add NAME admin`, and start it again"
)
NOT_KEPT: Final = {"Cache-Control": "no-store"}


class AccessToken(BaseModel):
    """A token, without its secret, which is kept nowhere."""

    name: str
    """Who it is for."""
    role: Role
    source: Literal["database", "environment"]
    """Those of the environment are changed there, and the API started again."""
    state: TokenState
    created_at: str | None
    """Null for those of the environment."""
    created_by: str
    """Empty for those of the environment."""
    expires_at: str | None
    """Null if it never expires."""
    last_used_at: str | None
    """To a minute; for those of the environment since the API's start."""
    revoked_at: str | None
    revoked_by: str | None


class AccessTokenList(BaseModel):
    """All tokens that are or were accepted."""

    open: bool
    """True while there never was a token: everybody may do everything."""
    tokens: list[AccessToken]
    """Those of the environment, then those of the database, the oldest first."""


class CreatedToken(BaseModel):
    """A new token."""

    secret: str
    """What the person signs in with; shown only now."""
    token: AccessToken


class Revocation(BaseModel):
    """Whose token is revoked."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=MAX_NAME_LENGTH)]
    last_admin: bool = False
    """Whether it may be the last one of an admin."""


@router.get("")
def list_tokens(access: Access) -> AccessTokenList:
    """Return all tokens, also expired and revoked ones, without their secrets."""
    return token_list(access)


@router.post("", status_code=201)
@writes
def add_token(
    new: NewToken, request: Request, response: Response, access: Access, user: User
) -> CreatedToken:
    """Make a token; the answer is the only place where its secret is shown."""
    if not access:  # whoever came first would take it over
        raise ConflictError(OPEN)
    note_created(request.scope, token=new.name)
    row, secret = access.add(new, by=user)
    response.headers.update(NOT_KEPT)
    return CreatedToken(secret=secret, token=token_out(row, access))


@router.post("/revoke")
@writes
def revoke_token(
    revocation: Revocation, request: Request, access: Access, user: User
) -> AccessToken:
    """Revoke a token: calls with it are refused from now on, and its live streams end."""
    note_created(request.scope, token=revocation.name)
    row = access.revoke(revocation.name, by=user, last_admin=revocation.last_admin)
    return token_out(row, access)


def token_list(access: AccessTokens) -> AccessTokenList:
    """Return all tokens as answers have them."""
    return AccessTokenList(
        open=not access,
        tokens=[
            *(_of_environment(entry, access) for entry in access.of_environment()),
            *(token_out(row, access) for row in access.stored()),
        ],
    )


def _of_environment(entry: TokenEntry, access: AccessTokens) -> AccessToken:
    return AccessToken(
        name=entry.person.name,
        role=entry.person.role,
        source="environment",
        state="active",
        created_at=None,
        created_by="",
        expires_at=None,
        last_used_at=_iso(access.last_use(entry.token_hash)),
        revoked_at=None,
        revoked_by=None,
    )


def token_out(row: Token, access: AccessTokens) -> AccessToken:
    """Return a token of the database as answers have it."""
    return AccessToken.model_validate(
        {
            **row.model_dump(include={"name", "role", "created_by", "revoked_by"}),
            "source": "database",
            "state": state(row, access.now()),
            "created_at": iso(row.created_at),
            "expires_at": _iso(row.expires_at),
            "last_used_at": _iso(access.last_use(bytes.fromhex(row.token_hash))),
            "revoked_at": _iso(row.revoked_at),
        }
    )


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else iso(seconds)
