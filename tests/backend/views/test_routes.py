"""Saved views of the board over HTTP."""

from typing import Any

import httpx
import pytest

from backend.settings import Settings
from tests.backend.conftest import Serve
from tests.backend.helpers import Api, Json, check_error
from tests.backend.token_users import NAMES, call_as, with_tokens


def saved(api: Api, user: str = "", **view: Any) -> httpx.Response:
    headers = {"X-Lossboard-User": user} if user else {}
    return api.http.post("/api/v1/views", json={"name": "Mine", **view}, headers=headers)


@pytest.mark.both_databases
def test_a_view_is_saved_read_changed_and_deleted(api: Api) -> None:
    filters = {"q": "margin", "tag": "thesis", "created_by": "", "state": None, "archived": False}
    columns = ["name", "best", "claims"]
    made = saved(api, "Ada", filters=filters, columns=columns, sort="result")
    assert made.status_code == 201
    view: Json = made.json()
    assert (view["filters"], view["columns"], view["sort"]) == (filters, columns, "result")
    assert view["created_by"] == "Ada"
    own = f"/views/{view['id']}"
    assert api.get(own) == view
    saved(api, name="a first one")
    assert [one["name"] for one in api.get("/views")["views"]] == ["a first one", "Mine"]
    changed = api.http.patch(f"/api/v1{own}", json={"name": "Ours", "filters": {"state": "failed"}})
    assert changed.json()["filters"]["state"] == "failed"
    assert changed.json()["columns"] == columns
    assert api.http.delete(f"/api/v1{own}").status_code == 204
    check_error(api.http.get(f"/api/v1{own}"), 404, "not_found")
    check_error(api.http.delete(f"/api/v1{own}"), 404, "not_found")


def test_a_name_is_given_once(api: Api) -> None:
    saved(api)
    check_error(saved(api), 409, "conflict")
    other = saved(api, name="other").json()["id"]
    check_error(api.http.patch(f"/api/v1/views/{other}", json={"name": "Mine"}), 409, "conflict")
    assert api.http.patch(f"/api/v1/views/{other}", json={"name": "other"}).status_code == 200


def test_only_who_saved_it_and_admins_change_and_delete_a_view(
    serve: Serve, settings: Settings
) -> None:
    with serve(with_tokens(settings)) as (api, _):

        def call(role: str, method: str, path: str, **sent: Any) -> httpx.Response:
            return call_as(api.http, role, method, path, **sent)

        check_error(call("viewer", "POST", "/views", json={"name": "n"}), 403, "forbidden")
        hers = call("editor", "POST", "/views", json={"name": "hers"}).json()
        his = call("admin", "POST", "/views", json={"name": "his"}).json()
        assert (hers["created_by"], his["created_by"]) == (NAMES["editor"], NAMES["admin"])
        own, other = f"/views/{hers['id']}", f"/views/{his['id']}"
        assert call("viewer", "GET", other).json()["name"] == "his"
        refused = check_error(call("editor", "PATCH", other, json={"name": "x"}), 403, "forbidden")
        assert "belongs to Adam" in refused["message"]
        check_error(call("editor", "DELETE", other), 403, "forbidden")
        assert call("editor", "PATCH", own, json={"name": "renamed"}).status_code == 200
        assert call("admin", "DELETE", own).status_code == 204
        assert [one["name"] for one in call("viewer", "GET", "/views").json()["views"]] == ["his"]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"filters": {"state": "odd"}}, "filters.state"),
        ({"filters": {"page": 2}}, "filters.page"),
        ({"columns": ["Name!"]}, "columns.0"),
        ({"columns": ["name"] * 31}, "columns"),
        ({"sort": "size"}, "sort"),
        ({"more": 1}, "more"),
    ],
)
def test_a_view_that_cannot_be_is_refused_and_the_field_named(
    api: Api, wrong: Json, path: str
) -> None:
    body = check_error(saved(api, **wrong), 422, "invalid_request")
    assert [field["path"] for field in body["fields"]] == [path]
    assert api.get("/views")["views"] == []
