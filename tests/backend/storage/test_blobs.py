"""The blob store: uploads are checked, unused blobs are deleted, used ones stay."""

import errno
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from backend.db.models import Run
from backend.errors import NotFoundError
from backend.http import multipart
from backend.settings import Settings
from backend.state import Parts
from backend.storage import disk_space
from backend.storage.blobs import Blobs, IncomingBlob
from tests.backend.conftest import Serve
from tests.backend.helpers import Api, Attempt, check_error, claim, submit
from tests.backend.worker_requests import (
    AS_WORKER,
    BLOBS,
    digest_of,
    on_disk,
    put_blob,
    put_snapshots,
    store_blob,
    store_snapshot_events,
)
from tests.support.snapshots import fill
from tests.support.waiting import until

CONTENT = b"what a worker measured"
DIGEST = digest_of(CONTENT)


def test_a_stored_blob_can_be_read(client: httpx.Client, parts: Parts) -> None:
    assert store_blob(client, CONTENT) == DIGEST
    answer = client.get(f"{BLOBS}/{DIGEST}", headers=AS_WORKER)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert "immutable" in answer.headers["cache-control"]
    assert parts.blobs.path(DIGEST) == parts.settings.data_dir / "blobs" / DIGEST[:2] / DIGEST
    assert store_blob(client, CONTENT) == DIGEST
    assert on_disk(parts.blobs) == {DIGEST: len(CONTENT)}
    assert store_blob(client, b"") == digest_of(b"")
    assert parts.blobs.size([DIGEST, digest_of(b""), "0" * 64]) == len(CONTENT)


def test_without_the_token_nothing_is_stored_or_read(client: httpx.Client, parts: Parts) -> None:
    check_error(client.put(f"{BLOBS}/{DIGEST}", content=CONTENT), 401, "unauthorized")
    store_blob(client, CONTENT)
    check_error(client.get(f"{BLOBS}/{DIGEST}"), 401, "unauthorized")
    assert list(on_disk(parts.blobs)) == [DIGEST]


def test_bytes_of_another_digest_are_refused(client: httpx.Client, parts: Parts) -> None:
    body = check_error(put_blob(client, CONTENT + b"!", DIGEST), 422, "invalid_request")
    assert body["fields"][0]["path"] == "digest"
    assert digest_of(CONTENT + b"!") in body["fields"][0]["message"]
    assert on_disk(parts.blobs) == {}


@pytest.mark.parametrize("name", ["x", DIGEST.upper(), DIGEST + "0", "..%2f..%2fsecret"])
def test_a_name_that_is_not_a_digest_is_refused(client: httpx.Client, name: str) -> None:
    assert put_blob(client, CONTENT, name).status_code in {404, 422}
    assert client.get(f"{BLOBS}/{name}", headers=AS_WORKER).status_code in {404, 422}


def test_a_missing_blob_is_reported(client: httpx.Client) -> None:
    body = check_error(client.get(f"{BLOBS}/{DIGEST}", headers=AS_WORKER), 404, "not_found")
    assert DIGEST in body["message"]


def test_a_body_that_is_cut_off_leaves_nothing(client: httpx.Client, parts: Parts) -> None:
    address = client.base_url
    with socket.create_connection((address.host, address.port or 80)) as connection:
        head = f"PUT {BLOBS}/{DIGEST} HTTP/1.1\r\nHost: h\r\nContent-Length: {len(CONTENT)}\r\n"
        token = f"Authorization: {AS_WORKER['Authorization']}\r\n\r\n"
        connection.sendall((head + token).encode() + CONTENT[:-1])
        incoming = parts.blobs.root / ".incoming"
        until(lambda: list(incoming.iterdir()), "the blob to be begun")
    until(lambda: on_disk_is(parts.blobs, []), "the rest to be gone", timeout=20)
    assert store_blob(client, CONTENT) == DIGEST


def on_disk_is(blobs: Blobs, names: list[str]) -> bool:
    return not list((blobs.root / ".incoming").iterdir()) and list(on_disk(blobs)) == names


def test_a_body_that_stops_arriving_times_out(
    client: httpx.Client, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multipart, "IDLE_LIMIT_S", 0.2)

    def body() -> Iterator[bytes]:
        yield CONTENT[:3]
        time.sleep(1.5)
        yield CONTENT[3:]

    check_error(put_blob(client, body(), DIGEST), 408, "request_timeout")
    assert on_disk(parts.blobs) == {}


def test_a_full_disk_is_reported_before_or_during_the_upload(
    client: httpx.Client, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(disk_space, "RESERVED_BYTES", 10**18)
        body = check_error(put_blob(client, CONTENT, DIGEST), 507, "disk_full")
        assert "delete comparisons" in body["message"]
    for step in ("write", "sync"):
        with monkeypatch.context() as patched:
            patched.setattr(IncomingBlob, step, full)
            check_error(put_blob(client, CONTENT, DIGEST), 507, "disk_full")
        assert on_disk(parts.blobs) == {}
    assert store_blob(client, CONTENT) == DIGEST


def test_a_folder_that_cannot_be_written_is_named_and_the_blob_refused_for_good(
    client: httpx.Client, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(IncomingBlob, "write", read_only)
        message = check_error(put_blob(client, CONTENT, DIGEST), 507, "disk_full")["message"]
    assert f"{parts.blobs.root} cannot be written (Read-only file system)" in message
    moved = parts.blobs.root.rename(parts.blobs.root.with_name("moved"))
    message = check_error(put_blob(client, CONTENT, DIGEST), 507, "disk_full")["message"]
    assert f"{parts.blobs.root} cannot be written (No such file or directory)" in message
    moved.rename(parts.blobs.root)
    assert store_blob(client, CONTENT) == DIGEST


def test_a_blob_may_be_as_large_as_an_upload(serve: Serve, settings: Settings) -> None:
    with serve(replace(settings, max_upload_mb=3)) as (api, parts):
        content = bytes(3_000_000)
        assert store_blob(api.http, content) in on_disk(parts.blobs)
        larger = content + b"!"
        check_error(put_blob(api.http, larger, digest_of(larger)), 413, "too_large")
        check_error(put_blob(api.http, iter([larger]), digest_of(larger)), 413, "too_large")
        assert len(on_disk(parts.blobs)) == 1


def test_only_blobs_not_stored_since_a_time_are_deleted(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blobs.open()
    digest = blobs.put(CONTENT)
    os.utime(blobs.path(digest), (1000, 1000))
    assert blobs.delete([digest, "0" * 64], before=1000) == 0
    before = time.time()
    blobs.put(CONTENT)
    assert blobs.delete([digest], before) == 0
    assert blobs.delete([digest], time.time() + 1) == len(CONTENT)
    with pytest.raises(NotFoundError, match=digest):
        blobs.path(digest)


def test_a_start_deletes_old_unused_blobs(serve: Serve, settings: Settings) -> None:
    with serve(settings) as (api, parts):
        comparison = fill(parts.database, parts.blobs, seeds=1, epochs=1, samples=40)
        needed = on_disk(parts.blobs)
        old, young = (store_blob(api.http, content) for content in (b"old", b"young"))
        for digest in (*needed, old):
            os.utime(parts.blobs.path(digest), (1000, 1000))
        (parts.blobs.root / ".incoming" / "rest").write_bytes(b"half")
    with serve(settings) as (api, parts):
        assert on_disk(parts.blobs).keys() == needed.keys() | {young}
        sprite = api.get(f"/comparisons/{comparison}/space")["samples"]["sprite"]
        assert api.http.get(sprite).content.startswith(b"\x89PNG")


def test_a_start_keeps_blobs_whose_message_is_not_stored_yet(
    serve: Serve, settings: Settings
) -> None:
    with serve(settings) as (api, parts):
        submit(parts.database)
        run = claim(parts.database, now=5000.0)
        meant, older = (store_blob(api.http, content) for content in (b"meant", b"older"))
        os.utime(parts.blobs.path(meant), (6000, 6000))
        os.utime(parts.blobs.path(older), (4000, 4000))
    with serve(settings) as (_, parts):
        assert run is not None
        assert list(on_disk(parts.blobs)) == [meant]


@pytest.mark.both_databases
def test_deleting_frees_the_announced_size_and_nothing_that_others_need(
    api: Api, parts: Parts
) -> None:
    one = fill(parts.database, parts.blobs, seeds=2, epochs=2, samples=40)
    two = fill(parts.database, parts.blobs, seeds=1, epochs=1, samples=40, projected=False)
    before = on_disk(parts.blobs)
    sizes = api.get(f"/comparisons/{one}/size")
    assert sizes["runs"] == 4
    assert sizes["points"] == len(_points(api, one))
    assert api.http.delete(f"/api/v1/comparisons/{one}").status_code == 204
    after = on_disk(parts.blobs)
    assert sum(before.values()) - sum(after.values()) == sizes["bytes"] > 0
    last = api.get(f"/comparisons/{two}/size")["bytes"]
    assert last == sum(after.values())  # now it is the only one
    assert api.http.get(api.get(f"/comparisons/{two}/space")["samples"]["sprite"]).is_success
    assert api.http.delete(f"/api/v1/comparisons/{two}").status_code == 204
    assert on_disk(parts.blobs) == {}
    check_error(api.http.get(f"/api/v1/comparisons/{two}/size"), 404, "not_found")


def _points(api: Api, comparison: str) -> list[float]:
    runs = [run["id"] for run in api.get(f"/comparisons/{comparison}/runs")["runs"]]
    found = api.get("/series", run=runs, max_points=100_000)["series"]
    return [value for series in found for value in series["values"]]


def test_deleting_keeps_what_a_run_of_another_comparison_has_just_stored(
    api: Api, parts: Parts
) -> None:
    """It stores the same samples; its message arrives after the other comparison is deleted."""
    first = fill(parts.database, parts.blobs, arms=1, seeds=1, epochs=0, samples=40)
    for digest in on_disk(parts.blobs):
        os.utime(parts.blobs.path(digest), (1000, 1000))
    submit(parts.database)
    run = claim(parts.database, now=time.time())
    assert isinstance(run, Run)
    meant = put_snapshots(parts.blobs, run, [0])
    assert meant[0].samples in on_disk(parts.blobs)
    assert api.http.delete(f"/api/v1/comparisons/{first}").status_code == 204
    left = {meant[0].embeddings, meant[0].facts, meant[0].samples, meant[0].sprite}
    assert on_disk(parts.blobs).keys() == left
    store_snapshot_events(parts.database, Attempt(run.id, run.attempt), meant)
    os.utime(parts.blobs.path(store_blob(api.http, b"unused")), (1000, 1000))
    empty = submit(parts.database).id
    assert api.http.delete(f"/api/v1/comparisons/{empty}").status_code == 204
    until(lambda: on_disk(parts.blobs).keys() == left, "the old blob to be deleted")
    assert api.get(f"/comparisons/{run.comparison_id}/space")["samples"]["n"] == 40
