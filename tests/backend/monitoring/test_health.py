"""Readiness reports the real state of each part."""

import threading

import pytest
from sqlalchemy.exc import OperationalError

from backend.monitoring import health
from backend.state import Parts
from contract.names import EVENT_FIELD, EVENT_STREAM
from tests.backend.helpers import Api, Json
from tests.support.broker import Broker
from tests.support.waiting import until


def unready(api: Api) -> Json:
    answer = api.http.get("/api/v1/health/ready")
    assert answer.status_code == 503
    found: Json = answer.json()
    assert found["status"] == "unavailable"
    return found


def only(found: Json, part: str) -> str:
    """Return the message of the only part that has a problem."""
    assert [problem["part"] for problem in found["problems"]] == [part]
    parts = {name: found[name] for name in ("database", "broker", "collector", "disk")}
    assert [name for name, state in parts.items() if state == "unavailable"] == [part]
    return str(found["problems"][0]["message"])


def test_all_parts_are_ready(api: Api) -> None:
    found = api.get("/health/ready")
    assert (found["status"], found["problems"], found["collector_lag_s"]) == ("ok", [], 0)
    assert found["disk_free"] > 0


def test_a_broker_that_does_not_answer(api: Api, broker: Broker) -> None:
    broker.kill()
    found = unready(api)
    broker.start()
    assert "does not answer" in only(found, "broker")
    assert (found["collector_lag"], found["collector_lag_s"]) == (None, None)
    until(lambda: api.http.get("/api/v1/health/ready").status_code == 200, "to be ready again")


def test_a_collector_that_has_ended(api: Api, parts: Parts) -> None:
    parts.collector.stop()
    parts.collector.join()
    assert "has ended" in only(unready(api), "collector")
    assert api.get("/health/live") == {"status": "ok"}


def test_a_collector_that_lags(
    api: Api, parts: Parts, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "MAX_LAG_S", 0.1)
    monkeypatch.setattr("backend.ingest.collector.handlers.store_events", _busy)
    for _ in range(3):
        broker.client.xadd(EVENT_STREAM, {EVENT_FIELD: b'{"no": "event"}'})

    def lags() -> Json:
        found: Json = api.http.get("/api/v1/health/ready").json()
        return found if found["collector"] == "unavailable" else {}

    found = until(lags, "the lag to be reported")
    assert "the oldest of 3 events" in only(found, "collector")
    assert found["collector_lag"] == 3
    assert found["collector_lag_s"] > 0.1


def _busy(*_: object) -> None:
    raise OperationalError("INSERT", None, Exception("database is locked"))


def test_a_disk_without_room(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "MIN_FREE_BYTES", 10**18)
    assert "bytes are free" in only(unready(api), "disk")


def test_a_database_that_takes_no_writes(
    api: Api, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = parts.database.check_writable
    monkeypatch.setattr(parts.database, "check_writable", lambda: check(wait_s=0.01))
    begun, over = threading.Event(), threading.Event()

    def hold() -> None:
        with parts.database.write():
            begun.set()
            over.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    assert begun.wait(60)
    found = unready(api)
    over.set()
    holder.join()
    assert "takes no writes" in only(found, "database")
    assert api.get("/health/ready")["status"] == "ok"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_check_leaves_no_trace(api: Api, parts: Parts) -> None:
    with parts.database.engine.connect() as connection:
        before = connection.exec_driver_sql("PRAGMA data_version").scalar()
        api.get("/health/ready")
        assert connection.exec_driver_sql("PRAGMA data_version").scalar() == before
