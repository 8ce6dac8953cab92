"""Every error has the one shape and reveals no internals."""

from dataclasses import replace

import httpx
import pytest
from sqlalchemy import text

from backend.db.database import Database
from backend.settings import Settings
from backend.state import Parts
from tests.backend.conftest import Serve
from tests.backend.helpers import Api, Json, check_error
from tests.support.postgres import Postgres
from tests.support.specs import small

V1 = "/api/v1"


def test_a_bad_spec_names_the_path(client: httpx.Client) -> None:
    negative = [{"name": "a", "loss": {"kind": "triplet", "margin": -1}}]
    cases: list[tuple[Json, str, str]] = [
        ({"colour": "red"}, "colour", "unknown key"),
        ({"arms": negative}, "arms[0].loss.margin", "greater than or equal to 0"),
        ({"arms": []}, "arms", "at least 1"),
        ({"seeds": list(range(10_000))}, "seeds", "at most 100"),
    ]
    for change, path, says in cases:
        answer = client.post(f"{V1}/comparisons", json=small(**change))
        body = check_error(answer, 422, "invalid_spec")
        assert [field["path"] for field in body["fields"]] == [path]
        assert says in body["fields"][0]["message"]


def test_all_problems_of_a_spec_come_together(client: httpx.Client) -> None:
    arms = [{"name": "a", "loss": {"kind": "triplet", "margin": -1, "speed": 3}}]
    bad = small(colour="red", arms=arms, seeds=list(range(10_000)))
    body = check_error(client.post(f"{V1}/comparisons", json=bad), 422, "invalid_spec")
    paths = {field["path"] for field in body["fields"]}
    assert paths == {"colour", "arms[0].loss.margin", "arms[0].loss.speed", "seeds"}
    assert Api(client).get("/comparisons")["total"] == 0


def test_a_body_that_is_no_object(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    for raw in ("[]", "3", '"text"', "null"):
        answer = client.post(f"{V1}/comparisons", content=raw, headers=headers)
        check_error(answer, 422, "invalid_spec")


def test_broken_json_and_no_body(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    for raw in ("{", ""):
        answer = client.post(f"{V1}/comparisons", content=raw, headers=headers)
        check_error(answer, 422, "invalid_request")


def test_things_that_do_not_exist(client: httpx.Client) -> None:
    for path in (
        *("/comparisons/c0", "/comparisons/c0/runs", "/comparisons/c0/summary"),
        *("/comparisons/c0/live", "/runs/r0", "/runs/r0/log", "/series?run=r0", "/nowhere"),
    ):
        check_error(client.get(V1 + path), 404, "not_found")


def test_things_that_do_not_exist_cannot_be_changed(client: httpx.Client) -> None:
    for path in (
        "comparisons/c0/cancel",
        "comparisons/c0/retry",
        "runs/r0/cancel",
        "runs/r0/retry",
    ):
        check_error(client.post(f"{V1}/{path}"), 404, "not_found")
    check_error(client.delete(f"{V1}/comparisons/c0"), 404, "not_found")
    check_error(client.patch(f"{V1}/comparisons/c0", json={"name": "x"}), 404, "not_found")


def test_a_bad_query_names_the_parameter(client: httpx.Client) -> None:
    for query, path in (
        ("/series", "run"),
        ("/series?run=r0&max_points=0", "max_points"),
        ("/series?run=r0&after=x", "after"),
        ("/comparisons?page=0", "page"),
        ("/comparisons?state=happy", "state"),
    ):
        body = check_error(client.get(V1 + query), 422, "invalid_request")
        assert [field["path"] for field in body["fields"]] == [path]


def test_a_wrong_method(client: httpx.Client) -> None:
    answer = client.put(f"{V1}/workers")
    check_error(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


def test_workers_need_the_token(client: httpx.Client) -> None:
    body = {"worker": "w", "device": "cpu", "host": "h", "pid": 1}
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic secret"}):
        answer = client.post(f"{V1}/internal/claim", json=body, headers=headers)
        check_error(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    # Without the token a caller does not even learn what is wrong with the body.
    check_error(client.post(f"{V1}/internal/claim", json={}), 401, "unauthorized")


@pytest.mark.both_databases
def test_only_failed_or_cancelled_runs_can_be_retried(api: Api) -> None:
    [run] = api.get(f"/comparisons/{api.submit()}/runs")["runs"]
    check_error(api.http.post(f"{V1}/runs/{run['id']}/retry"), 409, "conflict")


def test_an_unexpected_error_reveals_nothing(
    client: httpx.Client, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_: Database) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(Database, "read", break_down)
    answer = client.get(f"{V1}/comparisons")
    check_error(answer, 500, "internal")
    assert "swordfish" not in answer.text


def test_a_failing_database_is_not_the_callers_fault(client: httpx.Client, parts: Parts) -> None:
    with parts.database.write() as write:
        write.session.connection().execute(text("DROP TABLE tag"))
    body = check_error(
        client.post(f"{V1}/comparisons", json=small(tags=["a"])), 503, "database_unavailable"
    )
    assert "tag" not in body["message"]
    assert Api(client).get("/comparisons")["total"] == 0  # rolled back


def test_openapi_documents_spec_and_errors(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    assert set(schema["components"]["schemas"]["ErrorOut"]["properties"]) == {
        "error",
        "message",
        "fields",
    }
    body = schema["paths"][f"{V1}/comparisons"]["post"]["requestBody"]
    name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert "arms" in schema["components"]["schemas"][name]["properties"]


def test_a_value_that_only_one_database_stores_is_refused(
    serve: Serve, settings: Settings, postgres: Postgres
) -> None:
    with (
        postgres.fresh() as url,
        serve(replace(settings, database_url=url)) as (api, _),
    ):
        answer = api.http.get(f"{V1}/series", params={"run": "a\0b"})
    body = check_error(answer, 422, "invalid_request")
    assert "NUL" in body["message"]
