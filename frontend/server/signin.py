"""Signing in and out."""

import math
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from frontend.server.api_auth import Door, DoorAwayError
from frontend.server.same_origin import is_own, is_secure, own_path
from frontend.server.sessions import COOKIE, LONGEST_S, Sessions
from frontend.server.signin_attempts import Attempts
from frontend.server.signin_page import page

MOST_BODY = 10_000
"""Bytes of a form."""


class SignIn:
    """The two addresses, /signin and /signout."""

    def __init__(self, door: Door, sessions: Sessions, attempts: Attempts) -> None:
        self._door = door
        self._sessions = sessions
        self._attempts = attempts

    def routes(self) -> list[Route]:
        """As the UI's server has them."""
        return [
            Route("/signin", self.show, methods=["GET"]),
            Route("/signin", self.take, methods=["POST"]),
            Route("/signout", self.leave, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The page; whoever needs none goes on at once."""
        next_path = own_path(request.query_params.get("next", "/"))
        inside = self._sessions.find(request.cookies.get(COOKIE)) is not None
        if inside or not await self._door.locked():
            return RedirectResponse(next_path, status_code=303)
        return page(next_path)

    async def take(self, request: Request) -> Response:
        """A token that was pasted."""
        form = await _form(request)
        token, next_path = form.get("token", "").strip(), own_path(form.get("next", "/"))
        if not is_own(request, proof=True):
            problem = "This was not sent from this page. Paste your token here."
            return page(next_path, problem=problem, status=403)
        address = request.client.host if request.client else ""
        if wait := self._attempts.wait_s(address):
            seconds = math.ceil(wait)
            problem = f"Too many tokens that were none. Try again in {seconds} s."
            answer = page(next_path, problem=problem, status=429)
            answer.headers["Retry-After"] = str(seconds)
            return answer
        try:
            person = await self._door.owner(token) if token else None
        except DoorAwayError as error:
            return page(next_path, problem=str(error), status=503)
        if person is None:
            self._attempts.failed(address)
            problem = "This token is not known here, or no longer."
            return page(next_path, problem=problem, status=401)
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

    async def leave(self, request: Request) -> Response:
        """Sign out; whoever is not signed in is out already."""
        if not is_own(request, proof=True):
            return page("/", problem="This was not sent from this page.", status=403)
        self._sessions.end(request.cookies.get(COOKIE))
        done = RedirectResponse("/signin", status_code=303)
        done.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=is_secure(request))
        return done


async def _form(request: Request) -> dict[str, str]:
    """The form's fields; of one that is too long, or no text, none."""
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
