"""Authentication and authorization before every route: who calls, and whether they may.

The middleware decides by the path and the table of rules before a byte of the body is read. The
dependency `require_rule` then checks that the route which answers is the one that was decided on,
so a route without a rule is refused to everybody.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.auth.access import AccessTokens
from backend.auth.guesses import Guesses
from backend.auth.permissions import Person, Role, Rule, find_rule, parse_user_name
from backend.auth.tokens import MADE_LENGTH
from backend.errors import ForbiddenError, HttpError, TooFastError, UnauthorizedError, response_to
from backend.http.forwarded import caller_address

USER_HEADER: Final = "X-Lossboard-User"
LOCAL_USER: Final = "local"
"""The name of callers who give none, where the API is open."""
PERSON_KEY: Final = "lossboard.person"
RULE_KEY: Final = "lossboard.rule"
TOKEN_KEY: Final = "lossboard.token"
"""Keys of a request's scope: who calls, by which rule, and with which token ("" in an open API)."""
SAME_SITE: Final = ("same-origin", "none")
"""Values of Sec-Fetch-Site for a call of the page itself or of the browser's user."""
SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")


class AuthMiddleware:
    """ASGI middleware: refuses with 401, 403 or 429, and tells the routes who calls."""

    def __init__(
        self,
        app: ASGIApp,
        tokens: AccessTokens,
        per_minute: float,
        guesses: Guesses,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._guesses = guesses
        self._limiter = RateLimiter(per_minute, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            rule = scope[RULE_KEY] = find_rule(scope["method"], scope["path"])
            token = scope[TOKEN_KEY] = _bearer(headers) if self._tokens else ""
            person = scope[PERSON_KEY] = self._person(headers, token)
            try:
                _refuse_cross_site(scope["method"], headers)
                if rule and (role := rule.role):
                    if token:
                        self._check_guess(person, token, caller_address(scope))
                    self._check(rule, role, person, token)
                if person and person.authenticated:
                    self._tokens.note_use(token)
            except HttpError as error:
                await response_to(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _person(self, headers: Headers, token: str) -> Person | None:
        if not self._tokens:
            try:
                name = parse_user_name(headers.get(USER_HEADER, ""))
            except ValueError:  # the route that needs the name answers what is wrong with it
                name = ""
            return Person(name or LOCAL_USER, "admin", authenticated=False)
        return self._tokens.owner(token) if token else None

    def _check_guess(self, person: Person | None, token: str, address: str) -> None:
        """Count a wrong token.

        Raises:
            TooFastError: too many wrong ones came from this address.
        """
        wait = self._guesses.wait_s(address, token)
        # Nobody guesses a token of full length; a short one, typed by hand, may have been guessed.
        is_safe = person and (
            len(token) >= MADE_LENGTH or self._guesses.knows(address, person.name)
        )
        if wait and not is_safe:
            raise too_many_guesses(wait)
        if person:
            self._guesses.passed(address, person.name)
        else:
            self._guesses.failed(address, token)

    def _check(self, rule: Rule, role: Role, person: Person | None, token: str) -> None:
        """Check the token, the role and the rate limit.

        Raises:
            UnauthorizedError, ForbiddenError, TooFastError: the message says what to do.
        """
        if person is None:
            raise UnauthorizedError(
                self._tokens.refusal(token)
                if token
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


def too_many_guesses(wait_s: float) -> TooFastError:
    """Return the refusal of a token that is not even looked at."""
    seconds = math.ceil(wait_s)
    return TooFastError(
        f"too many wrong tokens came from this address; try again in {seconds} s",
        headers={"Retry-After": str(seconds)},
    )


class RateLimiter:
    """A token bucket for each key: a burst of one minute's calls, then a steady rate."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Create the limiter; a rate of 0 lets everything through.

        Args:
            per_minute: calls a minute; as many may come at once.
            clock: seconds, monotonic.
        """
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, key: str) -> float:
        """Take one call; return 0, or the seconds to wait if there is none to take."""
        if not self._per_minute:
            return 0.0
        now = self._clock()
        capacity = max(1.0, self._per_minute)
        bucket = self._buckets.setdefault(key, _Bucket(capacity, now))
        refilled = bucket.level + (now - bucket.updated_at) * self._per_minute / 60
        bucket.level, bucket.updated_at = min(capacity, refilled), now
        if bucket.level < 1:
            return (1 - bucket.level) * 60 / self._per_minute
        bucket.level -= 1
        return 0.0


@dataclass
class _Bucket:
    level: float
    updated_at: float


def _refuse_cross_site(method: str, headers: Headers) -> None:
    """Refuse a change that a page of another site sends through its visitor's browser.

    Raises:
        ForbiddenError: the call comes from another site.
    """
    if method in SAFE_METHODS:
        return
    # Over plain http browsers send no Sec-Fetch-Site, but they do send Origin.
    origin = headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != headers.get("host", "")
    if headers.get("sec-fetch-site", "none") not in SAME_SITE or foreign:
        raise ForbiddenError(
            "a page of another address asks for this; open Lossboard itself and do it there"
        )


def _bearer(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
