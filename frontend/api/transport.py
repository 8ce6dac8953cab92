"""The requests of the API client: each gives one answer or raises one error."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, BinaryIO, Final, TypeVar, cast
from urllib.parse import quote

import httpx

from frontend.errors import (
    ApiAwayError,
    ApiError,
    EditedMeanwhileError,
    FieldProblem,
    MissingError,
    SignedOutError,
)

PREFIX: Final = "/api/v1"
USER_HEADER: Final = "X-Lossboard-User"
AWAY: Final = (502, 503, 504)
"""Statuses by which the API, or a proxy in front of it, says that it cannot answer now."""

Shape = TypeVar("Shape")


class Transport:
    """HTTP calls of the API, whatever they ask."""

    def __init__(
        self,
        http: httpx.Client,
        user: str = "",
        *,
        token: str | Callable[[], str] = "",
        on_signed_out: Callable[[], None] | None = None,
    ) -> None:
        """Say where to call, and as which user.

        Args:
            http: its base address is the API's, without the prefix.
            user: see the attribute.
            token: for the API's sign-in, or a function that returns it for each call; empty where
                there is no sign-in.
            on_signed_out: called when the API does not know the token, before the call raises.
        """
        self._http = http
        self._token: Callable[[], str] = (lambda: token) if isinstance(token, str) else token
        self._on_signed_out = on_signed_out
        self.user = user
        """The name that comparisons are submitted under; the API chooses one where it is empty."""

    def _call(
        self,
        shape: type[Shape],
        method: str,
        path: str,
        *,
        params: Any = None,
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
        also: int = 200,
    ) -> Shape:
        """Return the JSON of a good answer, or of one with the status `also`.

        Args:
            shape: the type of the answer, which has all its required keys.
            method: of HTTP.
            path: below `/api/v1`.
            params: the query.
            body: sent as JSON.
            form: sent instead of JSON; httpx's own arguments.
            also: a status that is a good answer here too.
        """
        answer = self._send(method, path, params, {"json": body} if form is None else form)
        content = self._content(answer, also)
        needed: frozenset[str] = shape.__dict__["__required_keys__"]
        if not (isinstance(content, dict) and needed <= content.keys()):
            raise self._foreign_answer(answer)
        return cast(Shape, content)

    def _delete(self, path: str) -> None:
        """Call DELETE, whose good answer has no content."""
        self._content(self._send("DELETE", path, None, {}))

    def _save(self, path: str, params: Any, file: BinaryIO, *, timeout: httpx.Timeout) -> None:
        """GET a download that is not JSON, and write it into a file piece by piece."""
        answer = self._send("GET", path, params, {"timeout": timeout}, stream=True)
        with closing(answer), self._connection_errors():
            if not answer.is_success:
                answer.read()
                self._content(answer)
            for piece in answer.iter_bytes():
                file.write(piece)

    def _content(self, answer: httpx.Response, also: int = 200) -> Any:
        """Return the JSON of a good answer that has been read.

        Raises:
            ApiError: it is no good answer, or no JSON.
        """
        try:
            content = answer.json() if answer.content else {}
        except ValueError as error:
            raise self._foreign_answer(answer) from error
        if not (answer.is_success or answer.status_code == also):
            raise self._refusal(answer.status_code, content)
        return content

    def _send(
        self,
        method: str,
        path: str,
        params: Any,
        content: Mapping[str, Any],
        *,
        stream: bool = False,
    ) -> httpx.Response:
        """Return the answer, of whichever status; of a stream only the head has been read."""
        try:
            request = self._http.build_request(method, f"{PREFIX}{path}", params=params, **content)
            if self.user:
                request.headers[USER_HEADER] = quote(self.user)
            if token := self._token():
                request.headers["Authorization"] = f"Bearer {token}"
        except (TypeError, ValueError, httpx.InvalidURL) as error:
            raise ApiError("invalid_request", f"This cannot be sent: {error}.") from error
        with self._connection_errors():
            return self._http.send(request, stream=stream)

    @contextmanager
    def _connection_errors(self) -> Iterator[None]:
        """Turn errors of the connection into ours."""
        try:
            yield
        except httpx.TransportError as error:
            raise ApiAwayError(
                "api_unavailable",
                f"The API at {self._http.base_url} does not answer ({type(error).__name__}). Is "
                "`python -m launcher up` running? Its lines say what is wrong.",
            ) from error
        except httpx.HTTPError as error:
            raise ApiError("bad_answer", f"The API's answer is broken: {error}.") from error

    def _refusal(self, status: int, content: Any) -> ApiError:
        """Return the error of a bad answer, after a call of `on_signed_out` where it is due."""
        error = _refusal(status, content)
        if self._on_signed_out and isinstance(error, SignedOutError):
            self._on_signed_out()
        return error

    def _foreign_answer(self, answer: httpx.Response) -> ApiError:
        """Return the error of an answer that did not come from the API."""
        status = answer.status_code
        if status in AWAY:
            return ApiAwayError(
                "api_unavailable",
                f"Something between here and the API answers {status} for it. Does the API run?",
                status=status,
            )
        return ApiError(
            "not_the_api",
            f"{self._http.base_url} answered {status} with something that Lossboard's API does "
            "not say; is it that API, and of this version?",
            status=status,
        )


def _refusal(status: int, content: Any) -> ApiError:
    answer = content if isinstance(content, dict) else {}
    fields = [
        FieldProblem(str(field.get("path", "")), str(field.get("message", "")))
        for field in answer.get("fields") or ()
        if isinstance(field, dict)
    ]
    error = _kind(status)(
        str(answer.get("error", status)),
        str(answer.get("message", f"The API answered with status {status}.")),
        fields,
        status=status,
    )
    current = answer.get("current")
    return EditedMeanwhileError(error, current) if isinstance(current, dict) else error


def _kind(status: int) -> type[ApiError]:
    if status in AWAY:
        return ApiAwayError
    return {401: SignedOutError, 404: MissingError}.get(status, ApiError)


def part(name: str) -> str:
    """Return an id as one part of a path, with all special characters escaped."""
    if name in ("", ".", ".."):  # no escape keeps these from being read as another path
        raise MissingError("not_found", f"There is no {name!r}.")
    return quote(name, safe="", errors="replace")


def comparison_path(comparison: str, call: str = "") -> str:
    """Return the path of a comparison, or of a call about it."""
    return f"/comparisons/{part(comparison)}/{call}".removesuffix("/")
