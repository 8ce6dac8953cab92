"""Uploads that the client, the disk, the checking process or the API's end interrupts."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from backend.settings import Settings
from backend.state import Parts
from tests.backend.conftest import Serve
from tests.backend.dataset_uploads import (
    URL,
    check_processes,
    feature_table,
    files_left,
    image_archive,
    is_clean,
    paired_table,
    post_file,
    upload,
)
from tests.backend.helpers import check_error
from tests.support.ports import free_ports
from tests.support.stack import ROOT
from tests.support.tiny_sets import image_files, zipped
from tests.support.waiting import still_alive, until


def test_a_client_that_disconnects_while_it_sends(client: httpx.Client, parts: Parts) -> None:
    class GoneError(Exception):
        pass

    def body() -> Iterator[bytes]:
        yield b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        for _ in range(50):
            yield bytes(50_000)
        until(lambda: len(files_left(parts)) == 3, "the file to be begun")  # .incoming/x/content
        raise GoneError

    headers = {"Content-Type": "multipart/form-data; boundary=xyz"}
    with pytest.raises(GoneError):
        client.post(URL, content=body(), headers=headers)
    until(lambda: is_clean(client, parts), "the upload to be gone", timeout=20)


def test_a_client_that_disconnects_during_the_check(
    served: tuple[object, Parts], client: httpx.Client, tmp_path: Path
) -> None:
    parts = served[1]
    with _waiting_check(client, tmp_path) as [process]:
        pass
    assert still_alive([process], timeout=10) == []
    until(lambda: is_clean(client, parts), "the upload to be gone", timeout=20)
    assert upload(client, paired_table(tmp_path), "paired_features")


@contextmanager
def _waiting_check(client: httpx.Client, folder: Path) -> Iterator[list[psutil.Process]]:
    """An upload whose check has begun and is stopped; the client then goes."""
    base = str(client.base_url)
    file = image_archive(folder)
    command = [sys.executable, "-c", _POST, f"{base.rstrip('/')}{URL}", str(file)]
    sender = subprocess.Popen(command)
    try:
        found = until(check_processes, "the check", timeout=20)
        found[0].suspend()
        yield found
    finally:
        sender.kill()
        sender.wait()


_POST = """
import sys, httpx
form = {"kind": "image_folder", "name": "x"}
httpx.post(sys.argv[1], data=form, files={"file": open(sys.argv[2], "rb")}, timeout=60)
"""


def test_a_check_that_is_killed(client: httpx.Client, parts: Parts, tmp_path: Path) -> None:
    def kill() -> None:
        until(check_processes, "the check", timeout=20)[0].kill()

    killer = threading.Thread(target=kill)
    killer.start()
    body = check_error(
        post_file(client, image_archive(tmp_path), "image_folder"), 422, "invalid_dataset"
    )
    killer.join()
    assert "SIGKILL" in body["fields"][0]["message"]
    assert is_clean(client, parts)
    assert upload(client, image_archive(tmp_path), "image_folder")


def test_two_clients_that_upload_the_same_at_once(
    client: httpx.Client, parts: Parts, tmp_path: Path
) -> None:
    file = image_archive(tmp_path)
    answers: list[httpx.Response] = []
    senders = [
        threading.Thread(target=lambda: answers.append(post_file(client, file, "image_folder")))
        for _ in range(4)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(files_left(parts)) == 4


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 2 MB, where the uploads will lie."""
    folder = tmp_path / "data" / "uploads"
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    try:
        made = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        made = False
    if not made:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(
    tiny_disk: Path,
    serve: Serve,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(3_000_000))
    unpacks = zipped(tmp_path / "a.zip", {**image_files(), "c0/large.bmp": bytes(5_000_000)})
    with serve(settings) as (api, parts):
        body = check_error(
            post_file(api.http, image_archive(tmp_path), "image_folder"), 507, "disk_full"
        )
        assert "room" in body["message"]  # refused before it is sent, to leave a reserve
        [problem] = api.http.get("/api/v1/health/ready").json()["problems"]
        assert f"bytes are free on the disk of {tiny_disk}," in problem["message"]
        monkeypatch.setattr("backend.monitoring.health.MIN_FREE_BYTES", 0)
        monkeypatch.setattr("backend.storage.disk_space.RESERVED_BYTES", -10_000_000)
        for file in (large, unpacks):
            check_error(post_file(api.http, file, "image_folder"), 507, "disk_full")
            assert is_clean(api.http, parts)
        assert upload(api.http, image_archive(tmp_path), "image_folder")


def test_unfinished_uploads_of_a_dead_process_are_deleted_at_the_next_start(
    serve: Serve, settings: Settings, tmp_path: Path
) -> None:
    file = feature_table(tmp_path)
    with serve(settings) as (api, parts):
        made = upload(api.http, file, "features")
        kept = files_left(parts)
    half = settings.data_dir / "uploads" / ".incoming" / "x" / "unpacked"
    half.mkdir(parents=True)
    (half / "a.jpg").write_bytes(b"x")
    with serve(settings) as (api, parts):
        assert files_left(parts) == kept
        assert post_file(api.http, file, "features").json() == made


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_the_end_of_the_api_ends_its_checks(
    settings: Settings, tmp_path: Path, number: signal.Signals
) -> None:
    [port] = free_ports(1)
    command = [sys.executable, "-m", "uvicorn", "backend.app:create_app", "--factory"]
    command += ["--port", str(port), "--log-level", "warning"]
    command += ["--timeout-graceful-shutdown", "60"]  # or a busy machine cuts the answer off
    own = {
        "LOSSBOARD_DATA_DIR": str(settings.data_dir),
        "REDIS_URL": settings.redis_url,
        "LOSSBOARD_WORKER_TOKEN": "t",
    }
    log = tmp_path / "log"
    with log.open("wb") as sink:
        api = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **own}, stderr=sink)
    answers: list[httpx.Response | httpx.TransportError] = []

    def send() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            try:
                answers.append(post_file(client, image_archive(tmp_path), "image_folder"))
            except httpx.TransportError as error:
                answers.append(error)

    sender = threading.Thread(target=send)
    try:
        until(lambda: _listens(port), "the API", timeout=30)
        sender.start()
        found = until(lambda: check_processes(api.pid), "the check", timeout=20)
        api.send_signal(number)
        api.wait(timeout=60)
        sender.join(timeout=60)
    finally:
        api.kill()
        api.wait()
    assert still_alive(found, timeout=10) == []
    if number == signal.SIGTERM:
        [answer] = answers
        check_error(answer, 503, "unavailable")
        assert [p.name for p in (settings.data_dir / "uploads").rglob("*")] == [".incoming"]
        assert "Traceback" not in log.read_text()


def _listens(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/api/v1/health/live").status_code == 200
    except httpx.TransportError:
        return False


def test_an_announced_upload_that_cannot_fit(serve: Serve, settings: Settings) -> None:
    head = f"POST {URL} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10**15}\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    with serve(replace(settings, max_upload_mb=1e10)) as (api, parts):
        address = (api.http.base_url.host, api.http.base_url.port or 0)
        with socket.create_connection(address, timeout=20) as sender:
            sender.sendall(head.encode())
            assert sender.recv(100).startswith(b"HTTP/1.1 507")  # before any of it was sent
        assert is_clean(api.http, parts)
