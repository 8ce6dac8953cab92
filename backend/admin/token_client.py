"""Calls of a running API about tokens, for the command line."""

import json
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from backend.admin.locations import AdminError
from backend.auth.stored_tokens import NewToken
from backend.auth.token_routes import AccessToken, AccessTokenList, CreatedToken
from contract.names import API_PREFIX

TIMEOUT_S: Final = 15.0
Answer = TypeVar("Answer", bound=BaseModel)


class ApiAwayError(AdminError):
    """No API answers at the address."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token would be sent to the other address."""

    def redirect_request(  # noqa: PLR0917
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """Return nothing: the answer becomes an error."""


_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())


class TokenClient:
    """The tokens of a running API, changed with an admin's token."""

    def __init__(self, url: str, token: str) -> None:
        """Say where the API is, and with which token it is called."""
        self._url = url.rstrip("/")
        self._token = token

    def add(self, new: NewToken) -> CreatedToken:
        """Add a token.

        Raises:
            AdminError: the API refuses it, or does not answer.
        """
        return self._call(CreatedToken, "/tokens", new.model_dump())

    def tokens(self) -> AccessTokenList:
        """Return all tokens.

        Raises:
            AdminError: the API refuses it, or does not answer.
        """
        return self._call(AccessTokenList, "/tokens")

    def revoke(self, name: str, *, last_admin: bool) -> AccessToken:
        """Revoke a token.

        Raises:
            AdminError: the API refuses it, or does not answer.
        """
        return self._call(AccessToken, "/tokens/revoke", {"name": name, "last_admin": last_admin})

    def _call(self, shape: type[Answer], path: str, body: dict[str, Any] | None = None) -> Answer:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        sent = None if body is None else json.dumps(body).encode()
        try:
            request = urllib.request.Request(f"{self._url}{API_PREFIX}{path}", sent, headers)
            with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
                return shape.model_validate_json(answer.read())
        except urllib.error.HTTPError as error:
            raise AdminError(self._refusal(error)) from None
        except (UnicodeEncodeError, ValidationError, ValueError) as error:
            if isinstance(error, ValidationError):
                raise AdminError(f"what answers at {self._url} is not a Lossboard API") from None
            raise AdminError(
                "the address or LOSSBOARD_TOKEN has characters that no call can carry"
            ) from None
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise ApiAwayError(f"no API answers at {self._url} ({reason})") from None

    def _refusal(self, error: urllib.error.HTTPError) -> str:
        """Return in words why the API refused a call."""
        try:
            answer = json.loads(error.read())
            lines = [str(answer["message"])]
            lines += [f"  {field['path']}: {field['message']}" for field in answer["fields"]]
        except (OSError, ValueError, KeyError, TypeError):
            return f"{self._url} answered {error.code}; is it the API of Lossboard?"
        if error.code in {401, 403}:
            lines.append("Set LOSSBOARD_TOKEN to an admin's token.")
        return "\n".join([f"the API at {self._url}: {lines[0]}", *lines[1:]])
