"""Dependencies of handlers: the rule of the route, the caller's name, the token of workers."""

import hmac
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from backend.auth.access import Access
from backend.auth.guesses import Guesses
from backend.auth.middleware import (
    LOCAL_USER,
    PERSON_KEY,
    RULE_KEY,
    TOKEN_KEY,
    USER_HEADER,
    too_many_guesses,
)
from backend.auth.permissions import Person, Rule, parse_user_name
from backend.errors import ForbiddenError, UnauthorizedError
from backend.http.forwarded import caller_address
from backend.http.middleware import route_template

_person_token = HTTPBearer(
    auto_error=False,
    scheme_name="Token",
    description="A person's token; needed where this Lossboard has tokens.",
)
_worker_token = HTTPBearer(auto_error=False, description="The token that API and workers share.")


async def require_rule(request: Request, _: Annotated[object, Depends(_person_token)]) -> None:
    """Refuse a route that the middleware has not decided on.

    Raises:
        ForbiddenError: no rule says who may call it.
    """
    rule: Rule | None = request.scope.get(RULE_KEY)
    if rule is None or rule.template != route_template(request.scope):
        raise ForbiddenError("no rule says who may call this; it is refused to everybody")


async def worker_token(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_worker_token)],
) -> None:
    """Refuse callers without the worker token; the right one is accepted at any time.

    Raises:
        UnauthorizedError: the token is missing or wrong.
        TooFastError: too many wrong ones came from this address.
    """
    token = given.credentials if given else ""
    expected: str = request.app.state.worker_token
    if hmac.compare_digest(token.encode(), expected.encode()):
        return
    guesses: Guesses = request.app.state.guesses
    address = caller_address(request.scope)
    if token and (wait := guesses.wait_s(address, token)):
        raise too_many_guesses(wait)
    if token:
        guesses.failed(address, token)
    raise UnauthorizedError("this call needs the worker token")


async def user(
    request: Request,
    given: Annotated[
        str,
        Header(
            alias=USER_HEADER,
            description="Who asks: a name, percent-encoded UTF-8. A token's own name goes before.",
        ),
    ] = "",
) -> str:
    """Return the caller's name, under which what they submit is listed.

    It is the name that belongs to the token. Without tokens it is what the header says, which is
    a name and no proof; "local" where the header is missing.

    Raises:
        RequestValidationError: the header is too long, no UTF-8, or holds control characters.
    """
    person: Person = request.scope[PERSON_KEY]
    if person.authenticated:
        return person.name
    try:
        return parse_user_name(given) or LOCAL_USER
    except ValueError as error:
        where = ("header", USER_HEADER)
        detail = {"type": "value_error", "loc": where, "msg": str(error), "input": given}
        raise RequestValidationError([detail]) from None


User = Annotated[str, Depends(user)]


async def caller(request: Request) -> Person:
    """Return who calls; in an open API it is somebody who may do everything."""
    person: Person = request.scope[PERSON_KEY]
    return person


Caller = Annotated[Person, Depends(caller)]


async def still_admitted(request: Request, access: Access) -> Callable[[], bool]:
    """Return a check, for long answers, that the caller's token is still accepted."""
    token: str = request.scope[TOKEN_KEY]
    return lambda: not access or access.owner(token) is not None


StillAdmitted = Annotated[Callable[[], bool], Depends(still_admitted)]
