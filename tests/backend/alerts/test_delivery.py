"""Alerts on their way to a real receiver: order, signature, tries, kills."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from backend.admin.backup import backup
from backend.admin.locations import Locations
from backend.alerts import repository
from backend.alerts.outbox import store_alerts
from backend.db.database import Database
from backend.http.outgoing_hosts import OutgoingHosts
from backend.runs import repository as runs
from backend.settings import Settings
from contract.events import Failure
from tests.backend.conftest import Serve
from tests.backend.helpers import Api, Attempt, check_error, send, submit
from tests.support.api_process import api_process
from tests.support.broker import Broker
from tests.support.receiver import Received, Receiver, running_receiver
from tests.support.waiting import until

Json = dict[str, Any]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture
def settings(settings: Settings, receiver: Receiver) -> Settings:
    return replace(
        settings,
        alert_hosts=OutgoingHosts.parse(receiver.host),
        public_url="https://board.example.org/lossboard",
    )


def add(api: Api, url: str, path: str = "/alerts/receivers", **more: Any) -> tuple[str, str]:
    """Return the id and the secret of a new receiver."""
    answer = api.http.post(f"/api/v1{path}", json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    return made["receiver"]["id"], made["secret"]


def deliveries(api: Api, **asked: Any) -> list[Json]:
    found: list[Json] = api.get("/alerts/deliveries", **asked)["deliveries"]
    return found


def check_signature(one: Received, secret: str) -> None:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{one.headers['webhook-id']}.{one.headers['webhook-timestamp']}.".encode() + one.body
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert one.headers["webhook-signature"] == f"v1,{expected}"


def end_all(api: Api, client: redis.Redis, state: str = "succeeded") -> None:
    """Have a worker claim and end every run that waits."""
    while claimed := api.claim():
        for one in [claimed, *claimed["others"]]:
            attempt = Attempt(one["run"], one["attempt"])
            send(client, attempt.started(), attempt.ended(state))


def test_what_happens_arrives_signed_in_order_and_once(
    served: Any, receiver: Receiver, broker: Broker
) -> None:
    api, _ = served
    own, secret = add(api, receiver.url, name="the team")
    comparison = api.submit(name="<!channel> & co", seeds=[0, 1])
    first, second = api.claim(), api.claim()
    assert first is not None
    assert second is not None
    one, other = Attempt(first["run"]), Attempt(second["run"])
    send(broker.client, one.started(), one.noticed("collapsed", 7, "no spread"))
    send(broker.client, one.noticed("below_backbone", 9), one.noticed("no_valid_tuple", 9))
    failure = Failure(message="the loss became nan", step=12)
    send(broker.client, one.noticed("overflow", 12), one.ended("failed", failure))
    send(broker.client, other.started(), other.ended("failed", Failure(message="no such file")))
    got = receiver.wait_for(5)
    kinds = [one.content["type"] for one in got]
    assert kinds == [
        "arm.collapsed",
        "arm.below_backbone",
        "run.diverged",
        "run.failed",
        "comparison.ended",
    ]
    for each in got:
        check_signature(each, secret)
        assert each.path == "/hook?key=sesame"
        assert each.headers["content-type"] == "application/json"
    assert len({each.headers["webhook-id"] for each in got}) == 5
    collapsed, _, diverged, _, ended = [one.content for one in got]
    page = f"https://board.example.org/lossboard/comparison?id={comparison}"
    named = {"id": comparison, "name": "<!channel> & co", "url": page}
    assert collapsed["data"] == {
        "comparison": named,
        "run": first["run"],
        "arm": first["arm"],
        "seed": 0,
        "message": "no spread",
        "step": 7,
    }
    assert diverged["data"]["message"] == "the loss became nan"
    assert ended["data"]["runs"] == {"failed": 2}
    assert ended["data"]["state"] == "failed"
    assert ended["text"] == f"“&lt;!channel&gt; &amp; co” has ended: 2 failed.\n{page}"
    until(lambda: all(d["state"] == "delivered" for d in deliveries(api)), "the outcomes")
    assert [one["type"] for one in deliveries(api)] == kinds[::-1]
    assert api.get("/alerts/receivers")["receivers"][0]["id"] == own

    # It goes on, and ends once more: that is told again, and nothing else twice.
    api.post(f"/comparisons/{comparison}/retry")
    end_all(api, broker.client)
    assert receiver.wait_for(6)[5].content["data"]["runs"] == {"succeeded": 2}


def test_it_tries_again_with_the_same_id_and_gives_up_after_a_day(
    served: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "PAUSES_S", (0.01,) * 11)
    api, _ = served
    own, secret = add(api, receiver.url)
    receiver.answers = [500, 500]
    assert api.http.post(f"/api/v1/alerts/receivers/{own}/test").status_code == 204
    got = receiver.wait_for(3)
    assert len({one.headers["webhook-id"] for one in got}) == 1
    assert {one.body for one in got} == {got[0].body}
    for one in got:
        check_signature(one, secret)
    until(lambda: deliveries(api)[0]["state"] == "delivered", "the outcome")
    assert deliveries(api)[0]["tries"] == 3

    receiver.answers = [503] * 12
    api.http.post(f"/api/v1/alerts/receivers/{own}/test")
    until(lambda: deliveries(api)[0]["state"] == "given_up", "the end")
    lost = deliveries(api)[0]
    assert (lost["tries"], lost["status"], lost["problem"]) == (12, 503, "it answers 503")
    assert lost["next_at"] is None
    assert api.get("/alerts/receivers")["receivers"][0]["failures"] == 12
    answer = api.http.post(f"/api/v1/alerts/deliveries/{lost['id']}/retry")
    assert (answer.status_code, answer.json()["state"]) == (200, "pending")
    until(lambda: deliveries(api)[0]["state"] == "delivered", "the outcome")
    answer = api.http.post(f"/api/v1/alerts/deliveries/{lost['id']}/retry")
    check_error(answer, 409, "conflict")


def test_a_receiver_that_hangs_holds_up_no_other(served: Any, receiver: Receiver) -> None:
    api, _ = served
    add(api, receiver.url, name="hangs")
    comparison = api.submit()
    receiver.answers = [receiver.hang]
    api.post(f"/comparisons/{comparison}/cancel")
    receiver.wait_for(1)
    path = f"/comparisons/{comparison}/alerts"
    other, _ = add(api, receiver.url, path)
    assert api.http.post(f"/api/v1{path}/{other}/test").status_code == 204
    assert receiver.wait_for(2)[1].content["type"] == "test"
    until(lambda: deliveries(api, comparison=comparison)[0]["state"] == "delivered", "the test")
    assert [(one["state"], one["tries"]) for one in deliveries(api)] == [("pending", 0)]
    answer = api.http.delete(f"/api/v1/comparisons/{comparison}")  # while it is being sent
    assert answer.status_code == 204
    receiver.released.set()
    assert deliveries(api) == []
    check_error(api.http.get(f"/api/v1{path}/{other}"), 405, "method_not_allowed")


def test_what_was_committed_before_a_kill_arrives_after_the_next_start(
    serve: Serve, settings: Settings, receiver: Receiver
) -> None:
    database = Database(settings.database_url)
    database.before_commit = store_alerts  # a process that is killed before it sends
    comparison = submit(database, name="d")
    with database.write() as write:
        repository.create_receiver(
            write,
            comparison=comparison.id,
            name="n",
            url=receiver.url,
            wanted=["comparison.ended"],
            user="Ada",
            now=1.0,
        )
    with database.write() as write:
        runs.cancel_all(write, comparison.id, now=2.0)
    database.close()
    with serve(settings) as (api, _):
        [got] = receiver.wait_for(1)
        assert got.content["text"].startswith("“d” has ended: 1 cancelled.")
        until(lambda: deliveries(api, comparison=comparison.id)[0]["state"] == "delivered", "it")


@pytest.mark.slow
def test_an_api_that_is_killed_while_it_sends_sends_again_under_the_same_id(
    settings: Settings, receiver: Receiver, tmp_path: Path
) -> None:
    own = {
        "LOSSBOARD_DATA_DIR": str(settings.data_dir),
        "LOSSBOARD_DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "LOSSBOARD_ALERT_HOSTS": receiver.host,
    }
    receiver.answers = [receiver.hang]
    with api_process(tmp_path / "1.log", own) as first:
        first.wait_until_it_serves()
        with httpx.Client(base_url=first.url.removesuffix("/api/v1"), timeout=60) as http:
            api = Api(http)
            add(api, receiver.url)
            api.post(f"/comparisons/{api.submit()}/cancel")
            receiver.wait_for(1)
        first.process.kill()
        first.wait_for_end()
    with api_process(tmp_path / "2.log", own) as second:
        second.wait_until_it_serves()
        one, again = receiver.wait_for(2)
        assert again.headers["webhook-id"] == one.headers["webhook-id"]
        assert again.body == one.body
        with httpx.Client(base_url=second.url.removesuffix("/api/v1"), timeout=60) as http:
            until(lambda: deliveries(Api(http))[0]["state"] == "delivered", "the outcome")


@pytest.mark.both_databases
def test_secrets_are_in_the_answer_that_makes_them_alone(
    served: Any, receiver: Receiver, settings: Settings, tmp_path: Path, caplog: Any
) -> None:
    api, _ = served
    caplog.set_level("DEBUG")
    comparison = api.submit()
    board, first = add(api, receiver.url)
    own, second = add(api, receiver.url, f"/comparisons/{comparison}/alerts", events=["run.failed"])
    receiver.answers = [404]
    api.http.post(f"/api/v1/alerts/receivers/{board}/test")
    until(lambda: deliveries(api)[0]["tries"], "a try")
    wrong = api.http.post("/api/v1/alerts/receivers", json={"url": "https://x.org/sesame"})
    file = tmp_path / "b.tar"
    backup(Locations(settings.data_dir, settings.database_url), file)
    texts = [
        wrong.text,
        caplog.text,
        *(
            api.http.get(f"/api/v1{path}").text
            for path in (
                "/alerts",
                "/alerts/receivers",
                f"/alerts/receivers?comparison={comparison}",
                "/alerts/deliveries",
                "/audit",
                f"/comparisons/{comparison}",
                f"/comparisons/{comparison}/export?what=runs&format=csv",
            )
        ),
        file.read_bytes().decode("latin-1"),
    ]
    for text in texts:
        assert not any(one in text for one in ("sesame", first, second))
    assert board in api.http.get("/api/v1/audit").text
    assert own in api.http.get(f"/api/v1/alerts/receivers?comparison={comparison}").text
