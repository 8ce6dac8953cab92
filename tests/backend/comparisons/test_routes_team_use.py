"""What teams do with comparisons: owners, tags and notes, archive, more seeds."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from backend.state import Parts
from tests.backend.helpers import Api, Attempt, Json, Sse, send
from tests.support.broker import Broker
from tests.support.specs import small
from tests.support.waiting import until

USER = "X-Lossboard-User"
PAIR = [
    {"name": "pull", "loss": {"kind": "contrastive"}},
    {"name": "rank", "loss": {"kind": "triplet"}},
]


def submitted_by(client: httpx.Client, user: str | bytes | None, **changes: Any) -> httpx.Response:
    headers = {} if user is None else {USER: user}
    return client.post("/api/v1/comparisons", json=small(**changes), headers=headers)  # type: ignore[arg-type]


def names(api: Api, **params: Any) -> list[str]:
    return [one["name"] for one in api.get("/comparisons", **params)["comparisons"]]


def more_seeds(api: Api, comparison: str, seeds: list[Any]) -> httpx.Response:
    return api.http.post(f"/api/v1/comparisons/{comparison}/seeds", json={"seeds": seeds})


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (None, "local"),
        ("", "local"),
        ("%20%20", "local"),
        ("Ada", "Ada"),
        (quote(" Ada Łöwe 王 "), "Ada Łöwe 王"),
        ("Zoë".encode(), "Zoë"),
        ("100%", "100%"),
        ("a" * 80, "a" * 80),
    ],
)
def test_a_comparison_belongs_to_the_user_of_the_header(
    client: httpx.Client, sent: str | bytes | None, kept: str
) -> None:
    made = submitted_by(client, sent)
    assert made.status_code == 201
    assert made.json()["created_by"] == kept
    assert client.get(f"/api/v1/comparisons/{made.json()['id']}").json()["created_by"] == kept


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ("a" * 81, "81 characters"),
        (quote("a\nb"), "U+000A"),
        (quote("a\u2028b"), "U+2028"),
        ("%ff", "UTF-8"),
        (b"\xff", "UTF-8"),
    ],
)
def test_an_invalid_user_name_is_refused_and_nothing_is_stored(
    api: Api, sent: str | bytes, why: str
) -> None:
    answer = submitted_by(api.http, sent)
    assert answer.status_code == 422
    [field] = answer.json()["fields"]
    assert field["path"] == USER
    assert why in field["message"]
    assert api.get("/comparisons")["total"] == 0


@pytest.mark.both_databases
def test_lists_can_be_of_one_user(api: Api) -> None:
    for user in ("Ada", "Bo", "Ada"):
        submitted_by(api.http, user, name=f"of {user}")
    assert names(api, created_by="Ada") == ["of Ada", "of Ada"]
    assert names(api, created_by="ada") == []


@pytest.mark.both_databases
def test_archived_comparisons_are_listed_only_on_request_and_can_come_back(api: Api) -> None:
    comparison = api.submit(name="old")
    api.submit(name="new")
    path = f"/api/v1/comparisons/{comparison}"
    changed = api.http.patch(path, json={"archived": True}).json()
    assert changed["archived"] is True
    assert names(api) == ["new"]
    assert names(api, archived=True) == ["old"]
    assert api.get(f"/comparisons/{comparison}")["archived"] is True
    api.http.patch(path, json={"name": "renamed"})
    assert names(api, archived=True) == ["renamed"]
    api.http.patch(path, json={"archived": False})
    assert set(names(api)) == {"new", "renamed"}


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["c", "B", "a"]),
        ({"descending": False}, ["a", "B", "c"]),
        ({"sort": "name"}, ["a", "B", "c"]),
        ({"sort": "name", "descending": True}, ["c", "B", "a"]),
        ({"sort": "state"}, ["a", "c", "B"]),
        ({"sort": "state", "descending": True}, ["B", "c", "a"]),
    ],
)
def test_lists_are_sorted_as_asked(api: Api, asked: Json, expected: list[str]) -> None:
    api.submit(name="a")
    assert api.claim() is not None  # a runs
    cancelled = api.submit(name="B")
    api.post(f"/comparisons/{cancelled}/cancel")
    api.submit(name="c")
    assert names(api, **asked) == expected


def test_more_seeds_become_runs_of_the_same_comparison(api: Api) -> None:
    comparison = api.submit(arms=PAIR, seeds=[0, 1])
    before = [run["id"] for run in api.get(f"/comparisons/{comparison}/runs")["runs"]]
    changed = more_seeds(api, comparison, [7, 5]).json()
    assert changed["seeds"] == [0, 1, 7, 5]
    assert changed["spec"]["seeds"] == [0, 1, 7, 5]
    runs = api.get(f"/comparisons/{comparison}/runs")["runs"]
    assert [run["id"] for run in runs[:4]] == before
    assert [(run["seed"], run["arm"]) for run in runs[4:]] == [
        (7, "pull"),
        (7, "rank"),
        (5, "pull"),
        (5, "rank"),
    ]
    claimed = [api.claim() for _ in runs]
    assert [claim["run"] for claim in claimed if claim] == [run["id"] for run in runs]
    assert claimed[-1] is not None
    assert claimed[-1]["spec"]["seeds"] == [0, 1, 7, 5]


def test_a_finished_comparison_is_open_again(api: Api, parts: Parts, broker: Broker) -> None:
    comparison = api.submit()
    claim = api.claim()
    assert claim is not None
    attempt = Attempt(claim["run"])
    send(broker.client, attempt.started(), attempt.ended())
    until(lambda: api.get(f"/comparisons/{comparison}")["state"] == "succeeded", "its end")
    changed = more_seeds(api, comparison, [1]).json()
    assert changed["state"] == "running"  # between two of its runs
    assert changed["runs"] == dict.fromkeys(("running", "failed", "cancelled"), 0) | {
        "queued": 1,
        "succeeded": 1,
    }
    assert names(api, state="running") == ["small"]
    assert names(api, state="queued") == names(api, state="succeeded") == []


@pytest.mark.parametrize(
    ("seeds", "path", "why"),
    [
        ([3, 1], "seeds[1]", "seed 1 has its runs already"),
        ([3, 3], "seeds[1]", "3"),
        (list(range(10, 109)), "seeds", "at most 98 more, not 99"),
        ([], "seeds", "at least 1"),
        ([-1], "seeds.0", "greater than or equal to 0"),
        (["x"], "seeds.0", "integer"),
    ],
)
def test_seeds_that_cannot_be_added_are_named_and_none_is(
    api: Api, seeds: list[Any], path: str, why: str
) -> None:
    comparison = api.submit(seeds=[0, 1])
    answer = more_seeds(api, comparison, seeds)
    assert answer.status_code == 422
    [field] = answer.json()["fields"]
    assert field["path"] == path
    assert why in field["message"]
    assert api.get(f"/comparisons/{comparison}")["seeds"] == [0, 1]
    assert len(api.get(f"/comparisons/{comparison}/runs")["runs"]) == 2


def test_a_hundred_seeds_in_all_are_taken(api: Api) -> None:
    comparison = api.submit(seeds=[0, 1])
    assert more_seeds(api, comparison, list(range(2, 100))).status_code == 200
    assert more_seeds(api, comparison, [100]).status_code == 422


def test_seeds_of_what_is_not_there_are_refused(api: Api) -> None:
    assert more_seeds(api, "c0000000000", [1]).status_code == 404


@pytest.mark.both_databases
def test_live_viewers_get_the_new_runs(api: Api) -> None:
    comparison = api.submit(arms=PAIR)
    path = f"/api/v1/comparisons/{comparison}/live"
    with api.http.stream("GET", path) as response:
        events = iter(Sse(response))
        assert next(events)[0] == "reset"
        more_seeds(api, comparison, [4])
        name, data = next(events)
    assert name == "runs"
    assert [(run["seed"], run["arm"], run["state"]) for run in data["runs"]] == [
        (4, "pull", "queued"),
        (4, "rank", "queued"),
    ]


def test_more_seeds_are_summarised_with_the_first(api: Api, broker: Broker) -> None:
    comparison = api.submit()
    more_seeds(api, comparison, [1])
    for _ in range(2):
        claim = api.claim()
        assert claim is not None
        attempt = Attempt(claim["run"])
        send(
            broker.client,
            attempt.started(10),
            attempt.points([0, 10], [0.5, 0.75], key="retrieval.recall_at_1"),
            attempt.ended(),
        )
    until(lambda: api.get(f"/comparisons/{comparison}")["state"] == "succeeded", "the end of both")
    summary = api.get(f"/comparisons/{comparison}/summary")
    [metric] = [m for m in summary["metrics"] if m["key"] == "retrieval.recall_at_1"]
    assert [value["seed"] for value in metric["arms"][0]["values"]] == [0, 1]
