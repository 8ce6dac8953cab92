"""The queue's page against the real API, through the entry page."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from backend.app import create_app
from backend.settings import Settings
from frontend.api.client import Api
from tests.support.ports import free_ports
from tests.support.serving import serving
from tests.support.specs import small

MAIN = Path(__file__).resolve().parents[3] / "frontend" / "main.py"
BEARER = {"Authorization": "Bearer secret"}


class Board:
    """The API, with a client for the pages and one that acts as a worker."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.api = Api(http)

    def tell(self, path: str, **more: str) -> httpx.Response:
        body = {"device": "cpu", "host": "here", "pid": 7, **more}
        return self.http.post(f"/api/v1/internal{path}", json=body, headers=BEARER)

    def claim(self, worker: str = "w1") -> str:
        return str(self.tell("/claim", worker=worker).json()["run"])

    def order(self) -> list[tuple[str, int]]:
        return [(row["comparison_name"], row["seed"]) for row in self.api.queue()["waiting"]]


@pytest.fixture
def board(tmp_path: Path, broker_url: str) -> Iterator[Board]:
    url = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
    app = create_app(Settings(tmp_path, url, broker_url, "secret"))
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as http:
        yield Board(http)


def opened(client: Api, **query: str) -> AppTest:
    at = AppTest.from_file(str(MAIN), default_timeout=90)
    at.session_state["api"] = client
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    at.switch_page("app_pages/queue.py").run()
    assert not at.exception, at.exception
    return at


def said(at: AppTest) -> str:
    return "\n".join(block.value for block in [*at.markdown, *at.caption])


def html(at: AppTest) -> str:
    return "\n".join(block.proto.body for block in at.get("html"))


def waiting_rows(at: AppTest) -> list[str]:
    return [text for block in at.get("html") if "'lb-waits'" in (text := block.proto.body)]


def test_an_empty_queue_without_workers_says_what_to_do(board: Board) -> None:
    at = opened(board.api)
    assert "0 runs in progress · none waiting · no worker" in said(at)
    assert "**No worker**" in said(at)
    assert "no worker to start" in said(at)


def test_idle_slots_are_counted_where_nothing_waits(board: Board) -> None:
    for name in ("w1", "w2"):
        board.tell(f"/workers/{name}/seen")
    at = opened(board.api)
    assert "**No runs waiting, 2 slots idle**" in said(at)
    assert "2 CPU slots" in said(at)
    assert html(at).count("class='lb-slot-idle'") == 2


def test_workers_and_waiting_runs_are_shown_in_order(board: Board) -> None:
    board.api.user = "Ada <b>"
    board.api.create(small(name="first *one*", seeds=[0, 1]))
    board.api.user = ""
    board.api.create(small(name="second"))
    board.claim()
    at = opened(board.api)
    assert "1 run in progress · 2 waiting · 1 CPU slot" in said(at)
    assert "class='lb-slot-busy'" in html(at)
    assert "by Ada &lt;b&gt;" in html(at)
    first, second = waiting_rows(at)
    assert "<b>1st</b>" in first
    assert "seed 0" in first, "who has no run yet goes before who has one"
    assert "<b>2nd</b>" in second
    assert "seed 1" in second
    assert at.session_state["queue_watching"]


def test_a_run_moved_to_the_front_is_first(board: Board) -> None:
    board.api.create(small(name="a", seeds=[0, 1]))
    own = board.api.create(small(name="b", seeds=[0, 1]))["id"]
    last = board.api.runs(own)[1]["id"]
    at = opened(board.api)
    at.button(key=f"queue_first_{last}").click().run()
    assert not at.exception
    assert board.order() == [("b", 1), ("a", 0), ("a", 1), ("b", 0)]
    assert at.button(key=f"queue_first_{last}").disabled, "it is the first already"
    first = board.api.runs(own)[0]["id"]
    at.button(key=f"queue_front_{first}").click().run()
    assert board.order() == [("b", 0), ("b", 1), ("a", 0), ("a", 1)]


def test_runs_and_whole_comparisons_are_cancelled(board: Board) -> None:
    running = board.api.create(small(name="runs"))["id"]
    board.claim()
    own = board.api.create(small(name="a", seeds=[0, 1, 2]))["id"]
    runs = [run["id"] for run in board.api.runs(own)]
    at = opened(board.api)
    at.button(key=f"queue_drop_{runs[1]}").click().run()
    assert board.order() == [("a", 0), ("a", 2)]
    at.button(key=f"queue_cancel_{runs[0]}").click().run()
    assert board.order() == []
    assert board.api.comparison(own)["state"] == "cancelled"
    at.button(key=f"queue_stop_{board.api.runs(running)[0]['id']}").click().run()
    assert not at.exception
    assert board.api.comparison(running)["state"] == "running", "its worker has to hear of it"


def test_a_run_that_has_begun_meanwhile_is_reported_and_the_page_goes_on(board: Board) -> None:
    board.api.create(small(name="a", seeds=[0, 1]))
    at = opened(board.api)
    board.claim()
    gone = board.claim("w2")
    at.button(key=f"queue_first_{gone}").click().run()
    assert not at.exception
    assert "only one that waits can be moved" in at.toast[0].value


def test_a_long_queue_is_turned_page_by_page(board: Board) -> None:
    board.api.create(small(seeds=list(range(60))))
    at = opened(board.api)
    assert len(waiting_rows(at)) == 25
    assert "page 1 of 3" in said(at)
    at.button(key="queue_next").click().run()
    assert "<b>26th</b>" in waiting_rows(at)[0]
    at = opened(board.api, page="99")
    assert len(waiting_rows(at)) in (10, 25)


def test_an_api_that_is_away_is_said_and_looked_for_again() -> None:
    [port] = free_ports(1)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        at = opened(Api(http))
    assert "The queue cannot be read now" in said(at)


def test_the_name_in_the_bar_is_submitted_with_a_comparison(board: Board) -> None:
    at = opened(board.api)
    assert board.api.user == ""
    at.text_input(key="who_name").set_value("  Grace Höpper ").run()
    assert board.api.user == "Grace Höpper"
    assert board.api.create(small())["created_by"] == "Grace Höpper"
    at.text_input(key="who_name").set_value("").run()
    assert board.api.create(small())["created_by"] == "local"
