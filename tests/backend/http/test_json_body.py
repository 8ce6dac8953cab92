"""JSON bodies: keys given twice, NaN, and texts that are no JSON are told with their place."""

import asyncio
import json
import threading
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from backend.app import create_app
from backend.errors import InvalidJsonError
from backend.http import json_body
from backend.http.json_body import JsonRoute, read_json
from backend.settings import Settings
from contract.comparison.problems import MAX_PROBLEMS
from contract.names import API_PREFIX
from tests.backend.helpers import Api, Json, check_error
from tests.support.specs import small


def post(api: Api, body: str | bytes, path: str = "/comparisons") -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return api.http.post(f"{API_PREFIX}{path}", content=body, headers=headers)


def test_a_key_that_is_given_twice_is_told_with_its_path(api: Api) -> None:
    body = json.dumps(small()).replace('"margin": 0.5', '"margin": 0.5, "margin": 0.7, "a.b": 1')
    body = '{"name": "first", "name": "second", ' + body[1:]
    fields = check_error(post(api, body), 422, "invalid_request")["fields"]
    assert [field["path"] for field in fields] == ["name", "arms[0].loss.margin"]
    assert "given 3 times" in fields[0]["message"]
    assert "given 2 times" in fields[1]["message"]
    assert api.get("/comparisons")["total"] == 0


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_told_with_its_path(api: Api, word: str) -> None:
    body = json.dumps(small()).replace("0.5", word)
    [field] = check_error(post(api, body), 422, "invalid_request")["fields"]
    assert field["path"] == "arms[0].loss.margin"
    assert field["message"].startswith(f"{word} is not a number")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"name": "x",\n "seeds": [1,, 2]}', "Expecting value at line 2, column 14"),
        (b"", "JSON"),
        (b'{"name": "\xff"}', "not UTF-8"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "cannot be read"),
    ],
)
def test_a_text_that_is_no_json_is_told_with_the_place(body: bytes, says: str) -> None:
    with pytest.raises(InvalidJsonError) as raised:
        read_json(body)
    assert says in raised.value.detail or not body


def test_broken_json_is_answered_in_the_one_shape(api: Api) -> None:
    for body in (b"{", b"[" * 100_000, b'"\xff"', b"9" * 5000):
        check_error(post(api, body), 422, "invalid_request")
        check_error(post(api, body, "/comparisons/c/seeds"), 422, "invalid_request")


@pytest.mark.parametrize(
    ("path", "body"),
    [("", {f"k{at}": 1 for at in range(10_001)}), ("seeds", {"seeds": [0] * 10_001})],
)
def test_too_many_entries_are_refused_before_they_are_checked(
    api: Api, path: str, body: Json
) -> None:
    answer = post(api, json.dumps(body), "/comparisons/c/seeds")
    [field] = check_error(answer, 422, "invalid_request")["fields"]
    assert field["path"] == path
    assert "10,001 entries" in field["message"]


def test_of_many_problems_the_first_and_their_number_are_told(api: Api) -> None:
    def seen(answer: httpx.Response) -> Any:
        assert answer.status_code == 422
        assert len(answer.content) < 50_000
        assert len(answer.json()["fields"]) == MAX_PROBLEMS
        return answer.json()["message"]

    unknown = {f"k{at}": 1 for at in range(120_000)}
    message = seen(post(api, json.dumps(small(**unknown))))
    assert message == "the spec has 120,000 problems; here are 100 of 120,000 problems"
    few = dict(list(unknown.items())[:5_000])
    message = seen(api.http.patch(f"{API_PREFIX}/comparisons/c", json=few))
    assert message == "the request is not valid; here are 100 of 5,000 problems"
    repeated = '{"a": [' + ",".join(['{"b": 1, "b": 2}'] * 5_000) + "]}"
    assert "here are 100 of 5,000 problems" in seen(post(api, repeated))


def test_long_bodies_are_read_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    readers: list[int] = []

    def noting(body: bytes, max_entries: int | None = None) -> Any:
        readers.append(threading.get_ident())
        return read_json(body, max_entries)

    monkeypatch.setattr(json_body, "read_json", noting)

    async def read(body: bytes) -> Any:
        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        return await json_body._JsonRequest({"type": "http"}, receive).json()

    assert asyncio.run(read(b"[1]")) == [1]
    assert asyncio.run(read(b"[" + b" " * json_body.SHORT + b"1]")) == [1]
    assert readers[0] == threading.get_ident() != readers[1]


def test_every_call_with_a_json_body_is_read_this_way(settings: Settings) -> None:
    routes = [
        context.original_route for context in iter_route_contexts(create_app(settings).routes)
    ]
    with_body = [route for route in routes if isinstance(route, APIRoute) and route.body_field]
    assert [route.path for route in with_body if not isinstance(route, JsonRoute)] == []
    assert len(with_body) > 5
