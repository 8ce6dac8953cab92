"""Blobs over real HTTP: an API that is away is waited for, one that fails is asked a few times."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from backend.app import create_app
from backend.settings import Settings as ApiSettings
from tests.support.serving import serving
from tests.support.specs import small
from worker.api import blobs
from worker.api.blobs import BLOCK, TRIES, BlobClient
from worker.api.client import Claim
from worker.errors import BlobLostError, BlobRefusedError, CancelledError
from worker.reporting.reporter import ListReporter
from worker.settings import Settings
from worker.snapshots import SnapshotKeeper
from worker.trainer.attempt import run_attempt

TOKEN = "secret"
CONTENT = bytes(2 * BLOCK + 5)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def never() -> bool:
    return False


class Peer:
    """Answers each request with the next status of its list, and 200 after the last."""

    def __init__(self, *statuses: int) -> None:
        self.left = list(statuses)
        self.asked = 0
        self.stored: list[bytes] = []

    def answer(self, content: bytes) -> int:
        self.asked += 1
        status = self.left.pop(0) if self.left else 200
        if status == 200:
            self.stored.append(content)
        return status


@contextmanager
def client_of(peer: Peer) -> Iterator[BlobClient]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            status = peer.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.respond(status, b'{"error": "e", "message": "the words", "fields": []}')

        def do_GET(self) -> None:
            status = peer.answer(b"")
            self.respond(status, CONTENT if status == 200 else b"no JSON")

        def respond(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    client = BlobClient(Settings(broker_url="", api_url=url, token=TOKEN, name="w"))
    try:
        yield client
    finally:
        client.close()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "RETRY_S", 0.001)


def test_a_blob_is_sent_and_fetched_whole() -> None:
    peer = Peer()
    with client_of(peer) as client:
        assert client.put(CONTENT, never) == DIGEST
        assert peer.stored == [CONTENT]
        assert client.fetch(DIGEST, never) == CONTENT


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_an_api_that_is_away_is_waited_for(status: int) -> None:
    peer = Peer(*(status for _ in range(3 * TRIES)))
    with client_of(peer) as client:
        client.put(CONTENT, never)
    assert peer.stored == [CONTENT]


@pytest.mark.parametrize(("status", "asked"), [(403, 1), (413, 1), (507, 1), (500, TRIES)])
def test_a_blob_that_cannot_be_stored_is_refused_with_the_words_of_the_api(
    status: int, asked: int
) -> None:
    peer = Peer(*(status for _ in range(asked)))
    words = f"could not store {len(CONTENT):,} bytes, it answers {status}: the words"
    with client_of(peer) as client, pytest.raises(BlobRefusedError, match=words):
        client.put(CONTENT, never)
    assert peer.asked == asked


def test_a_short_failure_costs_nothing_and_a_long_one_is_waited_out_once() -> None:
    peer = Peer(500, 503, 500)
    with client_of(peer) as client:
        client.put(CONTENT, never)
        peer.left = [500] * (TRIES + 2)
        for _ in range(3):
            with pytest.raises(BlobRefusedError):
                client.put(CONTENT, never)
        assert peer.left == []
        client.put(CONTENT, never)
        peer.left = [500] * (TRIES - 1)
        client.put(CONTENT, never)


def test_a_blob_that_the_api_cannot_read_is_lost() -> None:
    peer = Peer(*(500 for _ in range(TRIES)))
    words = "could not send it, it answers 500: no JSON"
    with client_of(peer) as client, pytest.raises(BlobLostError, match=words):
        client.fetch(DIGEST, never)


def test_a_cancel_ends_the_sending_of_a_large_blob() -> None:
    answers = iter([False, True])
    with client_of(Peer()) as client, pytest.raises(CancelledError):
        client.put(CONTENT, lambda: next(answers))


def file_instead_of_folder(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))
    folder.write_text("")


def read_only(folder: Path) -> None:
    folder.chmod(0o500)
    (folder / ".incoming").chmod(0o500)


BREAKS = [
    file_instead_of_folder,
    pytest.param(
        read_only, marks=pytest.mark.skipif(os.geteuid() == 0, reason="root may always write")
    ),
]


@pytest.mark.parametrize("break_folder", BREAKS)
def test_a_run_ends_though_the_api_cannot_write_its_blobs(
    break_folder: Callable[[Path], None], broker_url: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    app = create_app(ApiSettings(data, f"sqlite:///{data / 'board.sqlite'}", broker_url, TOKEN))
    raw = small(
        training={"epochs": 3, "batch_size": 256},
        measure={"snapshot_every": 1, "snapshot_size": 50},
    )
    claim = Claim(run="r", attempt=1, lease_s=1, comparison="c", arm="triplet", seed=0, spec=raw)
    reporter = ListReporter()
    with serving(app) as url:
        break_folder(data / "blobs")
        store = BlobClient(Settings(broker_url="", api_url=url, token=TOKEN, name="w"))
        keeper = SnapshotKeeper(store, reporter)
        run_attempt(claim, reporter, never, torch.device("cpu"), keeper, checkpoint_s=1e-9)
        store.close()
    assert reporter.state == "succeeded", reporter.failure
    assert (reporter.snapshots, reporter.checkpoints) == ([], [])
    for epoch in range(4):
        [line] = [one for one in reporter.lines if f"snapshot of epoch {epoch} was not" in one]
        assert "the API could not store" in line
