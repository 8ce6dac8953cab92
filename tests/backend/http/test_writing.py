"""While another program has locked the database, calls that read are answered, and waits end."""

import inspect
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import make_url, text

from backend.app import _ROUTERS
from backend.db import database as database_module
from backend.db.database import Database
from backend.http import writing
from backend.state import Parts
from tests.backend.helpers import Api, Attempt, check_error, points_of, run_now, send
from tests.support.broker import Broker
from tests.support.specs import small
from tests.support.waiting import until

CLAIM = {"worker": "w2", "device": "cpu", "host": "here", "pid": 8}
PATIENT_S = 600.0
"""Longer than any test: writes wait for the end of the lock."""


@contextmanager
def locked(database: Database, mode: str = "EXCLUSIVE") -> Iterator[None]:
    """Keep the database locked, as another program may."""
    url = database.engine.url
    if url.get_backend_name() == "sqlite":
        other = sqlite3.connect(str(url.database), isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            other.close()
        return
    another = Database(make_url(url).render_as_string(hide_password=False))
    try:
        with another.engine.connect() as connection:
            tables = "comparison, run, audit, stream_position"
            connection.execute(text(f"LOCK TABLE {tables} IN {mode} MODE"))
            yield
    finally:
        another.close()


Writes = list[Future[httpx.Response]]


@contextmanager
def sixty_clients(api: Api) -> Iterator[Callable[[], Writes]]:
    """Return a function by which each of them begins a write."""
    limits = httpx.Limits(max_connections=60)
    with (
        httpx.Client(base_url=api.http.base_url, timeout=PATIENT_S, limits=limits) as http,
        ThreadPoolExecutor(60) as threads,
    ):
        url = "/api/v1/comparisons"
        yield lambda: [
            threads.submit(http.post, url, json=small(name=f"n{number}")) for number in range(60)
        ]


@pytest.mark.both_databases
def test_reads_go_on_while_writes_wait_and_nothing_is_lost(
    api: Api, parts: Parts, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "WAIT_S", PATIENT_S)
    comparison = api.submit()
    claim = api.claim()
    assert claim is not None
    run, attempt = claim["run"], Attempt(claim["run"])
    with sixty_clients(api) as write_all, locked(parts.database):
        writes = write_all()
        until(parts.database.is_writing, "a write to wait")
        send(broker.client, attempt.started(), attempt.points([1, 2, 3]))
        for _ in range(20):
            assert api.get(f"/comparisons/{comparison}")["id"] == comparison
            assert api.get("/queue")["running_total"] == 1
            assert api.get("/health/live") == {"status": "ok"}
            assert api.heartbeat(run)["current"]
        assert api.internal("/claim", CLAIM).status_code == 503
        ready = api.http.get("/api/v1/health/ready")
        assert (ready.status_code, ready.json()["database"]) == (503, "unavailable")
        assert not [one for one in writes if one.done()]
    assert {one.result().status_code for one in writes} == {201}
    until(lambda: points_of(parts.database, run)[0] == [1, 2, 3], "the events")
    found = run_now(parts.database, run)
    assert (found.state, found.attempt, found.strikes) == ("running", 1, 0)


@pytest.mark.both_databases
def test_a_write_that_waited_long_enough_is_refused(
    api: Api, parts: Parts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writing, "WAIT_S", 0.3)
    with sixty_clients(api) as write_all, locked(parts.database):
        refused = [one.result() for one in write_all()]
    for answer in refused:
        assert "busy" in check_error(answer, 503, "database_unavailable")["message"]
        assert answer.headers["Retry-After"] == "5"
    assert not [record for record in caplog.records if record.exc_info]
    monkeypatch.undo()
    api.submit()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.both_databases
def test_a_heartbeat_that_cannot_ask_the_database_keeps_the_lease(
    api: Api, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.submit()
    claim = api.claim()
    assert claim is not None
    with locked(parts.database, "ACCESS EXCLUSIVE"):
        now = time.monotonic() + parts.leases.seconds + 1
        monkeypatch.setattr(database_module, "WAIT_S", 0.2)
        monkeypatch.setattr(parts.leases, "_clock", lambda: now)
        assert parts.leases.lapsed()
        parts.sweeper.sweep_soon()
        until(parts.database.is_writing, "the sweeper to wait for the run")
        beat = {"attempt": 1, "worker": "w"}
        answer = api.internal(f"/runs/{claim['run']}/heartbeat", beat)
        check_error(answer, 503, "database_unavailable")
        assert not parts.leases.lapsed()
    until(lambda: not parts.database.is_writing(), "the sweeper to have looked")
    found = run_now(parts.database, claim["run"])
    assert (found.state, found.attempt, found.strikes) == ("running", 1, 0)


def test_every_handler_that_may_write_runs_in_a_thread_for_that() -> None:
    routes = [route for router in _ROUTERS for route in router.routes]
    plain = {
        route.endpoint.__name__
        for route in routes
        if isinstance(route, APIRoute)
        and (route.methods or set()) - {"GET"}
        and not inspect.iscoroutinefunction(route.endpoint)
    }
    reading = {"send_heartbeat", "send_heartbeats", "preview_comparison"}
    assert plain == reading, "write @writes above the others (backend.http.writing)"
