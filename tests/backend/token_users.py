"""People with tokens, for tests of roles and permissions."""

from dataclasses import replace

import httpx

from backend.auth.tokens import Tokens
from backend.settings import Settings

TOKENS = {
    "viewer": "viewer-token-0123456789",
    "editor": "editor-token-0123456789",
    "admin": "admin-token-01234567890",
}
"""Role -> token; the people are called Vera, Edda and Adam."""
NAMES = {"viewer": "Vera", "editor": "Edda", "admin": "Adam"}
ENTRIES = ",".join(f"{NAMES[role]}:{role}:{token}" for role, token in TOKENS.items())


def with_tokens(settings: Settings, submits_per_min: float = 0) -> Settings:
    """Return the settings with tokens, and without a limit on submits unless one is given."""
    tokens = Tokens.parse(ENTRIES)
    return replace(settings, tokens=tokens, submits_per_min=submits_per_min)


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def call_as(
    http: httpx.Client, role: str | None, method: str, path: str, **sent: object
) -> httpx.Response:
    """Send a request with the token of a role; without a token for None."""
    headers = bearer(TOKENS[role]) if role else {}
    return http.request(method, f"/api/v1{path}", headers=headers, **sent)  # type: ignore[arg-type]
