"""Bodies larger than their call takes: 413, announced or not, before they are read."""

import json
from collections.abc import Iterator

import httpx
import pytest

from backend.http.body_limits import SMALL, SPEC, limit_of
from contract.names import API_PREFIX
from tests.backend.helpers import TOKEN, Api, check_error
from tests.backend.token_users import bearer

PIECE = 50_000


def pieces(size: int) -> Iterator[bytes]:
    for at in range(0, size, PIECE):
        yield b" " * min(PIECE, size - at)


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(
    ("method", "path", "size"),
    [
        ("POST", "/comparisons", SPEC.size),
        ("PATCH", "/comparisons/{comparison}", SMALL.size),
        ("POST", "/comparisons/{comparison}/seeds", SMALL.size),
        ("POST", "/internal/claim", SMALL.size),
    ],
)
def test_a_body_may_have_its_limit_and_no_byte_more(
    api: Api, method: str, path: str, size: int, announced: bool
) -> None:
    path = f"{API_PREFIX}{path.format(comparison=api.submit())}"

    def ask(length: int) -> httpx.Response:
        body = b" " * length if announced else pieces(length)
        headers = {"Content-Type": "application/json", **bearer(TOKEN)}
        return api.http.request(method, path, content=body, headers=headers)

    check_error(ask(size), 422, "invalid_request")
    body = check_error(ask(size + 1), 413, "too_large")
    assert f"{size} bytes" in body["message"]


def test_the_longest_notes_fit_however_they_are_written(api: Api) -> None:
    path = f"{API_PREFIX}/comparisons/{api.submit()}"
    notes = "\U0001f600" * 20_000
    body = json.dumps({"notes": notes}, ensure_ascii=True)
    assert len(body) > 240_000  # twelve bytes a character
    headers = {"Content-Type": "application/json"}
    assert api.http.patch(path, content=body, headers=headers).json()["notes"] == notes


def test_files_have_the_limit_of_uploads() -> None:
    for method, path in (("POST", "/datasets"), ("PUT", f"/internal/blobs/{64 * 'a'}")):
        assert limit_of(method, f"{API_PREFIX}{path}", 5_000_000).size == 5_000_000
    for method, path in (("GET", "/datasets"), ("POST", "/datasets/d/answers")):
        assert limit_of(method, f"{API_PREFIX}{path}", 5_000_000) == SMALL
