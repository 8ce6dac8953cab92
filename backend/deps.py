"""What handlers ask for."""

import hmac
import time
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from backend.errors import UnauthorizedError
from backend.parts import Parts


def parts(request: Request) -> Parts:
    """The process's parts."""
    found: Parts = request.app.state.parts
    return found


def now() -> float:
    """Seconds since the epoch."""
    return time.time()


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


Own = Annotated[Parts, Depends(parts)]
Now = Annotated[float, Depends(now)]
