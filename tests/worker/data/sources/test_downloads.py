"""Fetching files: completely or not at all, from the first mirror that has them, one process at a
time.

No test reaches the network: mirrors are servers on this machine, or do not exist.
"""

import hashlib
import socket
import time
from pathlib import Path

import pytest

from tests.support.mirror import mirror, unused_url
from tests.support.recorded_progress import RecordedProgress
from tests.support.waiting import PATIENCE
from worker.data.sources import downloads
from worker.data.sources.downloads import fetch
from worker.data.sources.locks import locked
from worker.errors import CancelledError, DataError
from worker.reporting.progress import SILENT

CONTENT = bytes(range(256)) * 4096
"""A megabyte: more than one block of the network."""
MD5 = hashlib.md5(CONTENT).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "sets" / "file.bin"


def nothing_left(target: Path) -> bool:
    return not target.parent.exists() or not list(target.parent.iterdir())


def test_a_file_is_downloaded_with_progress(target: Path) -> None:
    reported = RecordedProgress()
    with mirror({"a.bin": CONTENT}) as server:
        fetch([f"{server.url}a.bin"], target, md5=MD5, sha256=SHA256.upper(), progress=reported)
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]
    calls = reported.of("downloading file.bin")
    assert len(calls) == len(reported.calls) > 3
    done = [call[0] for call in calls]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, len(CONTENT))
    assert {call[1:] for call in calls} == {(len(CONTENT), "bytes")}


def test_addresses_that_moved_are_followed(target: Path) -> None:
    with mirror({"new": CONTENT}) as there, mirror({}, moved={"old": f"{there.url}new"}) as here:
        fetch([f"{here.url}old"], target, md5=MD5, size=len(CONTENT), progress=SILENT)
    assert target.read_bytes() == CONTENT


def test_the_first_digits_of_a_checksum_are_enough_but_not_none(target: Path) -> None:
    with mirror({"a": CONTENT}) as server:
        for wrong in ("", SHA256[1:9]):
            with pytest.raises(DataError, match="with sha256"):
                fetch([f"{server.url}a"], target, sha256=wrong, progress=SILENT)
        fetch([f"{server.url}a"], target, sha256=SHA256[:8], progress=SILENT)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("files", "cut", "expected", "seen"),
    [
        ({}, 0, {}, "404"),
        ({"a": CONTENT}, 100, {}, "1048476 bytes, expected 1048576"),
        ({"a": CONTENT[:-1]}, 0, {"md5": MD5}, f"not {MD5}"),
        ({"a": CONTENT[:-1]}, 0, {"sha256": SHA256}, f"not {SHA256}"),
        ({"a": CONTENT + b"x"}, 0, {"size": len(CONTENT)}, "offers 1,048,577 bytes"),
    ],
    ids=["absent", "truncated", "md5", "sha256", "size"],
)
def test_a_bad_mirror_leaves_nothing_and_the_next_is_tried(
    target: Path, files: dict[str, bytes], cut: int, expected: dict[str, str], seen: str
) -> None:
    with mirror(files, cut=cut) as bad, mirror({"a": CONTENT}) as good:
        with pytest.raises(DataError) as caught:
            fetch([f"{bad.url}a"], target, progress=SILENT, **expected)  # type: ignore[arg-type]
        assert seen in str(caught.value)
        assert nothing_left(target)
        urls = [f"{unused_url()}a", f"{bad.url}a", f"{good.url}a"]
        fetch(urls, target, md5=MD5, progress=SILENT)
        assert (bad.asked["a"], good.asked["a"]) == (2, 1)
    assert target.read_bytes() == CONTENT


def test_the_error_names_the_file_its_folder_and_every_address(target: Path) -> None:
    began = time.monotonic()
    urls = [f"{unused_url()}a", "http://[", f"{unused_url()}b"]
    with pytest.raises(DataError) as caught:
        fetch(urls, target, progress=SILENT, advice="Draw it yourself.")
    assert time.monotonic() - began < 5 * PATIENCE
    said = str(caught.value)
    for word in (*urls, "file.bin", str(target.parent), "refused"):
        assert word in said
    assert said.endswith("Draw it yourself.")
    with pytest.raises(DataError, match=r"no address.*LOSSBOARD_DATASETS_DIR"):
        fetch([], target, progress=SILENT)


def test_an_existing_file_survives_a_failure(target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"old")
    with mirror({"a": CONTENT[1:]}) as server:
        with pytest.raises(DataError):
            fetch([f"{server.url}a"], target, md5=MD5, progress=SILENT)
        assert target.read_bytes() == b"old"
        assert list(target.parent.iterdir()) == [target]


def test_a_cancel_leaves_nothing_and_tries_no_other_mirror(target: Path) -> None:
    reported = RecordedProgress(cancel="downloading")
    with mirror({"a": CONTENT}) as first, mirror({"a": CONTENT}) as second:
        with pytest.raises(CancelledError):
            fetch([f"{first.url}a", f"{second.url}a"], target, progress=reported)
        assert not second.asked
    assert reported.calls[-1][1] < len(CONTENT)
    assert nothing_left(target)


def test_a_silent_mirror_times_out(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "NETWORK_TIMEOUT_S", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(DataError, match="timed out"),
    ):
        fetch([f"http://127.0.0.1:{silent.getsockname()[1]}/a"], target, progress=SILENT)
    assert nothing_left(target)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    target = tmp_path / "file" / "a.bin"
    with mirror({"a": CONTENT}) as server, pytest.raises(DataError, match=f"{target} cannot"):
        fetch([f"{server.url}a"], target, progress=SILENT)


def test_waiting_for_the_lock_can_be_cancelled(tmp_path: Path) -> None:
    reported = RecordedProgress(cancel="waiting")
    with locked(tmp_path, "sets"):
        with pytest.raises(CancelledError), locked(tmp_path, "sets", reported):
            raise AssertionError("two hold it")
        with locked(tmp_path, "other", reported):
            pass
    assert [call[1:] for call in reported.calls] == [(0, None, "items")]
    assert "sets" in reported.calls[0][0]
    with locked(tmp_path, "sets", reported):
        pass
