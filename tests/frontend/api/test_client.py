"""The client against the real API, and against addresses where there is none."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from backend.app import create_app
from backend.settings import Settings
from frontend.api.client import Api
from frontend.api.types import Dataset
from frontend.errors import ApiAwayError, ApiError, MissingError
from tests.support.broker import Broker
from tests.support.ports import free_ports
from tests.support.serving import serving
from tests.support.specs import small
from tests.support.tiny_sets import image_files, zipped


@pytest.fixture
def api(tmp_path: Path, broker_url: str) -> Iterator[Api]:
    url = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
    app = create_app(Settings(tmp_path, url, broker_url, "secret"))
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as http:
        yield Api(http)


def test_a_comparison_from_its_creation_to_its_deletion(api: Api) -> None:
    made = api.create(small(tags=["one"], seeds=[0, 1]))
    own = made["id"]
    assert api.comparison(own)["spec"]["seeds"] == [0, 1]
    runs = api.runs(own)
    assert [run["state"] for run in runs] == ["queued", "queued"]

    assert api.patch(own, name="renamed", tags=["two"], notes="seen")["name"] == "renamed"
    assert api.comparison(own)["tags"] == ["two"]

    assert api.cancel_run(runs[0]["id"])["state"] == "cancelled"
    assert api.cancel(own)["state"] == "cancelled"
    assert api.retry_run(runs[0]["id"])["state"] == "queued"
    assert api.retry(own)["runs"]["queued"] == 2

    assert api.run_log(runs[0]["id"]) == []
    assert api.series([run["id"] for run in runs], ["dynamics.loss"]) == []
    assert api.summary(own)["runs_total"] == 2
    assert api.summary(own, baseline="triplet")["baseline"] == "triplet"
    assert api.verdict(own)["arms"] is None
    assert api.workers() == []

    api.delete(own)
    with pytest.raises(MissingError, match=own):
        api.comparison(own)


def test_an_upload_from_its_creation_to_its_deletion(api: Api, tmp_path: Path) -> None:
    def put(file: Path) -> Dataset:
        with file.open("rb") as content:
            return api.upload("shoes ü", "image_folder", content, file.name)

    made = put(zipped(tmp_path / "shoes.zip", image_files()))
    assert api.datasets() == [made]
    assert put(tmp_path / "shoes.zip") == made, "the same content is the same data set"
    found = api.dataset(made["id"])
    assert found["counts"] == [4, 4, 4]
    assert found["thumbnail_items"][0] == {"n": 0, "class_name": "c0", "file": "c0/0.jpg"}
    api.delete_dataset(made["id"])
    with pytest.raises(MissingError):
        api.dataset(made["id"])

    bad = zipped(tmp_path / "bad.zip", {**image_files(), "c1/x.jpg": b"no image"})
    with pytest.raises(ApiError, match="1 problem") as caught:
        put(bad)
    assert (caught.value.code, caught.value.status) == ("invalid_dataset", 422)
    assert [field.path for field in caught.value.fields] == ["c1/x.jpg"]
    assert api.datasets() == []


def test_lists_are_found_by_word_tag_state_and_page(api: Api) -> None:
    ids = [api.create(small(name=name, tags=[tag]))["id"] for name, tag in NAMES]
    api.cancel(ids[0])

    def found(**asked: object) -> list[str]:
        return [one["name"] for one in api.comparisons(**asked)["comparisons"]]  # type: ignore[arg-type]

    assert found() == ["gamma", "beta", "alpha"]
    assert found(q="alph") == ["alpha"]
    assert found(tag="even") == ["beta"]
    assert found(state="cancelled") == ["alpha"]
    assert found(page=2, page_size=2) == ["alpha"]
    assert api.comparisons(page=2, page_size=2)["total"] == 3


NAMES = (("alpha", "odd"), ("beta", "even"), ("gamma", "odd"))


def test_every_problem_of_a_spec_comes_with_its_path(api: Api) -> None:
    bad = small(arms=[{"name": "a", "loss": {"kind": "triplet", "margin": -1}}], seeds=[0, 0])
    with pytest.raises(ApiError) as caught:
        api.create(bad)
    assert caught.value.code == "invalid_spec"
    assert {field.path for field in caught.value.fields} == {"arms[0].loss.margin", "seeds[1]"}
    assert all(field.message for field in caught.value.fields)


@pytest.mark.parametrize(
    "odd", ["c0000000000", "../health/live", "a b?c=d#e", "ü", "", ".", "..", "\ud800"]
)
def test_an_unknown_id_with_any_characters_is_missing(api: Api, odd: str) -> None:
    with pytest.raises(MissingError):
        api.comparison(odd)


def test_an_address_where_nothing_listens_is_away_and_says_what_to_do() -> None:
    [port] = free_ports(1)
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
        pytest.raises(ApiAwayError, match="python -m launcher up") as caught,
    ):
        Api(http).catalogue()
    assert caught.value.code == "api_unavailable"
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


def test_a_server_that_is_not_the_api_is_recognised() -> None:
    async def page(_: object) -> PlainTextResponse:
        return PlainTextResponse("<html>hello</html>")

    other = Starlette(routes=[Route("/api/v1/catalogue", page)])
    with (
        serving(other) as address,
        httpx.Client(base_url=address) as http,
        pytest.raises(ApiError, match="is it that API") as caught,
    ):
        Api(http).catalogue()
    assert caught.value.code == "not_the_api"


def answering(status: int, content: str) -> Starlette:
    """A server that gives one answer to everything."""

    async def page(_: object) -> PlainTextResponse:
        return PlainTextResponse(content, status)

    return Starlette(routes=[Route("/{path:path}", page, methods=["GET", "POST", "DELETE"])])


REFUSAL = '{"error": "conflict", "message": "It is over.", "fields": []}'
ODD_FIELDS = '{"error": "odd", "fields": [1, {"message": "too big"}]}'


@pytest.mark.parametrize(
    ("status", "content", "kind", "code"),
    [
        (404, REFUSAL, MissingError, "conflict"),
        (409, REFUSAL, ApiError, "conflict"),
        (422, ODD_FIELDS, ApiError, "odd"),
        (500, "[]", ApiError, "500"),
        (500, "<html>", ApiError, "not_the_api"),
        (502, "<html>", ApiAwayError, "api_unavailable"),
        (503, REFUSAL, ApiAwayError, "conflict"),
        (504, "", ApiAwayError, "504"),
        (200, "{}", ApiError, "not_the_api"),
        (200, "[]", ApiError, "not_the_api"),
        (307, "", ApiError, "307"),
    ],
)
def test_every_bad_answer_has_its_kind_of_error(
    status: int, content: str, kind: type[ApiError], code: str
) -> None:
    with (
        serving(answering(status, content)) as address,
        httpx.Client(base_url=address) as http,
        pytest.raises(ApiError) as caught,
    ):
        Api(http).workers()
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.status) == (code, status)
    assert caught.value.message
    if content == ODD_FIELDS:
        assert caught.value.fields == (("", "too big"),)


def test_a_refused_delete_is_an_error() -> None:
    with (
        serving(answering(503, REFUSAL)) as address,
        httpx.Client(base_url=address) as http,
        pytest.raises(ApiAwayError, match="It is over"),
    ):
        Api(http).delete("c0123456789")


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), "\ud800", object()])
def test_what_json_cannot_carry_is_refused_before_it_is_sent(odd: object) -> None:
    with (
        httpx.Client(base_url="http://127.0.0.1:9") as http,
        pytest.raises(ApiError, match="cannot be sent") as caught,
    ):
        Api(http).create({"name": odd})
    assert caught.value.code == "invalid_request"


def test_not_ready_is_an_answer_and_no_error(api: Api, broker: Broker) -> None:
    ready = api.ready()
    assert (ready["status"], ready["collector_lag"], ready["problems"]) == ("ok", 0, [])
    broker.kill()
    try:
        found = api.ready()
    finally:
        broker.start()
    assert (found["status"], found["broker"]) == ("unavailable", "unavailable")
    assert (found["database"], found["disk"], found["collector_lag"]) == ("ok", "ok", None)
    assert [problem["part"] for problem in found["problems"]] == ["broker"]
