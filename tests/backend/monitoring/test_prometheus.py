"""What Prometheus reads, compared with what really happened."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from backend.monitoring import prometheus
from backend.state import Parts
from contract.names import EVENT_FIELD, EVENT_STREAM
from tests.backend.helpers import Api, Attempt, Sse, send
from tests.support.broker import Broker
from tests.support.waiting import until

Samples = dict[tuple[str, tuple[str, ...]], float]


def scrape(api: Api) -> Samples:
    """(name, label values in the order of their names) -> value."""
    answer = api.http.get("/api/v1/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == prometheus.CONTENT_TYPE
    families = list(text_string_to_metric_families(answer.text))
    assert len({family.name for family in families}) == len(families), "a family comes twice"
    return {
        (sample.name, tuple(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
    }


def seconds(seen: Samples, method: str, route: str, status: str) -> float | None:
    return seen.get(
        ("lossboard_http_request_duration_seconds_count", (method, f"/api/v1{route}", status))
    )


def test_queue_and_slots_are_counted_by_device_and_state(api: Api, parts: Parts) -> None:
    (parts.settings.data_dir / "something").write_bytes(bytes(20_000))
    empty = scrape(api)
    assert empty["lossboard_queue_runs", ("auto", "queued")] == 0
    api.submit(seeds=[0, 1, 2])
    api.claim()
    api.internal("/workers/idle/seen", {"device": "cuda", "host": "h", "pid": 1})
    seen = scrape(api)
    assert seen["lossboard_queue_runs", ("auto", "queued")] == 2
    assert seen["lossboard_queue_runs", ("cpu", "running")] == 1
    assert seen["lossboard_slots", ("cpu", "busy")] == 1
    assert seen["lossboard_slots", ("cuda", "idle")] == 1
    assert all(seen["lossboard_ready", (part,)] == 1 for part in ("database", "broker", "disk"))
    assert seen["lossboard_database_bytes", ()] > 10_000
    assert seen["lossboard_data_folder_bytes", ()] > 10_000
    assert seen["lossboard_disk_free_bytes", ()] > 0
    assert [key for key in seen if key[0] == "lossboard_build_info"]


def test_points_and_events_are_counted(api: Api, broker: Broker) -> None:
    api.submit()
    claim = api.claim()
    assert claim is not None
    attempt = Attempt(claim["run"])
    points = attempt.started(), attempt.points([0, 1, 2]), attempt.points([3, 4])
    send(broker.client, *points, points[1], Attempt("r0").started())
    broker.client.xadd(EVENT_STREAM, {EVENT_FIELD: b"no event"})

    def stored() -> Samples:
        seen = scrape(api)
        done = seen.get(("lossboard_events_total", ("undecodable",))) == 1
        return seen if done and seen["lossboard_ingest_events_behind", ()] == 0 else {}

    seen = until(stored, "the events")
    assert seen["lossboard_points_total", ()] == 5
    assert seen["lossboard_events_total", ("taken",)] == 3
    assert seen["lossboard_events_total", ("duplicate",)] == 1
    assert seen["lossboard_events_total", ("unknown_run",)] == 1
    assert seen["lossboard_ingest_lag_seconds", ()] == 0


def test_requests_are_timed_by_route_and_errors_counted_by_code(api: Api) -> None:
    own = api.submit()
    api.get(f"/comparisons/{own}")
    for name in ("c1", "c2"):
        assert api.http.get(f"/api/v1/comparisons/{name}").status_code == 404
    assert api.http.get("/api/v1/queue", params={"page": 0}).status_code == 422
    assert api.http.post("/api/v1/internal/claim", json={}).status_code == 401
    assert api.http.get("/nowhere").status_code == 404
    too_much = b" " * 2_000_001
    assert api.http.post("/api/v1/comparisons", content=too_much).status_code == 413
    seen = scrape(api)
    assert seconds(seen, "GET", "/comparisons/{comparison}", "200") == 1
    assert seconds(seen, "GET", "/comparisons/{comparison}", "404") == 2
    assert seconds(seen, "POST", "/comparisons", "201") == 1
    assert seen["lossboard_http_request_duration_seconds_count", ("any", "none", "404")] == 1
    codes = {labels[0]: n for (name, labels), n in seen.items() if name == "lossboard_errors_total"}
    assert codes == {"not_found": 3, "invalid_request": 1, "unauthorized": 1, "too_large": 1}


def test_a_server_error_is_counted_too(
    api: Api, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(parts.workers, "listed", fail)
    workers = api.http.base_url.join("/api/v1/workers")
    assert httpx.get(workers).status_code == 500  # the server drops the connection after that
    monkeypatch.undo()
    seen = scrape(api)
    assert seen["lossboard_errors_total", ("internal",)] == 1
    assert seconds(seen, "GET", "/workers", "500") == 1


def test_open_live_streams_are_counted_and_not_timed(api: Api) -> None:
    own = api.submit()
    with api.http.stream("GET", f"/api/v1/comparisons/{own}/live") as response:
        events = iter(Sse(response))
        assert next(events)[0] == "reset"
        assert scrape(api)["lossboard_live_streams", ()] == 1
    until(lambda: scrape(api)["lossboard_live_streams", ()] == 0, "the viewer to leave")
    assert not any("live" in label for _, labels in scrape(api) for label in labels)


def test_a_scrape_works_while_the_broker_does_not_answer(api: Api, broker: Broker) -> None:
    broker.kill()
    seen = scrape(api)
    broker.start()
    assert seen["lossboard_ready", ("broker",)] == 0
    assert seen["lossboard_ready", ("database",)] == 1
    assert ("lossboard_ingest_lag_seconds", ()) not in seen
