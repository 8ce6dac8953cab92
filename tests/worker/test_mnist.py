"""MNIST from tiny files in its own format: splits, and what becomes of missing and broken files.

No test reaches the network: torchvision's mirrors are a server on this machine, or nobody.
"""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from contract.data import MnistData, training_items
from tests.support import tiny_mnist
from tests.support.ports import free_ports
from tests.support.specs import small
from tests.support.tiny_mnist import TEST_COUNTS, TRAIN_COUNTS
from worker import data
from worker.claim import Claim
from worker.data import Dataset, Split, mnist_files
from worker.errors import DataError
from worker.reporter import ListReporter
from worker.trainer.attempt import attempt
from worker.vision import torchvision

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("train", "validation", "test")
FILES = tuple(tiny_mnist.arrays())


class Mirror(ThreadingHTTPServer):
    """Serves files from memory and counts who asked for what."""

    def __init__(self, files: dict[str, bytes], delay_s: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.delay_s = files, delay_s
        self.asked: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/mnist/"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        mirror, name = self.server, self.path.removeprefix("/mnist/")
        assert isinstance(mirror, Mirror)
        mirror.asked[name] += 1
        time.sleep(mirror.delay_s)
        if name not in mirror.files:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(mirror.files[name])))
        self.end_headers()
        # torchvision asks twice, and reads the first answer only to see where it leads
        with contextlib.suppress(ConnectionError):
            self.wfile.write(mirror.files[name])

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def mirror(files: dict[str, bytes] | None = None, delay_s: float = 0.0) -> Iterator[Mirror]:
    server = Mirror(tiny_mnist.archives() if files is None else files, delay_s)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def nobody() -> str:
    """An address at which no server listens."""
    return f"http://127.0.0.1:{free_ports(1)[0]}/mnist/"


@pytest.fixture(autouse=True)
def mirrors(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """torchvision's list of mirrors, none of which is there; it knows the tiny files' checksums."""
    urls = [nobody()]
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", urls)
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", tiny_mnist.checksums())
    return urls


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder with the unpacked files."""
    tiny_mnist.write(tmp_path)
    return tmp_path


def splits(loaded: Dataset) -> dict[str, Split]:
    return {part: getattr(loaded, part) for part in PARTS}


def same(a: Split, b: Split) -> bool:
    return torch.equal(a.items, b.items) and torch.equal(a.labels, b.labels)


def rows(split: Split) -> list[bytes]:
    return [item.numpy().tobytes() for item in split.items]


def there(folder: Path) -> set[str]:
    """Files below the folder of the data sets, but for the lock."""
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    return found - {"MNIST.lock"}


UNPACKED = {f"MNIST/raw/{name}" for name in FILES}
ARCHIVED = {f"MNIST/raw/{name}.gz" for name in FILES}


class TestSplits:
    def test_the_official_parts_whole_and_without_a_leak(self, folder: Path) -> None:
        loaded = data.load(MnistData(), folder)
        assert loaded.classes == 10
        assert loaded.item_shape == (1, 28, 28)
        for split in splits(loaded).values():
            assert split.items.dtype == torch.float32
            assert split.labels.dtype == torch.int64
            assert split.fine is None
            assert split.items.min() == 0
            assert split.items.max() == 1
        official = {
            part: torchvision.datasets.MNIST(folder, train=part == "train")
            for part in ("train", "test")
        }
        assert torch.equal(loaded.test.items[:, 0].mul(255).round(), official["test"].data.float())
        assert torch.equal(loaded.test.labels, official["test"].targets)

        pairs = list(zip(rows(loaded.train), loaded.train.labels.tolist(), strict=True))
        pairs += zip(rows(loaded.validation), loaded.validation.labels.tolist(), strict=True)
        images = official["train"].data.float().div(255)
        known = [item.numpy().tobytes() for item in images]
        assert sorted(pairs) == sorted(zip(known, official["train"].targets.tolist(), strict=True))

    def test_each_digit_keeps_its_share(self, folder: Path) -> None:
        loaded = data.load(MnistData(train_items=125), folder)
        assert [len(split.labels) for split in splits(loaded).values()] == [125, 100, 100]
        assert loaded.test.labels.bincount().tolist() == list(TEST_COUNTS)
        validation = loaded.validation.labels.bincount()
        # Of 600 images 100 validate: 66, 60 and 54 are multiples of 6, of the other remainders
        # (55: 1, 61: 1, 58: 4, 62: 2, 59: 5, 65: 5) the three largest are rounded up.
        assert validation.tolist() == [11, 9, 10, 10, 10, 9, 10, 10, 10, 11]
        exact = (torch.tensor(TRAIN_COUNTS) - validation) * 125 / 500
        assert (loaded.train.labels.bincount() - exact).abs().max() < 1

    @pytest.mark.parametrize("items", [100, 333, 500])
    def test_as_many_training_items_as_asked_for(self, folder: Path, items: int) -> None:
        spec = MnistData(train_items=items)
        whole, loaded = data.load(MnistData(), folder), data.load(spec, folder)
        assert len(loaded.train.labels) == training_items(spec) == items
        assert set(rows(loaded.train)) <= set(rows(whole.train))
        assert same(loaded.validation, whole.validation)
        assert same(loaded.test, whole.test)

    def test_the_spec_alone_decides(self, folder: Path) -> None:
        first = splits(data.load(MnistData(), folder))
        torch.manual_seed(3)
        np.random.seed(3)
        again = splits(data.load(MnistData(), folder))
        other = splits(data.load(MnistData(seed=1), folder))
        assert [same(first[part], again[part]) for part in PARTS] == [True, True, True]
        assert [same(first[part], other[part]) for part in PARTS] == [False, False, True]


class TestFiles:
    def test_the_settings_name_the_folder(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(folder))
        assert same(data.load(MnistData()).train, data.load(MnistData(), folder).train)

    def test_unpacked_files_are_only_read(self, folder: Path) -> None:
        before = there(folder)
        data.load(MnistData(), folder)
        assert there(folder) == before == UNPACKED
        assert not (folder / "MNIST.lock").exists()

    def test_archives_are_unpacked_without_a_network(self, folder: Path, tmp_path: Path) -> None:
        packed = tmp_path / "packed"
        tiny_mnist.write_archives(packed)
        archive = tiny_mnist.raw(packed) / f"{FILES[0]}.gz"
        archive.write_bytes(archive.read_bytes()[:4] + b"time" + archive.read_bytes()[8:])
        assert same(data.load(MnistData(), packed).train, data.load(MnistData(), folder).train)
        assert there(packed) == UNPACKED | ARCHIVED

    def test_what_is_missing_is_downloaded_once(
        self, folder: Path, tmp_path: Path, mirrors: list[str]
    ) -> None:
        empty = tmp_path / "not" / "yet" / "there"
        with mirror() as server:
            mirrors[:] = [nobody(), server.url]
            loaded = data.load(MnistData(), empty)
            assert set(server.asked) == set(tiny_mnist.archives())
            server.asked.clear()
            (tiny_mnist.raw(empty) / FILES[1]).unlink()
            data.load(MnistData(), empty)
            assert set(server.asked) == {f"{FILES[1]}.gz"}
        assert there(empty) == UNPACKED
        assert not (empty / "MNIST.partial").exists()
        whole = data.load(MnistData(), folder)
        assert all(same(getattr(loaded, part), getattr(whole, part)) for part in PARTS)

    def test_leftovers_of_a_killed_process_are_not_taken(
        self, tmp_path: Path, mirrors: list[str]
    ) -> None:
        scratch = tmp_path / "MNIST.partial"
        scratch.mkdir()
        for name in FILES:
            (scratch / name).write_bytes(b"half")
        with mirror() as server:
            mirrors[:] = [server.url]
            assert len(data.load(MnistData(), tmp_path).test.labels) == sum(TEST_COUNTS)
        assert there(tmp_path) == UNPACKED

    def test_two_processes_share_one_download(self, tmp_path: Path) -> None:
        program = f"""
import sys
from pathlib import Path
from contract.data import MnistData
from worker import data
from worker.vision import torchvision
torchvision.datasets.MNIST.resources = {tiny_mnist.checksums()!r}
print("ready", flush=True)
torchvision.datasets.MNIST.mirrors = [sys.stdin.readline().strip()]
loaded = data.load(MnistData(), Path({str(tmp_path)!r}))
print([len(loaded.train.labels), float(loaded.train.items.sum())])
"""
        children = [
            subprocess.Popen(
                [sys.executable, "-c", program],
                cwd=ROOT,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for _ in range(2)
        ]
        with mirror(delay_s=0.1) as server:
            for child in children:
                assert child.stdout
                assert child.stdout.readline() == "ready\n"
            for child in children:
                assert child.stdin
                child.stdin.write(f"{server.url}\n")
                child.stdin.flush()
            said = [child.communicate(timeout=60) for child in children]
        assert [child.returncode for child in children] == [0, 0], said
        first, second = (json.loads(out) for out, _ in said)
        assert first == second
        assert first[0] == 500
        # One download asks twice for each file.
        assert server.asked == dict.fromkeys(tiny_mnist.archives(), 2)
        assert there(tmp_path) == UNPACKED


class TestFaults:
    def test_without_network_and_files_the_error_says_what_to_do(
        self, tmp_path: Path, mirrors: list[str]
    ) -> None:
        began = time.monotonic()
        with pytest.raises(DataError) as caught:
            data.load(MnistData(), tmp_path)
        assert time.monotonic() - began < 5
        said = str(caught.value)
        for word in (*FILES, str(tmp_path / "MNIST" / "raw"), mirrors[0], "refused", ".gz"):
            assert word in said
        assert "LOSSBOARD_DATASETS_DIR" in said
        assert there(tmp_path) == set()
        assert not (tmp_path / "MNIST.partial").exists()

    def test_only_what_is_missing_is_named(self, folder: Path) -> None:
        (tiny_mnist.raw(folder) / FILES[2]).unlink()
        with pytest.raises(DataError, match=f"Looked for {FILES[2]}, unpacked"):
            data.load(MnistData(), folder)

    def test_a_run_fails_with_that_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(tmp_path))
        spec = small(data={"kind": "mnist"})
        claim = Claim(
            run="r", attempt=1, lease_s=10, comparison="c", arm="triplet", seed=0, spec=spec
        )
        reporter = ListReporter()
        attempt(claim, reporter, lambda: False, torch.device("cpu"))
        assert reporter.state == "failed"
        assert reporter.failure
        assert str(tmp_path / "MNIST" / "raw") in reporter.failure.message

    def test_a_mirror_that_says_nothing_is_given_up(
        self, tmp_path: Path, mirrors: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mnist_files, "NETWORK_TIMEOUT_S", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            mirrors[:] = [f"http://127.0.0.1:{silent.getsockname()[1]}/"]
            with pytest.raises(DataError, match="timed out"):
                data.load(MnistData(), tmp_path)
        assert socket.getdefaulttimeout() is None

    @pytest.mark.parametrize("fault", ["truncated", "absent"])
    def test_a_bad_download_leaves_nothing_and_the_next_mirror_is_asked(
        self, tmp_path: Path, mirrors: list[str], fault: str
    ) -> None:
        files = tiny_mnist.archives()
        broken = {**files, f"{FILES[0]}.gz": files[f"{FILES[0]}.gz"][:-100]}
        if fault == "absent":
            del broken[f"{FILES[0]}.gz"]
        with mirror(broken) as bad, mirror() as good:
            mirrors[:] = [bad.url]
            with pytest.raises(DataError, match=f"{bad.url}{FILES[0]}"):
                data.load(MnistData(), tmp_path)
            assert there(tmp_path) == set()
            mirrors[:] = [bad.url, good.url]
            data.load(MnistData(), tmp_path)
            assert set(good.asked) == {f"{FILES[0]}.gz"}
        assert there(tmp_path) == UNPACKED

    @pytest.mark.parametrize("damage", [slice(0, -100), slice(0, 12), slice(2, None), slice(0, 0)])
    def test_a_broken_archive_is_named_or_replaced(
        self, tmp_path: Path, mirrors: list[str], damage: slice
    ) -> None:
        tiny_mnist.write_archives(tmp_path)
        archive = tiny_mnist.raw(tmp_path) / f"{FILES[0]}.gz"
        archive.write_bytes(archive.read_bytes()[damage])
        with pytest.raises(DataError) as caught:
            data.load(MnistData(), tmp_path)
        assert f"{archive} (damaged" in str(caught.value)
        assert there(tmp_path) == ARCHIVED
        with mirror() as server:
            mirrors[:] = [server.url]
            data.load(MnistData(), tmp_path)
            assert set(server.asked) == {archive.name}

    @pytest.mark.parametrize("name", FILES)
    @pytest.mark.parametrize(
        "damage",
        [slice(0, -1), slice(0, 100), slice(0, 8), slice(0, 0), slice(4, None)],
        ids=["short", "shorter", "head", "empty", "no-head"],
    )
    def test_a_broken_file_is_named(self, folder: Path, name: str, damage: slice) -> None:
        path = tiny_mnist.raw(folder) / name
        path.write_bytes(path.read_bytes()[damage])
        with pytest.raises(DataError, match=f"{path} is damaged"):
            data.load(MnistData(), folder)

    @pytest.mark.parametrize(
        ("name", "values", "seen"),
        [
            (FILES[0], np.zeros((600, 28, 27)), "28 x 28"),
            (FILES[1], np.full(600, 10), "a label 10"),
            (FILES[1], np.arange(599) % 10, "599 labels for 600 images"),
        ],
    )
    def test_files_of_something_else_are_named(
        self, folder: Path, name: str, values: np.ndarray, seen: str
    ) -> None:
        path = tiny_mnist.raw(folder) / name
        path.write_bytes(tiny_mnist.idx(values))
        with pytest.raises(DataError, match=f"{path} is damaged.*{seen}"):
            data.load(MnistData(), folder)

    def test_a_folder_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(DataError, match=f"{tmp_path}/file/MNIST/raw and cannot be written"):
            data.load(MnistData(), tmp_path / "file")
