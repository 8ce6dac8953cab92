"""HEAD on every GET route: the status and headers of GET, and no body."""

import asyncio
import hashlib
from typing import Any, Final

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from backend.app import create_app
from backend.auth.permissions import RULES
from backend.http.head import HeadAsGet
from backend.http.openapi import whole_document
from backend.settings import Settings
from contract.names import API_PREFIX
from tests.backend.conftest import Serve
from tests.backend.helpers import TOKEN, Api
from tests.backend.token_users import bearer, call_as, with_tokens

CHANGING: Final = ("/metrics", "/health/ready", "/workers", "/queue", "/audit")
"""Routes whose bodies differ from one call to the next."""
QUERIES: Final[dict[str, dict[str, Any]]] = {
    "/series": {"run": "{run}"},
    "/arms/values": {"arm": "{comparison}~triplet"},
    "/arms/curves": {"arm": "{comparison}~triplet", "key": "dynamics.loss"},
    "/comparisons/{comparison}/space/facts": {"seed": 0, "epoch": 0},
    "/comparisons/{comparison}/space/neighbours": {"seed": 0, "epoch": 0, "sample": 0},
    "/comparisons/{comparison}/space/distances": {"seed": 0},
    "/comparisons/{comparison}/projection": {"seed": 0, "method": "pca"},
    "/comparisons/{comparison}/projection/coordinates.csv": {"seed": 0, "method": "pca"},
}
READ: Final = [rule.route for rule in RULES if rule.method == "GET"]


def ask(api: Api, method: str, path: str, query: dict[str, Any]) -> httpx.Response:
    """The answer; of a body only what comes at once."""
    headers = bearer(TOKEN) if path.startswith("/internal") else {}
    asked = api.http.build_request(method, f"{API_PREFIX}{path}", params=query, headers=headers)
    answer = api.http.send(asked, stream=True)
    if method == "HEAD":
        answer.read()
    answer.close()
    return answer


def test_every_get_route_answers_head_as_it_answers_get(api: Api) -> None:
    comparison = api.submit()
    claim = api.claim()
    assert claim is not None
    ids = {"comparison": comparison, "run": claim["run"], "dataset": "d0", "n": "0"}
    ids |= {"digest": 64 * "a", "file": "vectors.tsv"}
    ids |= dict.fromkeys(("view", "template", "receiver", "delivery", "kind"), "none")
    for route in READ:
        path = route.format(**ids)
        query = {
            name: value.format(**ids) if isinstance(value, str) else value
            for name, value in QUERIES.get(route, {}).items()
        }
        got, head = ask(api, "GET", path, query), ask(api, "HEAD", path, query)
        assert head.status_code == got.status_code, route
        assert head.content == b"", route
        left_out = {"date", "content-length"} if route in CHANGING else {"date"}
        # A server sends a stream's body in chunks, and a head has none.
        kept = [
            {
                name: value
                for name, value in answer.headers.items()
                if name not in left_out | {"transfer-encoding"}
            }
            for answer in (got, head)
        ]
        assert kept[0] == kept[1], route
        assert ("content-length" in head.headers) == ("content-length" in got.headers), route
    assert len(READ) > 30


def test_other_calls_and_addresses_answer_as_for_get(api: Api) -> None:
    for path, status in (("/comparisons/c1/cancel", 405), ("/nowhere", 404)):
        assert ask(api, "HEAD", path, {}).status_code == status
        assert ask(api, "GET", path, {}).status_code == status
    assert api.http.head("/openapi.json").status_code == 200


def test_a_head_request_needs_the_role_of_the_get(settings: Settings, serve: Serve) -> None:
    with serve(with_tokens(settings)) as (api, _):
        asked = [(None, "/comparisons"), ("viewer", "/comparisons"), ("viewer", "/audit")]
        answers = [call_as(api.http, role, "HEAD", path) for role, path in asked]
        assert [answer.status_code for answer in answers] == [401, 200, 403]
        assert call_as(api.http, "admin", "GET", "/audit").json()["total"] == 0


def test_a_file_is_not_sent_and_its_length_is(api: Api) -> None:
    comparison = api.submit()
    content = bytes(1_000_000)
    path = f"{API_PREFIX}/internal/blobs/{hashlib.sha256(content).hexdigest()}"
    api.http.put(path, content=content, headers=bearer(TOKEN)).raise_for_status()
    blob = api.http.head(path, headers=bearer(TOKEN))
    assert (blob.status_code, blob.headers["content-length"]) == (200, "1000000")
    table = f"{API_PREFIX}/comparisons/{comparison}/export?format=csv&what=runs"
    length = len(api.http.get(table).content)
    assert api.http.head(table).headers["content-length"] == str(length)


def test_head_does_not_stand_in_the_document(settings: Settings) -> None:
    calls = whole_document(create_app(settings))["paths"].values()
    assert not any("head" in methods for methods in calls)


@pytest.mark.parametrize("sized", [True, False])
def test_an_answer_in_pieces_is_given_up_after_its_head(sized: bool) -> None:
    ended: list[str] = []

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"9")] if sized else []
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            while True:
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
        finally:
            ended.append(scope["method"])

    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    asyncio.run(HeadAsGet(endless)({"type": "http", "method": "HEAD"}, nothing, keep))
    assert ended == ["GET"]
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[1]["body"] == b""
