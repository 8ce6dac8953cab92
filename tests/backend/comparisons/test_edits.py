"""Edits of a comparison's texts and tags, also by two people at the same time."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.backend.helpers import Api, Json, check_error

pytestmark = pytest.mark.both_databases


@pytest.fixture
def own(api: Api) -> str:
    return api.submit(notes="first", tags=["a", "b"])


def patch(api: Api, comparison: str, **changes: Any) -> httpx.Response:
    return api.http.patch(f"/api/v1/comparisons/{comparison}", json=changes)


def texts(api: Api, comparison: str) -> Json:
    found = api.get(f"/comparisons/{comparison}")
    return {key: found[key] for key in ("name", "notes", "tags", "version")}


def test_the_version_counts_changes_of_the_texts(api: Api, own: str) -> None:
    assert texts(api, own)["version"] == 1
    for version, changes in (
        (2, {"notes": "second"}),
        (2, {"notes": "second", "name": "small", "tags": ["a", "b"]}),
        (2, {"archived": True}),
        (3, {"tags": ["b"]}),
        (4, {"add_tags": ["c"]}),
        (4, {"add_tags": ["c"], "remove_tags": ["z"]}),
        (5, {"name": "renamed", "version": 4}),
    ):
        assert patch(api, own, **changes).json()["version"] == version, changes
    assert api.get("/comparisons", archived=True)["comparisons"][0]["version"] == 5


def test_a_change_of_an_older_version_is_refused_with_what_stands_now(api: Api, own: str) -> None:
    patch(api, own, notes="theirs", version=1).raise_for_status()
    answer = patch(api, own, notes="mine", add_tags=["c"], archived=True, version=1)
    assert answer.status_code == 409
    body = answer.json()
    assert (body["error"], body["fields"]) == ("conflict", [])
    now = {"name": "small", "notes": "theirs", "tags": ["a", "b"], "version": 2}
    assert body["current"] == texts(api, own) == now
    assert api.get(f"/comparisons/{own}")["archived"] is False
    patch(api, own, notes="mine", version=2).raise_for_status()
    patch(api, own, notes="as before, without a version").raise_for_status()


def test_tags_of_several_people_are_joined(api: Api, own: str) -> None:
    def add(tag: str) -> int:
        return patch(api, own, add_tags=[tag], remove_tags=["a"]).status_code

    with ThreadPoolExecutor(4) as people:
        assert set(people.map(add, "cdefgh")) == {200}
    found = texts(api, own)
    assert found["tags"][0] == "b"
    assert set(found["tags"]) == set("bcdefgh")
    assert api.get("/comparisons", tag="h")["total"] == 1
    assert api.get("/comparisons", tag="a")["total"] == 0


def test_of_two_edits_of_one_version_one_is_stored(api: Api, own: str) -> None:
    with ThreadPoolExecutor(4) as people:
        answers = list(people.map(lambda i: patch(api, own, notes=str(i), version=1), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    [stored] = [answer.json() for answer in answers if answer.status_code == 200]
    assert texts(api, own)["notes"] == stored["notes"]


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        ({"tags": ["a"], "add_tags": ["b"]}, "", "either tags, or add_tags and remove_tags"),
        ({"add_tags": ["x"], "remove_tags": ["x"]}, "", "'x' is to be added and removed"),
        (
            {"add_tags": [str(i) for i in range(19)]},
            "add_tags",
            "at most 20 tags; it would have 21",
        ),
        ({"version": 0}, "version", "greater than or equal to 1"),
        ({"add_tags": [""]}, "add_tags.0", "at least 1 character"),
    ],
)
def test_wrong_changes_are_refused(api: Api, own: str, changes: Json, path: str, says: str) -> None:
    before = texts(api, own)
    [field] = check_error(patch(api, own, **changes), 422, "invalid_request")["fields"]
    assert field["path"] == (path or "body")
    assert says in field["message"]
    assert texts(api, own) == before
