"""The board of comparisons against the real API, through the real entry."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, cast
from urllib.parse import unquote

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from backend.app import create_app
from backend.settings import Settings
from frontend.api import Api
from frontend.api_types import Ready, Run, Worker
from frontend.comparison_table import STATES, duration, pages, preparation, rows, workers_line
from frontend.errors import MissingError
from tests.support.broker import Broker
from tests.support.ports import free_ports
from tests.support.serving import serving
from tests.support.specs import small

MAIN = Path(__file__).resolve().parents[2] / "frontend" / "main.py"


@pytest.fixture
def api(tmp_path: Path, broker_url: str) -> Iterator[Api]:
    url = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
    app = create_app(Settings(tmp_path, url, broker_url, "secret"))
    with serving(app) as address, httpx.Client(base_url=address, timeout=20) as http:
        yield Api(http)


def opened(client: Api, **query: str) -> AppTest:
    at = AppTest.from_file(str(MAIN), default_timeout=20)
    at.session_state["api"] = client
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception, at.exception
    return at


def said(at: AppTest) -> str:
    return "\n".join(block.value for block in [*at.markdown, *at.caption])


def states_and_names(at: AppTest) -> list[tuple[str, str]]:
    table = at.dataframe[0].value
    names = [unquote(link.partition("#")[2]) for link in table["Name"]]
    return list(zip(table["State"], names, strict=True))


def test_an_empty_board_leads_to_the_first_comparison_and_says_no_worker(api: Api) -> None:
    at = opened(api)
    assert "No comparison yet" in said(at)
    assert "No worker: what is submitted waits." in said(at)
    assert not at.dataframe


def test_comparisons_are_listed_newest_first_with_state_and_link(api: Api) -> None:
    first = api.create(small(name="first", tags=["demo"], seeds=[0, 1]))["id"]
    api.create(small(name="second"))
    api.cancel(first)
    at = opened(api)
    assert states_and_names(at) == [("◌ queued", "second"), ("◼ cancelled", "first")]
    row = at.dataframe[0].value.iloc[1]
    assert row["Name"].startswith(f"/comparison?id={first}#")
    assert row["Seeds"] == 2
    assert list(row["Tags"]) == ["demo"]
    assert list(row["Arms"]) == ["triplet"]


def test_the_address_alone_restores_the_filters(api: Api) -> None:
    for name, tag in (("alpha", "odd"), ("beta", "even"), ("gamma", "odd")):
        api.create(small(name=name, tags=[tag]))
    at = opened(api, q="a", tag="odd", state="queued")
    assert [name for _, name in states_and_names(at)] == ["gamma", "alpha"]
    assert at.text_input(key="comparisons_q").value == "a"
    assert at.selectbox(key="comparisons_state").value == "queued"


def test_a_search_goes_to_the_address_and_back_to_the_first_page(api: Api) -> None:
    for name in ("alpha", "beta"):
        api.create(small(name=name))
    at = opened(api, page="3")
    at.text_input(key="comparisons_q").set_value("bet").run()
    assert not at.exception
    assert [name for _, name in states_and_names(at)] == ["beta"]
    assert at.query_params["q"] in ("bet", ["bet"])
    assert "page" not in at.query_params


def test_filters_that_match_nothing_say_so(api: Api) -> None:
    api.create(small())
    at = opened(api, q="no such words")
    assert "Nothing matches" in said(at)
    at.button(key="comparisons_all").click().run()
    assert [name for _, name in states_and_names(at)] == ["small"]
    assert not at.text_input(key="comparisons_q").value


@pytest.mark.parametrize("page", ["0", "-1", "x", "99", "9" * 30])
def test_an_odd_page_in_the_address_shows_a_real_one(api: Api, page: str) -> None:
    api.create(small())
    assert states_and_names(opened(api, page=page)) == [("◌ queued", "small")]


def test_another_list_is_another_table_so_that_no_selection_passes_on(api: Api) -> None:
    api.create(small(name="chosen"))
    at = opened(api)
    first = at.dataframe[0].proto.id
    at.run()
    assert at.dataframe[0].proto.id == first
    api.create(small(name="added on top"))
    at.run()
    assert at.dataframe[0].proto.id != first


def test_a_name_is_shown_as_it_is(api: Api) -> None:
    name = "100 % of #1 <b>&amp; `ü`"
    api.create(small(name=name))
    assert states_and_names(opened(api))[0][1] == name


def test_an_api_that_is_away_is_said_and_looked_for_again() -> None:
    [port] = free_ports(1)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        at = opened(Api(http))
    assert "The board cannot be read now" in said(at)
    assert at.session_state["comparisons_watching"]


def test_a_board_at_rest_looks_again_by_itself_while_the_api_is_away(api: Api) -> None:
    made = api.create(small())["id"]
    api.cancel(made)
    at = opened(api)
    assert not at.session_state["comparisons_watching"]
    [port] = free_ports(1)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        at.session_state["api"] = Api(http)
        at.run()
    assert "It looks again by itself" in said(at)
    assert at.session_state["comparisons_watching"]


def test_the_way_back_in_the_browser_takes_the_filters_with_it(api: Api) -> None:
    for name in ("alpha", "beta"):
        api.create(small(name=name))
    at = opened(api)
    at.text_input(key="comparisons_q").set_value("bet").run()
    at.query_params.clear()
    at.run()
    assert not at.text_input(key="comparisons_q").value
    assert [name for _, name in states_and_names(at)] == ["beta", "alpha"]


def chosen_row() -> None:
    """The actions on the only comparison, as if its row were selected."""
    import streamlit as st  # noqa: PLC0415 - a page of its own

    from frontend.comparison_actions import row_actions  # noqa: PLC0415

    client = st.session_state["api"]
    found = client.comparisons()["comparisons"]
    row_actions(client, found[0] if found else None)


def acting(client: Api) -> AppTest:
    at = AppTest.from_function(chosen_row, default_timeout=20)
    at.session_state["api"] = client
    at.run()
    assert not at.exception, at.exception
    return at


def test_delete_asks_first_and_then_the_comparison_is_gone(api: Api) -> None:
    own = api.create(small(name="*mine*"))["id"]
    at = acting(api)
    assert "does not come back" in said(at)
    assert r"**\*mine\***" in said(at)
    assert api.comparison(own)["id"] == own
    at.button(key="comparisons_delete").click().run()
    assert not at.exception
    with pytest.raises(MissingError):
        api.comparison(own)
    assert "select its row" in said(at)


def test_cancel_ends_the_runs_and_is_then_no_longer_offered(api: Api) -> None:
    own = api.create(small())["id"]
    at = acting(api)
    at.button(key="comparisons_cancel").click().run()
    assert api.comparison(own)["state"] == "cancelled"
    assert "comparisons_cancel" not in [button.key for button in at.button]


def test_name_tags_and_notes_are_changed_and_a_bad_one_is_refused(api: Api) -> None:
    own = api.create(small())["id"]
    at = acting(api)
    name, tags = at.text_input
    name.set_value("renamed")
    tags.set_value("one, two,")
    at.text_area[0].set_value("seen")
    at.button[0].click().run()
    found = api.comparison(own)
    assert (found["name"], found["tags"], found["notes"]) == ("renamed", ["one", "two"], "seen")
    at.text_input[0].set_value("")
    at.button[0].click().run()
    assert at.error
    assert api.comparison(own)["name"] == "renamed"


def test_a_queue_that_is_away_is_said(api: Api, broker: Broker) -> None:
    broker.kill()
    try:
        at = opened(api)
    finally:
        broker.start()
    assert "The queue does not answer" in said(at)
    assert "No comparison yet" in said(at)


def test_the_workers_line_counts_and_says_what_to_do() -> None:
    ready: Ready = {"status": "ok", "database": "ok", "broker": "ok", "collector_lag": 0}

    def slots(*states: Literal["idle", "busy", "lost"]) -> str:
        slot = {"name": "w", "device": "cpu", "host": "here", "run": None, "seen_s_ago": 1.0}
        workers = [cast(Worker, {**slot, "state": state}) for state in states]
        return workers_line(workers, ready)

    assert slots("busy", "idle", "idle") == "3 worker slots: 1 busy, 2 idle"
    assert slots("idle") == "1 worker slot: 0 busy, 1 idle"
    assert "not seen lately" in slots("busy", "lost")
    assert "python -m launcher up" in slots("lost")


def test_a_comparison_that_is_being_prepared_says_how_far() -> None:
    def run(state: str, done: float | None, total: float | None = 200) -> Run:
        ahead = None if done is None else {"done": done, "total": total}
        return cast(Run, {"state": state, "preparing": ahead})

    waiting = run("queued", None)
    assert preparation([run("running", 50), waiting]) == "▷ preparing 25 %"
    assert preparation([run("running", 50), run("running", 100)]) == "▷ preparing 50 %"
    assert preparation([run("running", 7, None), waiting]) == "▷ preparing"
    assert preparation([run("running", 50), run("running", None)]) == ""
    assert preparation([waiting]) == ""


def test_times_and_pages_in_words() -> None:
    assert [duration(s) for s in (None, 0, 89, 300, 7200)] == ["", "0 s", "89 s", "5 min", "2.0 h"]
    assert [pages(total, 25) for total in (0, 1, 25, 26)] == [1, 1, 1, 2]
    assert rows([]) == []
    assert set(STATES) == {"queued", "running", "succeeded", "failed", "cancelled"}
