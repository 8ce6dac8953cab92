"""People with tokens, for tests of who may do what."""

from dataclasses import replace

import httpx

from backend.auth.tokens import Tokens
from backend.settings import Settings

TOKENS = {
    "viewer": "viewer-token-0123456789",
    "editor": "editor-token-0123456789",
    "admin": "admin-token-01234567890",
}
"""By role; the people are called Vera, Edda and Adam."""
NAMES = {"viewer": "Vera", "editor": "Edda", "admin": "Adam"}
ENTRIES = ",".join(f"{NAMES[role]}:{role}:{token}" for role, token in TOKENS.items())


def locked(settings: Settings, submits_per_min: float = 0) -> Settings:
    """The same with a sign-in, where one may submit as fast as one likes."""
    tokens = Tokens.parse(ENTRIES)
    return replace(settings, tokens=tokens, submits_per_min=submits_per_min)


def bearer(token: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


def ask(
    http: httpx.Client, role: str | None, method: str, path: str, **sent: object
) -> httpx.Response:
    """A call by whoever has the role; by nobody for None."""
    headers = bearer(TOKENS[role]) if role else {}
    return http.request(method, f"/api/v1{path}", headers=headers, **sent)  # type: ignore[arg-type]
