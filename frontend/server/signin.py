"""The sign-in page, and the routes that sign people in and out.

The page is one file without scripts and without anything from another address. Attempts with wrong
tokens are counted and limited by the address they come from.
"""

import base64
import hashlib
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from cachetools import TTLCache
from jinja2 import Template
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from frontend.server.forwarded import network_of, visitor_address
from frontend.server.proxy import is_same_origin, is_secure, safe_path
from frontend.server.sessions import (
    COOKIE,
    LONGEST_S,
    UNKNOWN_TOKEN,
    ApiAuth,
    AuthUnavailableError,
    Person,
    RefusedTokenError,
    Sessions,
    TooManyTokensError,
)
from frontend.templates import templates

MOST_FAILED: Final = 10
"""Failed attempts of one address within `WITHIN_S`; it has to wait before the next."""
WITHIN_S: Final = 60.0
ADDRESSES: Final = 10_000
"""Addresses that are remembered; with more, the one whose last attempt is the oldest is dropped."""


class Attempts:
    """The times of recent failed attempts by address; used in the server's event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: TTLCache[str, deque[float]] = TTLCache(ADDRESSES, WITHIN_S, clock)

    def wait_s(self, address: str) -> float:
        """Return the seconds until the address may try again; 0 if it may now."""
        times = self._failed.get(address)
        if times is None or len(times) < MOST_FAILED:
            return 0.0
        return max(0.0, WITHIN_S - (self._clock() - times[0]))

    def failed(self, address: str) -> None:
        """Remember a failed attempt."""
        times = self._failed.get(address) or deque(maxlen=MOST_FAILED)
        times.append(self._clock())
        self._failed[address] = times  # keeps them for `WITHIN_S` from now


MALFORMED_NEXT: Final = "The address has a malformed `next`. Sign in here to open the first page."
HERE: Final = Path(__file__).parent


def page(next_path: str, *, problem: str = "", status: int = 200) -> HTMLResponse:
    """Return the sign-in page.

    Args:
        next_path: where to go after the sign-in.
        problem: why the last attempt failed, shown to the person.
        status: of the answer.
    """
    text = _template().render(style=_style(), logo=_logo(), next_path=next_path, problem=problem)
    headers = {"Content-Security-Policy": _policy(), "Cache-Control": "no-store"}
    return HTMLResponse(text, status_code=status, headers=headers)


@cache
def _template() -> Template:
    return templates(HERE).get_template("signin.html")


@cache
def _style() -> Markup:
    return Markup((HERE / "signin.css").read_text(encoding="utf-8"))


@cache
def _logo() -> Markup:
    return Markup((HERE.parent / "mark.svg").read_text(encoding="utf-8"))


@cache
def _policy() -> str:
    """Return a policy that allows this page's style and form and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


MOST_BODY: Final = 10_000
"""Limit on the size of a form, in bytes."""


class SignIn:
    """The routes /signin and /signout."""

    def __init__(self, auth: ApiAuth, sessions: Sessions, attempts: Attempts) -> None:
        self._auth = auth
        self._sessions = sessions
        self._attempts = attempts

    def routes(self) -> list[Route]:
        """Return the routes for the UI's server."""
        return [
            Route("/signin", self.show, methods=["GET"]),
            Route("/signin", self.take, methods=["POST"]),
            Route("/signout", self.leave, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the page, or redirect at once where no sign-in is needed."""
        try:
            next_path = safe_path(request.query_params.get("next", "/"))
        except ValueError:
            return page("/", problem=MALFORMED_NEXT, status=400)
        signed_in = self._sessions.find(request.cookies.get(COOKIE)) is not None
        if signed_in or not await self._auth.needs_sign_in():
            return RedirectResponse(next_path, status_code=303)
        return page(next_path)

    async def take(self, request: Request) -> Response:
        """Start a session with the token that was typed in."""
        form = await _form(request)
        token = form.get("token", "").strip()
        try:
            next_path = safe_path(form.get("next", "/"))
        except ValueError:
            return page("/", problem=MALFORMED_NEXT, status=400)
        if not is_same_origin(request, proof=True):
            problem = "This was not sent from this page. Paste your token here."
            return page(next_path, problem=problem, status=403)
        try:
            person = await self._owner(token, visitor_address(request.scope))
        except _RefusedError as refused:
            answer = page(next_path, problem=refused.problem, status=refused.status)
            answer.headers.update(refused.headers)
            return answer
        self._sessions.end(request.cookies.get(COOKIE))
        done = RedirectResponse(next_path, status_code=303)
        done.set_cookie(
            COOKIE,
            self._sessions.begin(token, person),
            max_age=int(LONGEST_S),
            httponly=True,
            samesite="lax",
            secure=is_secure(request),
        )
        return done

    async def _owner(self, token: str, visitor: str) -> Person:
        """Return whose token a visitor typed.

        Raises:
            _RefusedError: nobody's, or it cannot be checked now.
        """
        address = network_of(visitor)
        if wait := self._attempts.wait_s(address):
            raise _too_many(wait)
        try:
            if not token:
                raise RefusedTokenError(UNKNOWN_TOKEN)
            return await self._auth.owner(token, visitor)
        except RefusedTokenError as error:
            self._attempts.failed(address)
            raise _RefusedError(str(error), 401) from error
        except TooManyTokensError as error:
            raise _too_many(error.wait_s) from error
        except AuthUnavailableError as error:
            raise _RefusedError(str(error), 503) from error

    async def leave(self, request: Request) -> Response:
        """End the session, if there is one."""
        if not is_same_origin(request, proof=True):
            return page("/", problem="This was not sent from this page.", status=403)
        self._sessions.end(request.cookies.get(COOKIE))
        done = RedirectResponse("/signin", status_code=303)
        done.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=is_secure(request))
        return done


class _RefusedError(Exception):
    """A token that signs nobody in."""

    def __init__(self, problem: str, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.status = status
        self.headers = dict(headers or {})


def _too_many(wait_s: float) -> _RefusedError:
    seconds = str(math.ceil(wait_s))
    problem = f"Too many wrong tokens. Try again in {seconds} s."
    return _RefusedError(problem, 429, {"Retry-After": seconds})


async def _form(request: Request) -> dict[str, str]:
    """Return the form's fields; none where it is too long or not ASCII."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            return {}
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}
