"""How the client calls the API: one request, one answer or one error."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, BinaryIO, Final, TypeVar, cast
from urllib.parse import quote

import httpx

from frontend.errors import ApiAwayError, ApiError, FieldProblem, MissingError, SignedOutError

PREFIX: Final = "/api/v1"
USER_HEADER: Final = "X-Lossboard-User"
AWAY: Final = (502, 503, 504)
"""Statuses by which the API, or a proxy before it, says: not now."""

Shape = TypeVar("Shape")


class Transport:
    """Calls the API through a client whose base address is the API's, without the prefix."""

    def __init__(
        self,
        http: httpx.Client,
        user: str = "",
        *,
        token: str | Callable[[], str] = "",
        on_signed_out: Callable[[], None] | None = None,
    ) -> None:
        """Where to call, and as whom.

        Args:
            http: the API's address is its base address.
            user: see the attribute.
            token: what the API lets in by, or what gives it for each call; empty where it has none.
            on_signed_out: told when the API does not know the token, before the call raises.
        """
        self._http = http
        self._token: Callable[[], str] = (lambda: token) if isinstance(token, str) else token
        self._on_signed_out = on_signed_out
        self.user = user
        """The name that what is submitted goes by; the API's own word where it is empty."""

    def _call(
        self,
        shape: type[Shape],
        method: str,
        path: str,
        *,
        params: Any = None,
        body: Mapping[str, Any] | None = None,
        sent: Mapping[str, Any] | None = None,
        also: int = 200,
    ) -> Shape:
        """The JSON of a good answer, or of one with the status `also`; it has the shape's keys.

        `sent` stands for the body where that is no JSON, in httpx's own arguments.
        """
        answer = self._send(method, path, params, {"json": body} if sent is None else sent)
        content = self._content(answer)
        if not (answer.is_success or answer.status_code == also):
            raise self._refusal(answer.status_code, content)
        needed: frozenset[str] = shape.__dict__["__required_keys__"]
        if not (isinstance(content, dict) and needed <= content.keys()):
            raise self._not_ours(answer)
        return cast(Shape, content)

    def _save(self, path: str, params: Any, file: BinaryIO, *, timeout: httpx.Timeout) -> None:
        """GET something that is no JSON into a file, piece by piece."""
        answer = self._send("GET", path, params, {"timeout": timeout}, stream=True)
        with closing(answer), self._reaching():
            if not answer.is_success:
                answer.read()
                raise self._refusal(answer.status_code, self._content(answer))
            for piece in answer.iter_bytes():
                file.write(piece)

    def _content(self, answer: httpx.Response) -> Any:
        """The JSON of an answer that has been read."""
        try:
            return answer.json() if answer.content else {}
        except ValueError as error:
            raise self._not_ours(answer) from error

    def _send(
        self,
        method: str,
        path: str,
        params: Any,
        sent: Mapping[str, Any],
        *,
        stream: bool = False,
    ) -> httpx.Response:
        """The answer, whatever it says; of a stream only its head has been read."""
        try:
            request = self._http.build_request(method, f"{PREFIX}{path}", params=params, **sent)
            if self.user:
                request.headers[USER_HEADER] = quote(self.user)
            if token := self._token():
                request.headers["Authorization"] = f"Bearer {token}"
        except (TypeError, ValueError, httpx.InvalidURL) as error:
            raise ApiError("invalid_request", f"This cannot be sent: {error}.") from error
        with self._reaching():
            return self._http.send(request, stream=stream)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Turn what can happen on the way into errors of ours."""
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
        """The error of an answer that is none of the good ones."""
        error = _refusal(status, content)
        if self._on_signed_out and isinstance(error, SignedOutError):
            self._on_signed_out()
        return error

    def _not_ours(self, answer: httpx.Response) -> ApiError:
        """What to say of an answer that the API does not give."""
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
    said = content if isinstance(content, dict) else {}
    fields = [
        FieldProblem(str(field.get("path", "")), str(field.get("message", "")))
        for field in said.get("fields") or ()
        if isinstance(field, dict)
    ]
    return _kind(status)(
        str(said.get("error", status)),
        str(said.get("message", f"The API answered with status {status}.")),
        fields,
        status=status,
    )


def _kind(status: int) -> type[ApiError]:
    if status in AWAY:
        return ApiAwayError
    return {401: SignedOutError, 404: MissingError}.get(status, ApiError)


def part(name: str) -> str:
    """An id as one part of a path, whatever an address put there."""
    if name in ("", ".", ".."):  # no escape keeps these from being read as another path
        raise MissingError("not_found", f"There is no {name!r}.")
    return quote(name, safe="", errors="replace")
