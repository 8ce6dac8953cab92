"""The client's downloads, and their errors."""

import io
from collections.abc import Iterator

import httpx
import pytest

from frontend.api.client import Api
from frontend.errors import ApiAwayError, ApiError, MissingError
from frontend.server.proxy import is_slow


class Broken(httpx.SyncByteStream):
    """A body whose connection ends in the middle."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"arm,seed\n"
        raise httpx.RemoteProtocolError("peer closed connection without sending complete body")


def client(answer: httpx.Response) -> Api:
    """A client whose every request gets this answer."""
    transport = httpx.MockTransport(lambda _: answer)
    return Api(httpx.Client(transport=transport, base_url="http://api"))


def test_a_download_that_is_cut_off_is_an_error() -> None:
    with pytest.raises(ApiAwayError, match="does not answer"):
        client(httpx.Response(200, stream=Broken())).export("c1", io.BytesIO())


def test_a_refusal_has_the_apis_message_and_writes_nothing() -> None:
    body = {"error": "not_found", "message": "there is no comparison 'c1'", "fields": []}
    file = io.BytesIO()
    with pytest.raises(MissingError, match="there is no comparison"):
        client(httpx.Response(404, json=body)).export("c1", file)
    assert file.getvalue() == b""


def test_an_answer_that_is_not_the_apis_is_recognised() -> None:
    with pytest.raises(ApiError) as caught:
        client(httpx.Response(500, text="<html>")).export("c1", io.BytesIO())
    assert caught.value.code == "not_the_api"


@pytest.mark.parametrize(
    ("method", "path", "slow"),
    [
        ("GET", "comparisons/c1/export", True),
        ("HEAD", "comparisons/c1/export", True),
        ("POST", "datasets", True),
        ("GET", "datasets", False),
        ("GET", "comparisons/c1", False),
        ("GET", "comparisons/c1/live", False),
    ],
)
def test_the_proxy_waits_long_only_where_the_api_works_long(
    method: str, path: str, slow: bool
) -> None:
    assert is_slow(method, path) is slow
