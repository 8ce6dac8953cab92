"""Readiness reports the real state of each part."""

import re
import tempfile
import threading

import pytest
from sqlalchemy.exc import OperationalError

from backend.monitoring import health
from backend.settings import Settings
from backend.state import Parts
from contract.names import EVENT_FIELD, EVENT_STREAM
from tests.backend.conftest import Serve
from tests.backend.helpers import Api, Json
from tests.support.broker import Broker
from tests.support.postgres import MEMORY
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


def test_a_broker_at_its_memory_limit(api: Api, broker: Broker) -> None:
    with broker.full():
        found = unready(api)
        scraped = api.http.get("/api/v1/metrics").text
    message = only(found, "broker")
    assert re.search(r"uses [\d,]{7,} of the 1 bytes that its maxmemory allows", message)
    assert 'lossboard_ready{part="broker"} 0.0' in scraped
    assert "\nlossboard_broker_memory_max_bytes 1.0" in scraped
    until(lambda: api.http.get("/api/v1/health/ready").status_code == 200, "to be ready again")


@pytest.mark.parametrize("kind", ["blobs", "uploads"])
def test_a_folder_that_cannot_be_written(api: Api, parts: Parts, kind: str) -> None:
    folder = parts.settings.data_dir / kind
    moved = folder.rename(folder.with_name("moved"))
    folder.write_text("a file in its place: for root, no mode of a folder forbids anything")
    message = only(unready(api), "disk")
    assert f"the folder {folder} cannot be written (Not a directory)" in message
    folder.unlink()
    moved.rename(folder)
    assert api.get("/health/ready")["status"] == "ok"


def test_a_full_disk_of_its_own_is_named(
    serve: Serve, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.data_dir.mkdir(exist_ok=True)
    if not MEMORY.is_dir() or MEMORY.stat().st_dev == settings.data_dir.stat().st_dev:
        pytest.skip("needs a second file system")
    with tempfile.TemporaryDirectory(dir=MEMORY) as own:
        (settings.data_dir / "blobs").symlink_to(own)
        with serve(settings) as (api, parts):
            device = parts.blobs.root.stat().st_dev
            room = {device: 5}
            monkeypatch.setattr(
                health, "disk_free", lambda folder: room.get(folder.stat().st_dev, 10**12)
            )
            found = unready(api)
    message = only(found, "disk")
    assert f"5 bytes are free on the disk of {settings.data_dir / 'blobs'}," in message
    assert str(settings.data_dir / "uploads") not in message
    assert found["disk_free"] == 5


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
