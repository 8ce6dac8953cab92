"""Templates of comparisons over HTTP."""

from typing import Any

import httpx
import pytest
from sqlmodel import select

from backend.db.models import Template
from backend.settings import Settings
from backend.state import Parts
from backend.templates.repository import MAX_TEMPLATES
from contract.comparison.spec import parse_spec
from tests.backend.conftest import Serve
from tests.backend.helpers import Api, Json, check_error
from tests.backend.token_users import NAMES, call_as, with_tokens
from tests.support.specs import small
from tests.support.statements import count_statements


def saved(api: Api, user: str = "", **template: Any) -> httpx.Response:
    headers = {"X-Lossboard-User": user} if user else {}
    body = {"name": "Mine", "spec": small(), **template}
    return api.http.post("/api/v1/templates", json=body, headers=headers)


def test_a_list_reads_no_specs(api: Api, parts: Parts) -> None:
    saved(api)
    with count_statements(parts.database) as sent:
        assert len(api.get("/templates")["templates"]) == 1
    assert [sql for sql in sent if "template.name" in sql]
    assert not [sql for sql in sent if "template.spec" in sql]


@pytest.mark.both_databases
def test_a_template_is_saved_read_changed_and_deleted(api: Api) -> None:
    made = saved(api, "Ada", note=" For products. ")
    assert made.status_code == 201
    template: Json = made.json()
    assert parse_spec(template["spec"]) == parse_spec(small())
    assert (template["note"], template["created_by"]) == ("For products.", "Ada")
    own = f"/templates/{template['id']}"
    assert api.get(own) == template
    saved(api, name="a first one")
    listed = api.get("/templates")["templates"]
    assert [one["name"] for one in listed] == ["a first one", "Mine"]
    assert all("spec" not in one for one in listed)
    changes = {"name": "Ours", "spec": small(seeds=[1, 2])}
    changed = api.http.patch(f"/api/v1{own}", json=changes).json()
    assert (changed["name"], changed["note"]) == ("Ours", "For products.")
    assert api.get(own)["spec"]["seeds"] == [1, 2]
    assert api.http.delete(f"/api/v1{own}").status_code == 204
    check_error(api.http.get(f"/api/v1{own}"), 404, "not_found")
    check_error(api.http.patch(f"/api/v1{own}", json={}), 404, "not_found")
    check_error(api.http.delete(f"/api/v1{own}"), 404, "not_found")


def test_a_search_keeps_its_ready_made_space(api: Api) -> None:
    made = saved(api, spec=small(tuning={"trials": 2})).json()
    assert [arm["search"] for arm in made["spec"]["arms"]] == [{}]


def test_a_name_is_given_once_and_there_is_a_most(api: Api, parts: Parts) -> None:
    saved(api)
    check_error(saved(api), 409, "conflict")
    other = saved(api, name="other").json()["id"]
    own = f"/api/v1/templates/{other}"
    check_error(api.http.patch(own, json={"name": "Mine"}), 409, "conflict")
    assert api.http.patch(own, json={"name": "other"}).status_code == 200
    with parts.database.write() as write:
        write.session.add_all(
            Template(id=f"t{n}", name=f"{n}", note="", spec={}, created_by="", created_at=0)
            for n in range(MAX_TEMPLATES - 2)
        )
    check_error(saved(api, name="more"), 409, "conflict")


def test_only_who_saved_it_and_admins_change_and_delete_a_template(
    serve: Serve, settings: Settings
) -> None:
    with serve(with_tokens(settings)) as (api, _):

        def call(role: str, method: str, path: str, **sent: Any) -> httpx.Response:
            return call_as(api.http, role, method, path, **sent)

        def new(role: str, name: str) -> httpx.Response:
            return call(role, "POST", "/templates", json={"name": name, "spec": small()})

        check_error(new("viewer", "n"), 403, "forbidden")
        hers, his = new("editor", "hers").json(), new("admin", "his").json()
        assert (hers["created_by"], his["created_by"]) == (NAMES["editor"], NAMES["admin"])
        own, other = f"/templates/{hers['id']}", f"/templates/{his['id']}"
        assert call("viewer", "GET", other).json()["name"] == "his"
        refused = call("editor", "PATCH", other, json={"spec": {}})
        assert "belongs to Adam" in check_error(refused, 403, "forbidden")["message"]
        check_error(call("editor", "DELETE", other), 403, "forbidden")
        assert call("editor", "PATCH", own, json={"name": "renamed"}).status_code == 200
        assert call("admin", "DELETE", own).status_code == 204
        assert [one["name"] for one in call("viewer", "GET", "/templates").json()["templates"]] == [
            "his"
        ]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"note": "n" * 501}, "note"),
        ({"note": "a\0b"}, "note"),
        ({"more": 1}, "more"),
        ({"spec": 3}, "spec"),
        ({"spec": small(seeds=[0, 0])}, "spec.seeds[1]"),
        ({"spec": small(practical={"nonsense": 1.0})}, "spec.practical.nonsense"),
        ({"spec": small(data={"kind": "features", "dataset": "d1"})}, "spec.data.dataset"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(api: Api, wrong: Json, path: str) -> None:
    answer = saved(api, **wrong)
    assert answer.status_code == 422
    assert path in {field["path"] for field in answer.json()["fields"]}
    assert api.get("/templates")["templates"] == []


def test_a_spec_that_is_no_longer_valid_is_given_with_its_problems(api: Api, parts: Parts) -> None:
    own = f"/templates/{saved(api).json()['id']}"
    with parts.database.write() as write:
        found = write.session.exec(select(Template)).one()
        found.spec = {**small(data={"kind": "features", "dataset": "d1"}), "colour": "red"}
        write.session.add(found)
    template = api.get(own)
    assert template["spec"]["colour"] == "red"
    assert {"colour", "data.dataset"} <= {field["path"] for field in template["problems"]}
    renamed = api.http.patch(f"/api/v1{own}", json={"name": "still here"})
    assert renamed.status_code == 200
    assert renamed.json()["problems"] == template["problems"]


def test_a_spec_may_be_as_large_as_that_of_a_comparison(api: Api) -> None:
    notes = "€" * 20_000
    arms = [{"name": f"{n}", "loss": {"kind": "triplet", "margin": n}} for n in range(20)]
    made = saved(api, spec=small(notes=notes, arms=arms))
    assert made.status_code == 201
    assert api.get(f"/templates/{made.json()['id']}")["spec"]["notes"] == notes
