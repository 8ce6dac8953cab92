"""The page Alerts and a comparison's dialog, through the entry page, against the real API and a
real receiver."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from backend.app import create_app
from backend.http.outgoing_hosts import OutgoingHosts
from backend.settings import Settings
from frontend.alerts.receivers import delivery_html
from frontend.api.client import Api
from frontend.api.types import Delivery
from frontend.server.sessions import Person, sessions
from frontend.ui import session
from tests.backend.token_users import NAMES, TOKENS, bearer, with_tokens
from tests.support.receiver import Receiver, running_receiver
from tests.support.serving import serving
from tests.support.specs import small
from tests.support.waiting import until

MAIN = Path(__file__).resolve().parents[3] / "frontend" / "main.py"
Serve = Callable[..., AbstractContextManager[httpx.Client]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture
def serve(tmp_path: Path, broker_url: str) -> Serve:
    """Serve an API, with tokens or open, that may call some hosts."""

    @contextmanager
    def start(hosts: str = "", *, closed: bool = False) -> Iterator[httpx.Client]:
        url = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
        settings = Settings(tmp_path, url, broker_url, "secret")
        settings = replace(settings, alert_hosts=OutgoingHosts.parse(hosts))
        app = create_app(with_tokens(settings) if closed else settings)
        with serving(app) as address, httpx.Client(base_url=address, timeout=60) as http:
            yield http

    return start


def opened(client: Api, page: str = "alerts", **query: str) -> AppTest:
    at = AppTest.from_file(str(MAIN), default_timeout=90)
    at.session_state["api"] = client
    at.run()
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page(f"app_pages/{page}.py").run()
    assert not at.exception, at.exception
    return at


def said(at: AppTest) -> str:
    return "\n".join(one.value for one in [*at.markdown, *at.caption, *at.info, *at.error])


def html(at: AppTest) -> str:
    return "\n".join(block.proto.body for block in at.get("html"))


def press(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click().run()
    assert not at.exception, at.exception
    return at


def test_a_webhook_is_added_tested_retried_and_deleted(serve: Serve, receiver: Receiver) -> None:
    with serve(receiver.host) as http:
        client = Api(http)
        at = opened(client)
        assert "None yet" in said(at)
        press(at, "alerts_add_0")
        assert "Enter the address." in said(at)
        at.text_input(key="alerts_url_0").set_value("https://elsewhere.example.org/x")
        press(at, "alerts_add_0")
        assert "Address: the host elsewhere" in said(at).replace("\\", "")
        at.text_input(key="alerts_url_0").set_value(receiver.url)
        at.text_input(key="alerts_name_0").set_value("*the* team")
        at.checkbox(key="alerts_run.diverged_0").uncheck()
        press(at, "alerts_add_0")
        [made] = client.alert_receivers()["receivers"]
        assert len(made["events"]) == 5
        assert at.code[0].value.startswith("whsec_")
        press(at, "alerts_done")
        assert list(at.code) == []
        shown = said(at)
        assert r"**\*the\* team**" in shown
        assert "sesame" not in shown + html(at), "the rest of the address is secret"

        receiver.answers = [500]
        press(at, f"alerts_test_{made['id']}")
        until(lambda: client.alert_deliveries()["deliveries"][0]["tries"], "the first try")
        at.run()
        assert "↻ failed, is tried again" in html(at)
        assert "it answers 500" in html(at)
        assert "The last try failed." in [one.value for one in at.warning]
        [waiting] = client.alert_deliveries()["deliveries"]
        press(at, f"alerts_retry_{waiting['id']}")
        until(
            lambda: client.alert_deliveries()["deliveries"][0]["state"] == "delivered", "the second"
        )
        at.run()
        assert "✓ delivered" in html(at)
        press(at, f"alerts_delete_{made['id']}")
        assert client.alert_receivers()["receivers"] == []


def test_where_no_host_is_allowed_it_says_how(serve: Serve) -> None:
    with serve() as http:
        at = opened(Api(http))
        assert "LOSSBOARD_ALERT_HOSTS=hooks.slack.com" in said(at)
        assert [one.key for one in at.button if str(one.key).startswith("alerts_add")] == []


def test_a_comparison_has_alerts_of_its_own(
    serve: Serve, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(receiver.host, closed=True) as http:
        editor = Api(http, token=TOKENS["editor"])
        comparison = editor.create(small())["id"]
        other = http.post(
            "/api/v1/alerts/receivers", json={"url": receiver.url}, headers=bearer(TOKENS["editor"])
        )
        assert other.status_code == 403, "the board's are for admins"
        editor.add_alert_receiver(receiver.url, comparison=comparison, name="own")
        own = sessions().begin(TOKENS["viewer"], Person(NAMES["viewer"], "viewer"))
        monkeypatch.setattr(session, "_session_cookie", lambda: own)
        at = AppTest.from_file(str(MAIN), default_timeout=90)
        at.session_state["api"] = session.session_client(http)
        at.session_state["comparison_dialog"] = ("comparison", "Alerts", comparison)
        at.run()
        at.query_params["id"] = comparison
        at.session_state["comparison_dialog"] = ("comparison", "Alerts", comparison)
        at.switch_page("app_pages/comparison.py").run()
        assert not at.exception, at.exception
        [made] = editor.alert_receivers(comparison)["receivers"]
        assert f"**{made['name']}**" in said(at)
        assert at.button(key=f"alerts_test_{made['id']}").disabled, "a viewer may look"
        assert editor.alert_receivers()["receivers"] == []
        editor.cancel(comparison)
        [ended] = receiver.wait_for(1)
        assert ended.content["type"] == "comparison.ended"
        assert ended.content["data"]["comparison"]["url"] is None


def test_what_others_wrote_is_escaped() -> None:
    delivery: Delivery = {
        "id": 1,
        "receiver": "w1",
        "receiver_name": "<i>",
        "type": "run.failed",
        "at": "2026-11-30T09:00:00.000+00:00",
        "text": "<script>",
        "comparison": None,
        "state": "given_up",
        "tries": 12,
        "tried_at": None,
        "status": None,
        "problem": "no answer within 10 s",
        "next_at": None,
    }
    shown = delivery_html(delivery, linked=True)
    assert "<a " not in shown
    assert "<script>" not in shown
    assert "<i>" not in shown
    assert "✕ given up" in shown
    assert "2026-11-30 09:00:00 UTC · &lt;i&gt; · 12 tries · no answer within 10 s" in shown
    of_one = delivery_html({**delivery, "comparison": "c0123456789"}, linked=True)
    assert "<a href='/comparison?id=c0123456789' target='_self'>&lt;script&gt;</a>" in of_one
