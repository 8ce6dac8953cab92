"""Before every route: who calls, and whether they may.

The middleware decides by the path and the table of rules before a byte of the body is read; the
dependency then makes sure that the route which answers is the one that was decided on, so that a
route without a rule answers nobody.

How fast somebody may go: a bucket each that fills at a steady pace.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.auth.permissions import Person, Role, Rule, find_rule, parse_user_name
from backend.auth.tokens import Tokens
from backend.errors import ForbiddenError, HttpError, TooFastError, UnauthorizedError, response_to
from backend.http.middleware import route_template


@dataclass
class _Bucket:
    full: float
    at: float


class RateLimiter:
    """At most so many at once, and so many a minute from then on, for each key."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        """A pace of 0 lets everything through.

        Args:
            per_minute: how many; as many may come at once.
            clock: seconds that only grow.
        """
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, key: str) -> float:
        """Take one; 0, or the seconds until there is one, and then none was taken."""
        if not self._per_minute:
            return 0.0
        now = self._clock()
        most = max(1.0, self._per_minute)
        bucket = self._buckets.setdefault(key, _Bucket(most, now))
        bucket.full = min(most, bucket.full + (now - bucket.at) * self._per_minute / 60)
        bucket.at = now
        if bucket.full < 1:
            return (1 - bucket.full) * 60 / self._per_minute
        bucket.full -= 1
        return 0.0


USER_HEADER: Final = "X-Lossboard-User"
LOCAL_USER: Final = "local"
"""Who nobody says to be, in an open house."""
PERSON_KEY: Final = "lossboard.person"
RULE_KEY: Final = "lossboard.rule"
"""Keys of a request's scope."""
SAME_SITE: Final = ("same-origin", "none")
"""What a browser says of a call of its own page, or of its user."""
SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")


class AuthMiddleware:
    """ASGI middleware: refuses with 401, 403 or 429, and tells the routes who calls."""

    def __init__(
        self,
        app: ASGIApp,
        tokens: Tokens,
        per_minute: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._limiter = RateLimiter(per_minute, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            rule = scope[RULE_KEY] = find_rule(scope["method"], scope["path"])
            person = scope[PERSON_KEY] = self._person(headers)
            try:
                _refuse_cross_site(scope["method"], headers)
                if rule and (role := rule.role):
                    self._check(rule, role, person, headers)
            except HttpError as error:
                await response_to(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _person(self, headers: Headers) -> Person | None:
        if not self._tokens:
            try:
                name = parse_user_name(headers.get(USER_HEADER, ""))
            except ValueError:  # whoever needs the name says what is wrong with it
                name = ""
            return Person(name or LOCAL_USER, "admin", authenticated=False)
        token = _bearer(headers)
        return self._tokens.owner(token) if token else None

    def _check(self, rule: Rule, role: Role, person: Person | None, headers: Headers) -> None:
        """Let the call through.

        Raises:
            UnauthorizedError, ForbiddenError, TooFastError: each says what to do.
        """
        if person is None:
            raise UnauthorizedError(
                "this token is not known here, or no longer; ask who runs this Lossboard for one"
                if _bearer(headers)
                else "this call needs a token, as `Authorization: Bearer <token>`; who runs this "
                "Lossboard gives one"
            )
        if not person.may(role):
            raise ForbiddenError(
                f"this needs the role {role}, and {person.name!r} has the role {person.role}; "
                "ask who runs this Lossboard for another token"
            )
        if rule.rate_limited and person.authenticated and (wait := self._limiter.take(person.name)):
            seconds = math.ceil(wait)
            raise TooFastError(
                f"{person.name!r} submits faster than this Lossboard takes from one person; "
                f"try again in {seconds} s",
                headers={"Retry-After": str(seconds)},
            )


_scheme = HTTPBearer(
    auto_error=False,
    scheme_name="Token",
    description="A person's token; needed where this Lossboard has tokens.",
)


def require_rule(request: Request, _: Annotated[object, Depends(_scheme)]) -> None:
    """Refuse a route that the guard has not decided on.

    Raises:
        ForbiddenError: no rule says who may call it.
    """
    rule: Rule | None = request.scope.get(RULE_KEY)
    if rule is None or rule.template != route_template(request.scope):
        raise ForbiddenError("no rule says who may call this; it is refused to everybody")


def _refuse_cross_site(method: str, headers: Headers) -> None:
    """Another site's page may not change anything through its visitor's browser.

    Raises:
        ForbiddenError: it tries.
    """
    if method in SAFE_METHODS:
        return
    # Over plain http browsers send no Sec-Fetch-Site, but Origin they do.
    origin = headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != headers.get("host", "")
    if headers.get("sec-fetch-site", "none") not in SAME_SITE or foreign:
        raise ForbiddenError(
            "a page of another address asks for this; open Lossboard itself and do it there"
        )


def _bearer(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
