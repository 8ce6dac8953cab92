"""Plug-ins through the API: reports, the catalogue, submits, claims, the queue and retries."""

from typing import Any

import httpx
import pytest

from backend.ingest import handlers
from backend.state import Parts
from contract.comparison.plugins import PluginEntry
from tests.backend.helpers import TOKEN, Api, Attempt, Json
from tests.support.plugin_entries import BROKEN, PROXIES, arm, entry
from tests.support.specs import small

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
WORKER = {"device": "cpu", "host": "h", "pid": 1}


def report(client: httpx.Client, *entries: PluginEntry, worker: str = "w1") -> None:
    body = {"worker": worker, "plugins": [one.model_dump(mode="json") for one in entries]}
    answer = client.post("/api/v1/internal/plugins", json=body, headers=HEADERS)
    assert answer.status_code == 204, answer.text


def seen(client: httpx.Client, worker: str, *digests: str) -> None:
    body = {**WORKER, "losses": list(digests)}
    path = f"/api/v1/internal/workers/{worker}/seen"
    assert client.post(path, json=body, headers=HEADERS).status_code == 204


def claim(client: httpx.Client, *digests: str, worker: str = "w1") -> Json | None:
    body = {**WORKER, "worker": worker, "losses": list(digests)}
    answer = client.post("/api/v1/internal/claim", json=body, headers=HEADERS)
    assert answer.status_code in {200, 204}, answer.text
    found: Json | None = answer.json() if answer.status_code == 200 else None
    return found


def submit(client: httpx.Client, *arms: Json, **changes: Any) -> httpx.Response:
    return client.post("/api/v1/comparisons", json=small(arms=list(arms), **changes))


def test_a_report_is_in_the_catalogue(client: httpx.Client) -> None:
    before = client.get("/api/v1/catalogue").json()
    assert {row["source"] for row in before["losses"]} == {"lossboard"}
    assert before["plugins"] == []
    report(client, entry(), PROXIES, BROKEN)
    found = client.get("/api/v1/catalogue").json()
    sources = {row["kind"]: row["source"] for row in found["losses"]}
    assert sources["pml.ProxyAnchorLoss"] == "pml"
    assert sources["siglip"] == "/srv/losses"
    assert "broken" not in sources
    problems = {one["name"]: one["problem"] for one in found["plugins"]}
    assert problems["broken"] == BROKEN.problem
    assert "loss.params.temperature" in {
        row["path"] for row in found["tuning"]["settings"]["siglip"]
    }
    assert len(found["losses"]) == len(before["losses"]) + 2


def test_a_submit_that_names_what_no_worker_reported_is_refused(client: httpx.Client) -> None:
    report(client, entry(), BROKEN)
    answer = submit(client, arm("nowhere"), arm("broken"), arm("siglip", params={"bins": 0}))
    assert answer.status_code == 422
    fields = {one["path"]: one["message"] for one in answer.json()["fields"]}
    assert set(fields) == {"arms[0].loss.name", "arms[1].loss.name", "arms[2].loss.params.bins"}
    assert client.get("/api/v1/queue").json()["waiting_total"] == 0
    preview = client.post("/api/v1/comparisons/preview", json=small(arms=[arm("nowhere")]))
    assert preview.status_code == 422


@pytest.mark.both_databases
def test_a_run_waits_for_a_slot_with_its_code(client: httpx.Client, api: Api) -> None:
    report(client, entry())
    created = submit(client, arm("siglip"), {"name": "ours", "loss": {"kind": "triplet"}}).json()
    assert created["spec"]["arms"][0]["loss"]["params"]["bins"] == 10
    assert (
        api.http.get(f"/api/v1/comparisons/{created['id']}/runs").json()["runs"][0]["loss_digest"]
        == "siglip-1"
    )
    seen(client, "w1")
    waiting = {one["arm"]: one for one in client.get("/api/v1/queue").json()["waiting"]}
    assert waiting["siglip"]["waits_for"] == "waits for a worker with siglip; none is available"
    assert waiting["siglip"]["starts_in_s"] is None
    assert waiting["ours"]["waits_for"] is None
    given = claim(client)
    assert given is not None
    assert (given["arm"], given["loss_digest"]) == ("ours", None)
    assert claim(client) is None
    assert claim(client, "siglip-0") is None
    seen(client, "w2", "siglip-1")
    [left] = client.get("/api/v1/queue").json()["waiting"]
    assert left["waits_for"] is None
    given = claim(client, "other-1", "siglip-1", worker="w2")
    assert given is not None
    assert (given["arm"], given["loss_digest"]) == ("siglip", "siglip-1")


def end(parts: Parts, given: Json) -> None:
    """Store the events of a run that has succeeded, as the collector would."""
    attempt = Attempt(given["run"], given["attempt"])
    with parts.database.write() as write:
        handlers.store_events(write, [attempt.started(), attempt.ended()], now=1003.0)


def test_other_code_is_waited_for_until_a_retry_takes_what_there_is(
    client: httpx.Client, parts: Parts
) -> None:
    report(client, entry())
    created = submit(client, arm("siglip"), seeds=[0, 1]).json()
    first = claim(client, "siglip-1")
    assert first is not None
    end(parts, first)
    report(client, entry(digest="siglip-2"))
    seen(client, "w1", "siglip-2")
    assert claim(client, "siglip-2") is None
    [waiting] = client.get("/api/v1/queue").json()["waiting"]
    assert waiting["waits_for"].startswith("waits for a worker with siglip of version siglip-1")
    path = f"/api/v1/comparisons/{created['id']}"
    client.post(f"{path}/cancel")
    client.post(f"{path}/retry")
    second = claim(client, "siglip-2")
    assert second is not None
    assert second["loss_digest"] == "siglip-2"
    end(parts, second)
    exported = client.get(f"{path}/export", params={"format": "csv", "what": "runs"}).text
    assert "siglip-1" in exported
    assert "siglip-2" in exported


def test_a_worker_that_lacks_a_library_hides_no_other(client: httpx.Client) -> None:
    report(client, entry(), worker="w1")
    report(client, entry(problem="it cannot be imported", digest=""), worker="w2")
    assert submit(client, arm("siglip")).status_code == 201
    report(client, entry(digest="siglip-2"), worker="w2")
    names = [one["name"] for one in client.get("/api/v1/catalogue").json()["plugins"]]
    assert names == ["siglip"]


def test_a_report_that_is_none_is_refused(client: httpx.Client) -> None:
    body = {"worker": "w", "plugins": [{"name": "x", "source": "pml", "code": "print()"}]}
    answer = client.post("/api/v1/internal/plugins", json=body, headers=HEADERS)
    assert answer.status_code == 422
    assert client.post("/api/v1/internal/plugins", json=body).status_code == 401
