"""Roles, and which role each call needs: one rule a route; a route without a rule is refused."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args
from urllib.parse import unquote_to_bytes

from starlette.routing import compile_path

from contract.names import API_PREFIX

Role = Literal["viewer", "editor", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""Each role may do everything that the roles before it may."""
MAX_NAME_LENGTH: Final = 80
"""Characters of a person's name."""
Access = Role | Literal["none", "worker"]
"""The role that a call needs; "none" for probes; "worker" for the worker token, which the routes
check themselves."""


@dataclass(frozen=True)
class Person:
    """The caller of a request."""

    name: str
    role: Role
    authenticated: bool
    """Whether a token proves who it is; if not, the API is open and the name is only a claim."""

    def may(self, role: Role) -> bool:
        """Return whether the person's role includes another role."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True)
class Rule:
    """What one route needs."""

    method: str
    route: str
    """The path's template below API_PREFIX."""
    need: Access
    rate_limited: bool = False
    """Whether the call makes work or takes room, so the number of calls a minute is limited."""
    reads: bool = False
    """Whether it changes nothing, although it is a POST: its question does not fit an address."""

    @property
    def template(self) -> str:
        """The whole path's template, as the app's routes have it."""
        return API_PREFIX + self.route

    @property
    def role(self) -> Role | None:
        """The role that it needs; None if people's tokens do not matter."""
        return next((role for role in ROLES if role == self.need), None)

    @property
    def changes(self) -> bool:
        """Whether it belongs in the audit log: a call of a person that changes something."""
        return self.method != "GET" and self.need != "worker" and not self.reads


RULES: Final = (
    Rule("GET", "/health/live", "none"),
    Rule("GET", "/health/ready", "none"),
    Rule("GET", "/metrics", "viewer"),
    Rule("GET", "/me", "viewer"),
    Rule("GET", "/audit", "admin"),
    Rule("GET", "/tokens", "admin"),
    Rule("POST", "/tokens", "admin"),
    Rule("POST", "/tokens/revoke", "admin"),
    Rule("GET", "/catalogue", "viewer"),
    Rule("GET", "/workers", "viewer"),
    Rule("GET", "/queue", "viewer"),
    Rule("GET", "/series", "viewer"),
    Rule("GET", "/comparisons", "viewer"),
    Rule("POST", "/comparisons", "editor", rate_limited=True),
    Rule("POST", "/comparisons/preview", "viewer", reads=True),
    Rule("GET", "/comparisons/{comparison}", "viewer"),
    Rule("PATCH", "/comparisons/{comparison}", "editor"),
    Rule("DELETE", "/comparisons/{comparison}", "admin"),
    Rule("POST", "/comparisons/{comparison}/cancel", "editor"),
    Rule("POST", "/comparisons/{comparison}/retry", "editor"),
    Rule("POST", "/comparisons/{comparison}/seeds", "editor", rate_limited=True),
    Rule("POST", "/comparisons/{comparison}/front", "editor"),
    Rule("GET", "/comparisons/{comparison}/runs", "viewer"),
    Rule("GET", "/comparisons/{comparison}/tuning", "viewer"),
    Rule("GET", "/comparisons/{comparison}/tuning/sensitivity", "viewer"),
    Rule("POST", "/comparisons/{comparison}/tuning/more", "editor", rate_limited=True),
    Rule("GET", "/comparisons/{comparison}/live", "viewer"),
    Rule("GET", "/comparisons/{comparison}/summary", "viewer"),
    Rule("GET", "/comparisons/{comparison}/verdict", "viewer"),
    Rule("GET", "/comparisons/{comparison}/leaderboard", "viewer"),
    Rule("GET", "/comparisons/{comparison}/export", "viewer"),
    Rule("GET", "/comparisons/{comparison}/space", "viewer"),
    Rule("GET", "/comparisons/{comparison}/space/facts", "viewer"),
    Rule("GET", "/comparisons/{comparison}/space/neighbours", "viewer"),
    Rule("GET", "/comparisons/{comparison}/space/distances", "viewer"),
    Rule("GET", "/comparisons/{comparison}/space/hardest", "viewer"),
    Rule("GET", "/comparisons/{comparison}/space/moved", "viewer"),
    Rule("GET", "/comparisons/{comparison}/size", "viewer"),
    Rule("GET", "/comparisons/{comparison}/blobs/{digest}", "viewer"),
    Rule("GET", "/comparisons/{comparison}/models", "viewer"),
    Rule("GET", "/comparisons/{comparison}/confusion", "viewer"),
    Rule("GET", "/comparisons/{comparison}/projection", "viewer"),
    Rule("POST", "/comparisons/{comparison}/projection", "viewer"),
    Rule("DELETE", "/comparisons/{comparison}/projection", "viewer"),
    Rule("GET", "/comparisons/{comparison}/projection/coordinates.csv", "viewer"),
    Rule("POST", "/comparisons/{comparison}/alerts", "editor", rate_limited=True),
    Rule("DELETE", "/comparisons/{comparison}/alerts/{receiver}", "editor"),
    Rule("POST", "/comparisons/{comparison}/alerts/{receiver}/test", "editor", rate_limited=True),
    Rule("GET", "/alerts", "viewer"),
    Rule("GET", "/alerts/receivers", "viewer"),
    Rule("POST", "/alerts/receivers", "admin", rate_limited=True),
    Rule("DELETE", "/alerts/receivers/{receiver}", "admin"),
    Rule("POST", "/alerts/receivers/{receiver}/test", "admin", rate_limited=True),
    Rule("GET", "/alerts/deliveries", "viewer"),
    Rule("POST", "/alerts/deliveries/{delivery}/retry", "editor", rate_limited=True),
    Rule("GET", "/views", "viewer"),
    Rule("POST", "/views", "editor"),
    Rule("GET", "/views/{view}", "viewer"),
    Rule("PATCH", "/views/{view}", "editor"),
    Rule("DELETE", "/views/{view}", "editor"),
    Rule("GET", "/templates", "viewer"),
    Rule("POST", "/templates", "editor"),
    Rule("GET", "/templates/{template}", "viewer"),
    Rule("PATCH", "/templates/{template}", "editor"),
    Rule("DELETE", "/templates/{template}", "editor"),
    Rule("GET", "/arms", "viewer"),
    Rule("GET", "/arms/values", "viewer"),
    Rule("GET", "/arms/curves", "viewer"),
    Rule("GET", "/runs/{run}", "viewer"),
    Rule("GET", "/runs/{run}/log", "viewer"),
    Rule("GET", "/runs/{run}/model", "viewer"),
    Rule("GET", "/runs/{run}/model.zip", "viewer"),
    Rule("GET", "/runs/{run}/embeddings.parquet", "viewer"),
    Rule("GET", "/runs/{run}/projector/{file}", "viewer"),
    Rule("POST", "/runs/{run}/cancel", "editor"),
    Rule("POST", "/runs/{run}/retry", "editor"),
    Rule("POST", "/runs/{run}/front", "editor"),
    Rule("GET", "/datasets", "viewer"),
    Rule("POST", "/datasets", "editor", rate_limited=True),
    Rule("GET", "/datasets/{dataset}", "viewer"),
    Rule("DELETE", "/datasets/{dataset}", "admin"),
    Rule("POST", "/datasets/{dataset}/answers", "editor", rate_limited=True),
    Rule("GET", "/datasets/{dataset}/thumbnails/{n}", "viewer"),
    Rule("POST", "/internal/claim", "worker"),
    Rule("POST", "/internal/runs/{run}/heartbeat", "worker"),
    Rule("POST", "/internal/heartbeats", "worker"),
    Rule("POST", "/internal/workers/{name}/seen", "worker"),
    Rule("POST", "/internal/plugins", "worker"),
    Rule("PUT", "/internal/blobs/{digest}", "worker"),
    Rule("GET", "/internal/blobs/{digest}", "worker"),
    Rule("POST", "/internal/projections/claim", "worker"),
    Rule("POST", "/internal/projections/{projection}/progress", "worker"),
    Rule("POST", "/internal/projections/{projection}/end", "worker"),
    Rule("GET", "/internal/datasets/{dataset}/answers", "worker"),
    Rule("GET", "/internal/datasets/{dataset}/content", "worker"),
)


def find_rule(method: str, path: str) -> Rule | None:
    """Return the rule of a call, by its decoded path; None if there is none."""
    return next((rule for path_of, rule in _COMPILED.get(method, ()) if path_of.match(path)), None)


_COMPILED: Final[Mapping[str, Sequence[tuple[re.Pattern[str], Rule]]]] = {
    method: [(compile_path(rule.template)[0], rule) for rule in RULES if rule.method == method]
    for method in {rule.method for rule in RULES}
}


def parse_user_name(header: str) -> str:
    """Decode a name from a header of percent-encoded UTF-8; return "" if the header is empty.

    Raises:
        ValueError: it is too long, not UTF-8, or holds control characters; the message says which.
    """
    try:
        # The server decodes headers as Latin-1; this restores the bytes that were sent.
        name = unquote_to_bytes(header.encode("latin-1")).decode().strip()
    except UnicodeError:
        raise ValueError("is not percent-encoded UTF-8; encode it as an address is") from None
    if problem := name_problem(name):
        raise ValueError(problem)
    return name


def name_problem(name: str) -> str | None:
    """Return why a text cannot be a person's name, or None."""
    if len(name) > MAX_NAME_LENGTH:
        return f"has {len(name)} characters; at most {MAX_NAME_LENGTH} are taken"
    odd = next((c for c in name if unicodedata.category(c) in {"Cc", "Zl", "Zp"}), "")
    return f"holds the control character U+{ord(odd):04X}; leave it out" if odd else None
