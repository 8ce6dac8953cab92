"""The page of tokens, against the real API: open, as an admin, as others, and without an API."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from backend.app import create_app
from backend.db.database import Database
from backend.settings import Settings
from frontend.api.client import Api
from frontend.server.sessions import Person, sessions
from frontend.ui import session
from tests.backend.stored_tokens import store_token
from tests.backend.token_users import NAMES, TOKENS, bearer, with_tokens
from tests.support.serving import serving

FRONTEND = Path(__file__).resolve().parents[3] / "frontend"
Serve = Callable[[bool], AbstractContextManager[httpx.Client]]


@pytest.fixture
def served(tmp_path: Path, broker_url: str) -> Serve:
    """Serve an API, with tokens or open."""

    @contextmanager
    def serve(closed: bool) -> Iterator[httpx.Client]:
        url = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
        settings = Settings(tmp_path, url, broker_url, "secret")
        app = create_app(with_tokens(settings) if closed else settings)
        with serving(app) as address, httpx.Client(base_url=address, timeout=60) as http:
            yield http

    return serve


@pytest.fixture
def secured(served: Serve) -> Iterator[httpx.Client]:
    with served(True) as http:
        yield http


def open_page(
    http: httpx.Client, monkeypatch: pytest.MonkeyPatch, role: str | None, token: str = ""
) -> AppTest:
    """Open the page, in a browser that is signed in with a role, or not at all."""
    own = None
    if role is not None:
        own = sessions().begin(token or TOKENS[role], Person(NAMES[role], role))
    monkeypatch.setattr(session, "_session_cookie", lambda: own)
    at = AppTest.from_file(str(FRONTEND / "main.py"), default_timeout=90)
    at.session_state["api"] = session.session_client(http)
    at.run()
    at.switch_page("app_pages/access.py")
    at.run()
    assert not at.exception, at.exception
    return at


def said(at: AppTest) -> str:
    return "\n".join(one.value for one in (*at.markdown, *at.caption))


def test_an_admin_makes_a_token_sees_it_once_and_revokes_it(
    secured: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = open_page(secured, monkeypatch, "admin")
    shown = said(at)
    assert "**Vera** :gray-badge[viewer]" in shown
    assert "**Adam** :gray-badge[admin] :blue-badge[you]" in shown
    assert at.button(key="access_fixed_Vera").disabled
    at.text_input(key="access_name_0").set_value("Ada")
    at.selectbox(key="access_expiry_0").set_value("in 90 days").run()
    at.button(key="access_add").click().run()
    secret = at.code[0].value
    answer = secured.get("/api/v1/me", headers=bearer(secret)).json()
    assert answer == {"name": "Ada", "role": "editor", "signed_in": True}
    at.run()
    assert at.code[0].value == secret, "a rerun of the page does not lose it"
    at.switch_page("app_pages/method.py").run()
    at.switch_page("app_pages/access.py").run()
    assert not at.code, "it is gone with the page"
    assert secret not in said(at)
    assert "**Ada** :gray-badge[editor]" in said(at)
    at.button(key="access_revoke_Ada").click().run()
    assert secured.get("/api/v1/me", headers=bearer(secret)).status_code == 401
    assert "**Ada**" not in said(at)
    assert at.expander[0].label == "Expired and revoked: 1"
    [state] = at.dataframe[0].value["State"]
    assert state.startswith("revoked 20")
    assert state.endswith("by Adam")


def test_a_refusal_is_told_and_keeps_what_was_typed(
    secured: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = open_page(secured, monkeypatch, "admin")
    at.button(key="access_add").click().run()
    assert "Enter a name" in at.error[0].value
    at.text_input(key="access_name_0").set_value("Vera").run()
    at.button(key="access_add").click().run()
    assert "LOSSBOARD\\_TOKENS" in at.error[0].value
    assert at.text_input(key="access_name_0").value == "Vera"
    at.text_input(key="access_name_0").set_value("command line").run()
    at.button(key="access_add").click().run()
    assert "name is one that Lossboard uses itself" in at.error[0].value


def test_the_last_admin_is_warned_and_signed_out(
    served: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(False):
        pass  # makes the database
    database = Database(f"sqlite:///{tmp_path / 'lossboard.sqlite'}")
    secret = store_token(database, "Adam")
    database.close()
    with served(False) as http:
        at = open_page(http, monkeypatch, "admin", secret)
        assert "last admin" in at.warning[0].value
        revoke = at.button(key="access_revoke_Adam")
        assert revoke.label == "Revoke the last admin's token"
        revoke.click().run()
        assert "Please sign in" in at.caption[0].value
        assert http.get("/api/v1/me", headers=bearer(secret)).status_code == 401


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_others_are_told_that_it_is_for_admins(
    secured: httpx.Client, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    at = open_page(secured, monkeypatch, role)
    assert "needs the role admin" in at.info[0].value
    assert "Vera" not in "".join(one.value for one in at.markdown if "badge" in one.value)


def test_an_open_board_says_how_to_close_it(served: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(False) as http:
        at = open_page(http, monkeypatch, None)
        assert "This Lossboard is open" in said(at)
        assert at.code[0].value == "python -m launcher token add NAME admin"
        assert not [one for one in at.button if one.key == "access_add"]
        assert Api(http).tokens()["open"] is True


def test_an_api_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with httpx.Client(base_url="http://127.0.0.1:1") as http:
        at = open_page(http, monkeypatch, None)
        assert "The tokens cannot be shown now" in said(at)
        assert at.button(key="access_again")
