"""The audit log's page, and buttons by role, against the real API."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from backend.app import create_app
from backend.settings import Settings
from frontend.api.client import Api
from frontend.server.sessions import Person, sessions
from frontend.ui import session
from tests.backend.token_users import NAMES, TOKENS, with_tokens
from tests.support.serving import serving
from tests.support.specs import small

FRONTEND = Path(__file__).resolve().parents[3] / "frontend"


@pytest.fixture
def address(tmp_path: Path, broker_url: str) -> Iterator[str]:
    url = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
    with serving(create_app(with_tokens(Settings(tmp_path, url, broker_url, "secret")))) as served:
        yield served


@pytest.fixture
def people(address: str) -> Iterator[dict[str, Api]]:
    """A client for each role."""
    with httpx.Client(base_url=address, timeout=60) as http:
        yield {role: Api(http, token=token) for role, token in TOKENS.items()}


Open = Callable[..., AppTest]


@pytest.fixture
def opened(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open a page through the entry page, in a browser with a signed-in session."""
    with httpx.Client(base_url=address, timeout=60) as http:

        def open_page(page: str, role: str, **query: str) -> AppTest:
            own = sessions().begin(TOKENS[role], Person(NAMES[role], role))
            monkeypatch.setattr(session, "_session_cookie", lambda: own)
            at = AppTest.from_file(str(FRONTEND / "main.py"), default_timeout=90)
            at.session_state["api"] = session.session_client(http)
            at.run()
            for name, value in query.items():
                at.query_params[name] = value
            at.switch_page(f"app_pages/{page}")
            at.run()
            assert not at.exception, at.exception
            return at

        yield open_page


def test_calls_are_listed_newest_first_and_filtered_by_person(
    people: dict[str, Api], opened: Open
) -> None:
    own = people["editor"].create(small())["id"]
    people["admin"].cancel(own)
    at = opened("audit_log.py", "admin")
    table = at.dataframe[0].value
    assert list(table["Who"]) == ["Adam", "Edda"]
    assert list(table["Call"]) == ["POST /comparisons/{comparison}/cancel", "POST /comparisons"]
    assert list(table["Of"]) == [own, own]
    assert list(table["Outcome"]) == ["done", "done"]
    at.text_input(key="trail_who").set_value("Edda").run()
    assert list(at.dataframe[0].value["Who"]) == ["Edda"]
    assert at.query_params["who"] == "Edda"
    at.text_input(key="trail_who").set_value("Nobody").run()
    assert not at.dataframe


def test_a_session_whose_token_was_taken_back_draws_nothing_but_the_way_to_the_sign_in(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = opened("queue.py", "admin")
    assert at.title[0].value == "Queue"
    own = sessions().begin("a-token-of-the-day-before", Person("Adam", "admin"))
    monkeypatch.setattr(session, "_session_cookie", lambda: own)
    at.run()
    assert "Please sign in" in at.caption[0].value
    assert not at.title
    assert sessions().find(own) is None
    at.run()
    assert not at.title, "and it stays so"


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("editor", True), ("admin", True)])
def test_controls_that_ones_role_does_not_allow_are_disabled_with_the_reason(
    people: dict[str, Api], opened: Open, role: str, may: bool
) -> None:
    own = people["editor"].create(small(name="waits"))["id"]
    at = opened("comparison.py", role, id=own)
    assert at.button(key="comparison_edit").disabled is not may
    at = opened("new_comparison.py", role, preset="digits")
    start = at.button(key="new_start")
    assert start.disabled is not may
    assert ("This needs the role editor" in start.help) is not may
    at = opened("queue.py", role)
    cancelling = [button for button in at.button if (button.key or "").startswith("queue_drop_")]
    assert [button.disabled for button in cancelling] == [not may]
    at = opened("datasets.py", role)
    said = [caption.value for caption in at.caption]
    assert any("needs the role editor" in one for one in said) is not may
