"""Requests made from the OpenAPI document, right and wrong ones, on both databases: none is
answered with a 5xx, and every error has the one shape."""

from collections import Counter
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from backend.app import create_app
from backend.auth.permissions import RULES
from backend.http.openapi import whole_document
from backend.settings import Settings
from backend.state import Parts
from tests.backend.conftest import Serve
from tests.backend.helpers import TOKEN, Api, Attempt, run_now, send
from tests.support.broker import Broker
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(600)


class Depth(NamedTuple):
    """How many cases are made."""

    each: int
    """Of an operation for each of: right, wrong, ids that are made up, ids of things there are."""
    least: int
    """In all; each is tried on two databases."""
    fine: int
    """So many of them are answered with 200 at least: cases that are right must get through."""


QUICK: Final = Depth(each=1, least=200, fine=20)
THOROUGH: Final = Depth(each=11, least=1000, fine=100)
BOUND_S: Final = 30.0
"""For an answer."""
LONGEST: Final = 60_000
"""Characters of an address; the server reads no request with a longer one."""
BASE: Final = "http://board"
WORKER: Final = {"Authorization": f"Bearer {TOKEN}"}
KNOWN: Final = {"comparison": "this-comparison", "run": "this-run", "name": "w"}
"""What stands in a case for an id that is known only when it is tried."""


class Batch(NamedTuple):
    """The cases of one operation."""

    operation: str
    cases: list[dict[str, Any]]
    """Arguments of requests.request."""


@pytest.fixture(scope="module")
def depth(request: pytest.FixtureRequest) -> Depth:
    return THOROUGH if request.config.getoption("everything") else QUICK


@pytest.fixture(scope="module")
def batches(depth: Depth) -> list[Batch]:
    """The same cases every time."""
    settings = Settings(Path("unused"), "sqlite://", "redis://127.0.0.1:1/0", TOKEN)
    document = schemathesis.openapi.from_dict(whole_document(create_app(settings)))
    made = []
    for found in document.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        batch = Batch(f"{operation.method.upper()} {operation.path}", [])
        headers = WORKER if "/internal/" in operation.path else None
        named = {p.name: KNOWN[p.name] for p in operation.path_parameters if p.name in KNOWN}
        for mode in GenerationMode:
            for ids in (None, named) if named else (None,):
                strategy = operation.as_strategy(mode, path_parameters=ids, headers=headers)
                _draw(strategy, depth.each, batch.cases)
        made.append(batch)
    return made


def _draw(strategy: st.SearchStrategy[Case[Any]], each: int, into: list[dict[str, Any]]) -> None:
    bounded = hypothesis_settings(
        max_examples=each,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )

    @bounded
    @given(strategy)
    def keep(case: Case[Any]) -> None:
        asked = case.as_transport_kwargs(base_url=BASE)
        if len(requests.Request(**asked).prepare().url or "") < LONGEST:
            into.append(asked)

    try:
        keep()
    except Unsatisfiable:
        return  # nothing in this request can be wrong


def things(api: Api, parts: Parts, broker: Broker) -> dict[str, str]:
    """A comparison with a run that has measured something: placeholder -> id."""
    comparison = api.submit()
    claimed = api.claim()
    while claimed and claimed["comparison"] != comparison:
        claimed = api.claim()  # an earlier case submitted others
    assert claimed is not None
    run = claimed["run"]
    attempt = Attempt(run, claimed["attempt"])
    send(broker.client, attempt.started(), attempt.points([0, 1, 2]), attempt.log("so far"))
    until(lambda: run_now(parts.database, run).committed_seq == 3, "the points")
    return {KNOWN["comparison"]: comparison, KNOWN["run"]: run}


def problem(answer: requests.Response) -> str:
    """What is wrong with an answer; empty if nothing is."""
    seen = f"{answer.status_code}: {answer.text[:500]}"
    if answer.status_code >= 500:
        return seen
    if answer.status_code < 400:
        return ""
    try:
        body = answer.json()
    except ValueError:
        return f"no JSON, {seen}"
    keys = {"error", "message", "fields"}
    if answer.request.method == "PATCH" and answer.status_code == 409:
        keys.add("current")
    whole = isinstance(body, dict) and set(body) == keys
    is_whole = whole and body["error"] and body["message"]
    fine = is_whole and all(set(field) == {"path", "message"} for field in body["fields"])
    return "" if fine else f"another shape, {seen}"


def test_no_request_is_answered_with_a_fault_or_an_error_of_another_shape(
    settings: Settings, serve: Serve, broker: Broker, batches: list[Batch], depth: Depth
) -> None:
    seen: Counter[int] = Counter()
    problems: list[str] = []
    with serve(settings) as (api, parts):
        for operation, cases in batches:
            ids = things(api, parts, broker)
            for case in cases:
                url = case["url"].replace(BASE, str(api.http.base_url))
                for placeholder, name in ids.items():
                    url = url.replace(placeholder, name)
                asked = {**case, "url": url, "timeout": BOUND_S, "stream": True}
                with requests.request(**asked) as answer:
                    seen[answer.status_code] += 1
                    live = answer.headers.get("content-type", "").startswith("text/event-stream")
                    if not live and (found := problem(answer)):
                        problems.append(f"{operation}: {case}\n    {found}")
    assert not problems, "\n".join(problems)
    assert seen.total() >= depth.least
    assert seen[200] > depth.fine, "cases that are right must get through"
    assert len(batches) == len(RULES)
