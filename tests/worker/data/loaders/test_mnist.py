"""MNIST and Fashion-MNIST from tiny files in the original format: splits, missing and broken files.

No test reaches the network: mirrors are servers on this machine, or do not exist.
"""

import contextlib
import gzip
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from contract.comparison.data import FashionMnistData, MnistData, training_items
from tests.support import tiny_mnist
from tests.support.mirror import mirror, unused_url
from tests.support.recorded_progress import RecordedProgress
from tests.support.specs import small
from tests.support.tiny_mnist import TEST_COUNTS, TRAIN_COUNTS
from tests.support.waiting import PATIENCE, until
from worker import data
from worker.api.client import Claim
from worker.data import Dataset, Pool, Split
from worker.data.loaders import mnist
from worker.data.loaders.mnist import PublishedFiles
from worker.data.sources.locks import locked
from worker.errors import CancelledError, DataError
from worker.reporting.progress import SILENT, Progress
from worker.reporting.reporter import ListReporter
from worker.torchvision_compat import torchvision
from worker.trainer.attempt import run_attempt

ROOT = Path(__file__).resolve().parents[4]
PARTS = ("train", "validation", "test")
FILES = tuple(tiny_mnist.arrays())


def published(*mirrors: str, name: str = "MNIST") -> PublishedFiles:
    """Return the tiny files as published data."""
    return PublishedFiles(name, mirrors or (unused_url(),), dict(tiny_mnist.checksums()))


def pool(
    folder: Path,
    files: PublishedFiles | None = None,
    *,
    spec: MnistData | FashionMnistData | None = None,
    progress: Progress = SILENT,
) -> Pool:
    return mnist.load(spec or MnistData(), folder, progress, files or published())


def load(folder: Path, *mirrors: str, spec: MnistData | None = None) -> Dataset:
    return pool(folder, published(*mirrors), spec=spec).dataset()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the unpacked files."""
    tiny_mnist.write(tmp_path)
    return tmp_path


def splits(loaded: Dataset) -> dict[str, Split]:
    return {part: getattr(loaded, part) for part in PARTS}


def same(a: Split, b: Split) -> bool:
    return torch.equal(a.items, b.items) and torch.equal(a.labels, b.labels)


def rows(split: Split) -> list[bytes]:
    return [item.numpy().tobytes() for item in split.items]


def there(folder: Path) -> set[str]:
    """Return the files below the folder of the data sets, except the lock."""
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    return found - {".MNIST.lock"}


UNPACKED = {f"MNIST/raw/{name}" for name in FILES}
ARCHIVED = {f"MNIST/raw/{name}.gz" for name in FILES}


class TestSplits:
    def test_the_official_parts_are_complete_and_disjoint(self, folder: Path) -> None:
        loaded = load(folder)
        assert loaded.classes == 10
        assert loaded.item_shape == (1, 28, 28)
        for split in splits(loaded).values():
            assert split.items.dtype == torch.uint8
            assert split.labels.dtype == torch.int64
            assert split.fine is None
            assert split.items.min() == 0
            assert split.items.max() == 255
        official = {
            part: torchvision.datasets.MNIST(folder, train=part == "train")
            for part in ("train", "test")
        }
        assert torch.equal(loaded.test.items[:, 0], official["test"].data)
        assert torch.equal(loaded.test.labels, official["test"].targets)

        pairs = list(zip(rows(loaded.train), loaded.train.labels.tolist(), strict=True))
        pairs += zip(rows(loaded.validation), loaded.validation.labels.tolist(), strict=True)
        known = [item.numpy().tobytes() for item in official["train"].data]
        assert sorted(pairs) == sorted(zip(known, official["train"].targets.tolist(), strict=True))

    def test_each_digit_keeps_its_share(self, folder: Path) -> None:
        loaded = load(folder, spec=MnistData(train_items=125))
        assert [len(split.labels) for split in splits(loaded).values()] == [125, 100, 100]
        assert loaded.test.labels.bincount().tolist() == list(TEST_COUNTS)
        validation = loaded.validation.labels.bincount()
        # Of 600 images 100 validate: 66, 60 and 54 are multiples of 6, of the other remainders
        # (55: 1, 61: 1, 58: 4, 62: 2, 59: 5, 65: 5) the three largest are rounded up.
        assert validation.tolist() == [11, 9, 10, 10, 10, 9, 10, 10, 10, 11]
        exact = (torch.tensor(TRAIN_COUNTS) - validation) * 125 / 500
        assert (loaded.train.labels.bincount() - exact).abs().max() < 1

    @pytest.mark.parametrize("items", [100, 333, 500])
    def test_the_requested_number_of_training_items_is_loaded(
        self, folder: Path, items: int
    ) -> None:
        spec = MnistData(train_items=items)
        whole, held = load(folder), pool(folder, spec=spec)
        assert len(held.items) == len(held.labels) == items + 100 + 100
        loaded = held.dataset()
        assert len(loaded.train.labels) == training_items(spec) == items
        assert set(rows(loaded.train)) <= set(rows(whole.train))
        assert same(loaded.validation, whole.validation)
        assert same(loaded.test, whole.test)

    def test_equal_specs_give_equal_splits(self, folder: Path) -> None:
        first = splits(load(folder))
        torch.manual_seed(3)
        np.random.seed(3)
        again = splits(load(folder))
        other = splits(load(folder, spec=MnistData(seed=1)))
        assert [same(first[part], again[part]) for part in PARTS] == [True, True, True]
        assert [same(first[part], other[part]) for part in PARTS] == [False, False, True]

    def test_splits_drawn_anew_share_one_order_of_items(self, folder: Path) -> None:
        specs = [MnistData(train_items=125, seed=seed) for seed in (0, 1)]
        held = [data.load(spec, folder, resplit=True) for spec in specs]
        assert len(held[0].items) == 700  # none is left out, so features are computed once
        assert torch.equal(held[0].items, held[1].items)  # type: ignore[arg-type]
        for spec, one in zip(specs, held, strict=True):
            plain = data.load(spec, folder).dataset()
            assert [same(getattr(one.dataset(), part), getattr(plain, part)) for part in PARTS] == [
                True,
                True,
                True,
            ]
        assert not same(held[0].dataset().train, held[1].dataset().train)


class TestFashion:
    def test_its_files_have_a_separate_folder(self, tmp_path: Path) -> None:
        with mirror(tiny_mnist.archives()) as server:
            files = published(server.url, name="FashionMNIST")
            loaded = pool(tmp_path, files, spec=FashionMnistData()).dataset()
        assert {path.name for path in (tmp_path / "FashionMNIST" / "raw").iterdir()} == set(FILES)
        official = torchvision.datasets.FashionMNIST(tmp_path, train=False)
        assert torch.equal(loaded.test.items[:, 0], official.data)
        assert same(data.load(FashionMnistData(), tmp_path).dataset().train, loaded.train)

    def test_the_official_files_are_those_of_the_kind(self) -> None:
        official = {kind: mnist.published_files(kind) for kind in mnist.TORCHVISION_CLASSES}
        assert [one.name for one in official.values()] == ["MNIST", "FashionMNIST"]
        for one in official.values():
            assert [name.removesuffix(".gz") for name in one.archives] == list(FILES)
            assert one.mirrors
        assert official["mnist"].archives != official["fashion_mnist"].archives


class TestFiles:
    def test_the_settings_name_the_folder(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(folder))
        assert same(data.load(MnistData()).dataset().train, load(folder).train)

    def test_unpacked_files_are_only_read(self, folder: Path) -> None:
        before = there(folder)
        load(folder)
        assert there(folder) == before == UNPACKED
        assert not (folder / ".MNIST.lock").exists()

    def test_archives_are_unpacked_without_a_network(self, folder: Path, tmp_path: Path) -> None:
        packed = tmp_path / "packed"
        tiny_mnist.write_archives(packed)
        archive = tiny_mnist.raw(packed) / f"{FILES[0]}.gz"
        archive.write_bytes(archive.read_bytes()[:4] + b"time" + archive.read_bytes()[8:])
        assert same(load(packed).train, load(folder).train)
        assert there(packed) == UNPACKED | ARCHIVED

    def test_missing_files_are_downloaded_once(self, folder: Path, tmp_path: Path) -> None:
        empty, reported = tmp_path / "not" / "yet" / "there", RecordedProgress()
        with mirror(tiny_mnist.archives()) as server:
            files = published(unused_url(), server.url)
            loaded = pool(empty, files, progress=reported).dataset()
            assert server.asked == dict.fromkeys(tiny_mnist.archives(), 1)
            (tiny_mnist.raw(empty) / FILES[1]).unlink()
            pool(empty, files)
            assert server.asked == {**dict.fromkeys(tiny_mnist.archives(), 1), f"{FILES[1]}.gz": 2}
        assert there(empty) == UNPACKED
        for name, content in tiny_mnist.archives().items():
            assert reported.of(f"downloading {name}")[-1] == (len(content), len(content), "bytes")
        whole = load(folder)
        assert all(same(getattr(loaded, part), getattr(whole, part)) for part in PARTS)

    def test_leftovers_of_a_killed_process_are_not_used(self, tmp_path: Path) -> None:
        for name in FILES:
            (tiny_mnist.raw(tmp_path) / f"{name}.partial").write_bytes(b"half")
            (tiny_mnist.raw(tmp_path) / f"{name}.gz.partial").write_bytes(b"half")
        with mirror(tiny_mnist.archives()) as server:
            assert len(load(tmp_path, server.url).test.labels) == sum(TEST_COUNTS)
        assert there(tmp_path) == UNPACKED

    @pytest.mark.parametrize("work", ["downloading", "unpacking", "waiting"])
    def test_a_cancel_leaves_no_incomplete_file(self, tmp_path: Path, work: str) -> None:
        with mirror(tiny_mnist.archives()) as server, contextlib.ExitStack() as held:
            if work == "waiting":
                held.enter_context(locked(tmp_path, "MNIST"))
            with pytest.raises(CancelledError):
                pool(tmp_path, published(server.url), progress=RecordedProgress(cancel=work))
            whole = {f"MNIST/raw/{FILES[0]}.gz"} if work == "unpacking" else set()
            assert there(tmp_path) == whole
            held.close()
            assert len(load(tmp_path, server.url).test.labels) == sum(TEST_COUNTS)

    @pytest.mark.slow
    def test_two_processes_share_one_download(self, tmp_path: Path) -> None:
        """The one that comes second says that it waits; only then may the first go on."""
        waits = tmp_path / "waits"
        program = f"""
import json, sys
from pathlib import Path
from contract.comparison.data import MnistData
from worker.data.loaders import mnist
from worker.data.loaders.mnist import PublishedFiles

def progress(what, done, total, unit="items"):
    if what.startswith("waiting"):
        Path({str(waits)!r}).touch()

files = PublishedFiles("MNIST", (sys.argv[1],), dict({tiny_mnist.checksums()!r}))
pool = mnist.load(MnistData(), Path({str(tmp_path)!r}), progress, files)
print(json.dumps([len(pool.labels), int(pool.items.sum())]))
"""
        with mirror(tiny_mnist.archives()) as server:
            server.open.clear()
            children = [
                subprocess.Popen(
                    [sys.executable, "-c", program, server.url],
                    cwd=ROOT,
                    text=True,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
                for _ in range(2)
            ]
            try:
                until(
                    lambda: waits.exists() or any(child.poll() is not None for child in children),
                    "one to wait for the other",
                )
                server.open.set()
                said = [child.communicate(timeout=60) for child in children]
            finally:
                for child in children:
                    child.kill()
                    child.communicate()
        assert [child.returncode for child in children] == [0, 0], said
        assert waits.exists()
        first, second = (json.loads(out) for out, _ in said)
        assert first == second
        assert first[0] == 700
        assert server.asked == dict.fromkeys(tiny_mnist.archives(), 1)
        assert there(tmp_path) == UNPACKED | {"waits"}


class TestFaults:
    def test_without_network_and_files_the_error_says_what_to_do(self, tmp_path: Path) -> None:
        began, url = time.monotonic(), unused_url()
        with pytest.raises(DataError) as caught:
            load(tmp_path, url)
        assert time.monotonic() - began < 5 * PATIENCE
        said = str(caught.value)
        for word in (*FILES, str(tmp_path / "MNIST" / "raw"), url, "refused", ".gz"):
            assert word in said
        assert "LOSSBOARD_DATASETS_DIR" in said
        assert there(tmp_path) == set()

    def test_only_missing_files_are_named(self, folder: Path) -> None:
        (tiny_mnist.raw(folder) / FILES[2]).unlink()
        with pytest.raises(DataError, match=f"for {FILES[2]}, unpacked"):
            load(folder)

    def test_a_run_fails_with_that_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(tmp_path))
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, unused_url())  # cuts the official mirrors off
        spec = small(data={"kind": "mnist"})
        claim = Claim(
            run="r", attempt=1, lease_s=10, comparison="c", arm="triplet", seed=0, spec=spec
        )
        reporter = ListReporter()
        run_attempt(claim, reporter, lambda: False, torch.device("cpu"))
        assert reporter.state == "failed"
        assert reporter.failure
        assert str(tmp_path / "MNIST" / "raw") in reporter.failure.message

    @pytest.mark.parametrize("fault", ["truncated", "absent", "another"])
    def test_a_bad_download_leaves_nothing_and_the_next_mirror_is_tried(
        self, tmp_path: Path, fault: str
    ) -> None:
        first, *others = tiny_mnist.archives().items()
        bad_ones = {"truncated": first[1][:-100], "another": others[0][1]}
        with (
            mirror({first[0]: bad_ones[fault]} if fault in bad_ones else {}) as bad,
            mirror(dict([first])) as good,
            mirror(dict(others)) as rest,
        ):
            with pytest.raises(DataError, match=f"{bad.url}{first[0]}"):
                load(tmp_path, bad.url)
            assert there(tmp_path) == set()
            load(tmp_path, bad.url, good.url, rest.url)
            assert bad.asked[first[0]] == 2
            assert good.asked[first[0]] == 1
            assert first[0] not in rest.asked
        assert there(tmp_path) == UNPACKED

    @pytest.mark.parametrize("damage", [slice(0, -100), slice(0, 12), slice(2, None), slice(0, 0)])
    def test_a_broken_archive_is_named_or_replaced(self, tmp_path: Path, damage: slice) -> None:
        tiny_mnist.write_archives(tmp_path)
        archive = tiny_mnist.raw(tmp_path) / f"{FILES[0]}.gz"
        archive.write_bytes(archive.read_bytes()[damage])
        with pytest.raises(DataError) as caught:
            load(tmp_path)
        assert f"{archive} is damaged" in str(caught.value)
        assert there(tmp_path) == ARCHIVED
        with mirror(tiny_mnist.archives()) as server:
            load(tmp_path, server.url)
            assert set(server.asked) == {archive.name}
        assert there(tmp_path) == UNPACKED | ARCHIVED

    def test_a_bomb_is_stopped(self, tmp_path: Path) -> None:
        archive = tiny_mnist.raw(tmp_path) / f"{FILES[0]}.gz"
        archive.write_bytes(gzip.compress(bytes(mnist.LIMIT + 1)))
        with pytest.raises(DataError, match=f"{archive} is refused"):
            load(tmp_path)
        assert there(tmp_path) == {f"MNIST/raw/{archive.name}"}

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
            load(folder)

    @pytest.mark.parametrize(
        ("name", "values", "seen"),
        [
            (FILES[0], np.zeros((600, 28, 27)), "28 x 28"),
            (FILES[1], np.full(600, 10), "a label 10"),
            (FILES[1], np.arange(599) % 10, "599 labels for 600 images"),
        ],
    )
    def test_files_of_another_format_are_named(
        self, folder: Path, name: str, values: np.ndarray, seen: str
    ) -> None:
        path = tiny_mnist.raw(folder) / name
        path.write_bytes(tiny_mnist.idx(values))
        with pytest.raises(DataError, match=f"{path} is damaged.*{seen}"):
            load(folder)

    def test_a_folder_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(DataError, match=f"{tmp_path}/file/MNIST/raw and cannot be written"):
            load(tmp_path / "file")
