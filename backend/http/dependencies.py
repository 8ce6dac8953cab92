"""What handlers ask for."""

import hmac
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from backend.auth.middleware import LOCAL_USER, PERSON_KEY, USER_HEADER
from backend.auth.permissions import Person, parse_user_name
from backend.errors import UnauthorizedError
from backend.state import Parts


def parts(request: Request) -> Parts:
    """The process's parts."""
    found: Parts = request.app.state.parts
    return found


_bearer = HTTPBearer(auto_error=False, description="The token that API and workers share.")


def worker_token(
    own: Annotated[Parts, Depends(parts)],
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Let workers through.

    Raises:
        UnauthorizedError: the token is missing or wrong.
    """
    token = given.credentials.encode() if given else b""
    if not hmac.compare_digest(token, own.settings.worker_token.encode()):
        raise UnauthorizedError("this call needs the worker token")


def user(
    request: Request,
    given: Annotated[
        str,
        Header(
            alias=USER_HEADER,
            description="Who asks: a name, percent-encoded UTF-8. A token's own name goes before.",
        ),
    ] = "",
) -> str:
    """The name that what a caller submits goes by: the token's, or in an open house what the
    header says, a name and not a proof of it; "local" where none is told.

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


Own = Annotated[Parts, Depends(parts)]
User = Annotated[str, Depends(user)]
