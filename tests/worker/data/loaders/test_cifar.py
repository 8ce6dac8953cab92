"""CIFAR-10 and CIFAR-100 from tiny files in the original format: splits, labels, and missing,
broken and malicious files.

No test reaches the network: mirrors are servers on this machine, or do not exist.
"""

import contextlib
import io
import tarfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from contract.comparison.data import Cifar10Data, Cifar100Data, class_count
from tests.support import tiny_cifar
from tests.support.mirror import mirror, unused_url
from tests.support.recorded_progress import RecordedProgress
from tests.support.tiny_cifar import COARSE, FOLDERS, TEST_PER_CLASS, md5
from tests.support.waiting import PATIENCE
from worker.data import Dataset, Pool, Split
from worker.data.loaders import cifar
from worker.data.loaders.cifar import PublishedFiles
from worker.data.sources.locks import locked
from worker.errors import CancelledError, DataError
from worker.reporting.progress import SILENT, Progress
from worker.torchvision_compat import torchvision

KINDS = ("cifar10", "cifar100")
SPECS: dict[str, Cifar10Data | Cifar100Data] = {
    "cifar10": Cifar10Data(),
    "cifar100": Cifar100Data(),
}


def published(kind: str, *hosts: str) -> PublishedFiles:
    """Return the tiny files as published data."""
    official = cifar.published_files(kind)
    sums = {name: md5(content) for name, content in tiny_cifar.files(kind).items()}
    return replace(
        official,
        urls=tuple(f"{host}{official.archive}" for host in hosts or (unused_url(),)),
        md5=md5(tiny_cifar.published(kind)),
        train={name: sums[name] for name in official.train},
        test={name: sums[name] for name in official.test},
    )


def load(
    folder: Path,
    kind: str = "cifar10",
    *hosts: str,
    spec: Cifar10Data | Cifar100Data | None = None,
    progress: Progress = SILENT,
) -> Pool:
    return cifar.load(spec or SPECS[kind], folder, progress, published(kind, *hosts))


def write(folder: Path, kind: str) -> Path:
    """Put the unpacked files there."""
    own = folder / FOLDERS[kind]
    own.mkdir()
    for name, content in tiny_cifar.files(kind).items():
        (own / name).write_bytes(content)
    return own


def archive_of(kind: str) -> dict[str, bytes]:
    """Name of the published archive -> content."""
    return {cifar.published_files(kind).archive: tiny_cifar.published(kind)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the unpacked files of both."""
    for kind in KINDS:
        write(tmp_path, kind)
    return tmp_path


def there(folder: Path) -> set[str]:
    """Return the files below the folder of the data sets, except the locks."""
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()}
    return found - {".CIFAR10.lock", ".CIFAR100.lock"}


def unpacked(kind: str) -> set[str]:
    return {f"{FOLDERS[kind]}/{name}" for name in tiny_cifar.files(kind)}


def rows(split: Split) -> list[bytes]:
    return [item.numpy().tobytes() for item in split.items]


def same(a: Dataset, b: Dataset) -> bool:
    return all(
        torch.equal(getattr(a, part).items, getattr(b, part).items)
        and torch.equal(getattr(a, part).labels, getattr(b, part).labels)
        for part in ("train", "validation", "test")
    )


class TestSplits:
    @pytest.mark.parametrize("kind", KINDS)
    def test_items_equal_those_of_torchvision(
        self, folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its own reader unpickles the same tiny files, once it is given their checksums."""
        reader, files = cifar.TORCHVISION_CLASSES[kind], published(kind)
        for name, value in (
            ("train_list", list(files.train.items())),
            ("test_list", list(files.test.items())),
            ("_load_meta", lambda self: None),
        ):
            monkeypatch.setattr(reader, name, value)
        training, test = reader(folder, train=True), reader(folder, train=False)
        spec = {**SPECS, "cifar100": Cifar100Data(train_labels="fine")}[kind]
        loaded = load(folder, kind, spec=spec).dataset()
        assert loaded.item_shape == (3, 32, 32)
        assert loaded.classes == class_count(spec)
        assert torch.equal(loaded.test.items, torch.from_numpy(test.data).permute(0, 3, 1, 2))
        assert loaded.test.labels.tolist() == test.targets
        learnt = (loaded.train, loaded.validation)
        pairs = [
            pair
            for split in learnt
            for pair in zip(rows(split), split.labels.tolist(), strict=True)
        ]
        known = [image.transpose(2, 0, 1).tobytes() for image in training.data]
        assert sorted(pairs) == sorted(zip(known, training.targets, strict=True))

    @pytest.mark.parametrize("kind", KINDS)
    def test_each_class_keeps_its_share(self, folder: Path, kind: str) -> None:
        classes = 10 if kind == "cifar10" else 100
        spec = replace_items(SPECS[kind], classes * 10)
        held = load(folder, kind, spec=spec)
        assert isinstance(held.items, torch.Tensor)
        assert held.items.dtype == torch.uint8
        assert len(held.items) == len(held.labels) == classes * (10 + 3 + TEST_PER_CLASS)
        loaded = held.dataset()
        for split, each in ((loaded.train, 10), (loaded.validation, 3), (loaded.test, 2)):
            labels = split.labels if split.fine is None else split.fine
            assert labels.bincount().tolist() == [each] * classes
        assert same(load(folder, kind, spec=spec).dataset(), loaded)

    def test_the_seed_alone_decides_the_validation_split(self, folder: Path) -> None:
        first = load(folder).dataset()
        fewer = load(folder, spec=Cifar10Data(train_items=100)).dataset()
        assert rows(fewer.validation) == rows(first.validation)
        assert set(rows(fewer.train)) <= set(rows(first.train))
        other = load(folder, spec=Cifar10Data(seed=1)).dataset()
        assert rows(other.validation) != rows(first.validation)
        assert rows(other.test) == rows(first.test)


class TestLabels:
    def test_coarse_labels_train_and_fine_labels_are_kept(self, folder: Path) -> None:
        loaded = load(folder, "cifar100").dataset()
        assert loaded.classes == 20
        for split in (loaded.train, loaded.validation, loaded.test):
            assert split.fine is not None
            assert split.fine.dtype == split.labels.dtype == torch.int64
            assert split.labels.tolist() == COARSE[split.fine.numpy()].tolist()

    def test_fine_labels_train_on_the_same_items(self, folder: Path) -> None:
        coarse = load(folder, "cifar100")
        fine = load(folder, "cifar100", spec=Cifar100Data(train_labels="fine"))
        assert fine.fine is None
        assert coarse.fine is not None
        assert torch.equal(fine.labels, coarse.fine)
        assert isinstance(fine.items, torch.Tensor)
        assert isinstance(coarse.items, torch.Tensor)
        assert torch.equal(fine.items, coarse.items)
        assert load(folder, "cifar10").fine is None


class TestFiles:
    def test_the_official_files_are_those_of_torchvision(self) -> None:
        ten, hundred = (cifar.published_files(kind) for kind in KINDS)
        assert ten.md5 == torchvision.datasets.CIFAR10.tgz_md5
        assert (ten.name, ten.folder, hundred.folder) == ("CIFAR10", *FOLDERS.values())
        assert [len(one.train) for one in (ten, hundred)] == [5, 1]
        assert [len(one.test) for one in (ten, hundred)] == [1, 1]
        assert all(url.startswith("https://") for url in (*ten.urls, *hundred.urls))

    def test_unpacked_files_are_only_read(self, folder: Path) -> None:
        before = there(folder)
        load(folder)
        assert there(folder) == before
        assert not (folder / ".CIFAR10.lock").exists()

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_placed_archive_is_unpacked_without_a_network(
        self, tmp_path: Path, kind: str
    ) -> None:
        """It may be packed anew: the files in it have checksums of their own."""
        archive = tmp_path / cifar.published_files(kind).archive
        members = {f"{FOLDERS[kind]}/{n}": c for n, c in reversed(tiny_cifar.files(kind).items())}
        archive.write_bytes(tiny_cifar.archive(members))
        assert archive.read_bytes() != tiny_cifar.published(kind)
        load(tmp_path, kind)
        assert there(tmp_path) == unpacked(kind) | {archive.name}

    @pytest.mark.parametrize("kind", KINDS)
    def test_missing_files_are_downloaded_once(
        self, tmp_path: Path, folder: Path, kind: str
    ) -> None:
        empty, reported = tmp_path / "not" / "yet", RecordedProgress()
        [(name, content)] = archive_of(kind).items()
        with mirror({}) as bad, mirror({name: content}) as good:
            loaded = load(empty, kind, bad.url, good.url, progress=reported)
            load(empty, kind, bad.url, good.url)
            assert bad.asked == good.asked == {name: 1}
        assert there(empty) == unpacked(kind)
        assert {path.name for path in empty.iterdir() if path.is_dir()} == {FOLDERS[kind]}
        assert reported.of(f"downloading {name}")[-1] == (len(content), len(content), "bytes")
        assert reported.of(f"unpacking {name}")
        assert same(loaded.dataset(), load(folder, kind).dataset())

    def test_existing_files_are_kept(self, tmp_path: Path) -> None:
        own = write(tmp_path, "cifar10")
        (own / "data_batch_3").unlink()
        kept = (own / "data_batch_1").stat().st_ino
        with mirror(archive_of("cifar10")) as server:
            load(tmp_path, "cifar10", server.url)
        assert there(tmp_path) == unpacked("cifar10")
        assert (own / "data_batch_1").stat().st_ino == kept

    @pytest.mark.parametrize("work", ["downloading", "unpacking", "waiting"])
    def test_a_cancel_leaves_nothing_incomplete(self, tmp_path: Path, work: str) -> None:
        [name] = archive_of("cifar10")
        with mirror(archive_of("cifar10")) as server, contextlib.ExitStack() as held:
            if work == "waiting":
                held.enter_context(locked(tmp_path, "CIFAR10"))
            with pytest.raises(CancelledError):
                load(tmp_path, "cifar10", server.url, progress=RecordedProgress(cancel=work))
            assert there(tmp_path) == ({name} if work == "unpacking" else set())
            assert not [path for path in tmp_path.iterdir() if path.is_dir()]
            held.close()
            load(tmp_path, "cifar10", server.url)
            assert server.asked[name] == (2 if work == "downloading" else 1)

    def test_leftovers_of_a_killed_process_are_removed(self, tmp_path: Path) -> None:
        for left in (f".{FOLDERS['cifar10']}.unpacked", f".{FOLDERS['cifar10']}.unpacked.partial"):
            (tmp_path / left).mkdir()
            (tmp_path / left / "data_batch_1").write_bytes(b"half")
        with mirror(archive_of("cifar10")) as server:
            load(tmp_path, "cifar10", server.url)
        assert there(tmp_path) == unpacked("cifar10")


class TestFaults:
    def test_without_network_and_files_the_error_says_what_to_do(self, tmp_path: Path) -> None:
        began, host = time.monotonic(), unused_url()
        with pytest.raises(DataError) as caught:
            load(tmp_path, "cifar10", host)
        assert time.monotonic() - began < 5 * PATIENCE
        said = str(caught.value)
        own = tmp_path / FOLDERS["cifar10"]
        for word in (*tiny_cifar.files("cifar10"), "cifar-10-python.tar.gz", str(own), host):
            assert word in said
        assert "refused" in said
        assert "LOSSBOARD_DATASETS_DIR" in said
        assert there(tmp_path) == set()

    @pytest.mark.parametrize("fault", ["truncated", "another"])
    def test_a_bad_download_leaves_nothing(self, tmp_path: Path, fault: str) -> None:
        [(name, content)] = archive_of("cifar10").items()
        bad = content[:-100] if fault == "truncated" else tiny_cifar.published("cifar100")
        with (
            mirror({name: bad}) as server,
            pytest.raises(DataError, match=f"{server.url}{name} .*not {md5(content)}"),
        ):
            load(tmp_path, "cifar10", server.url)
        assert there(tmp_path) == set()

    @pytest.mark.parametrize(
        ("damage", "seen"),
        [
            (lambda whole: whole[: len(whole) // 2], "is damaged"),
            (lambda whole: b"", "is damaged"),
            (lambda whole: tiny_cifar.published("cifar100"), "holds no cifar-10-batches-py/"),
            (lambda whole: tiny_cifar.archive({"../data_batch_1": b"x"}), "leads out"),
            (lambda whole: linked("/etc/passwd"), "a link"),
        ],
        ids=["truncated", "empty", "another", "escape", "link"],
    )
    def test_a_bad_archive_is_named_or_replaced(
        self, tmp_path: Path, damage: Callable[[bytes], bytes], seen: str
    ) -> None:
        [(name, content)] = archive_of("cifar10").items()
        (tmp_path / name).write_bytes(damage(content))
        with pytest.raises(DataError, match=f"{tmp_path / name}.* {seen}"):
            load(tmp_path)
        assert there(tmp_path) == {name}
        assert not [path for path in tmp_path.iterdir() if path.is_dir()]
        with mirror({name: content}) as server:
            load(tmp_path, "cifar10", server.url)
        assert there(tmp_path) == unpacked("cifar10") | {name}
        assert (tmp_path / name).read_bytes() == content

    @pytest.mark.parametrize("name", ["data_batch_2", "test_batch"])
    def test_a_changed_file_is_named(self, folder: Path, name: str) -> None:
        path = folder / FOLDERS["cifar10"] / name
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        with pytest.raises(DataError, match=f"{path} is damaged: it holds .* md5 .* Delete it"):
            load(folder)

    @pytest.mark.parametrize(
        ("change", "seen"),
        [
            ({"data": np.zeros((30, 3071), dtype=np.uint8)}, r"images \(30, 3071\) instead"),
            ({"data": np.zeros(3072, dtype=np.uint8)}, r"images \(3072,\) instead"),
            ({"data": "text"}, "images bytes instead"),
            ({"labels": [0] * 29}, "29 labels for 30 images"),
            ({"labels": [10] * 30}, "labels that are not 0 to 9"),
            ({"labels": [-1] * 30}, "labels that are not 0 to 9"),
            ({"labels": ["0"] * 30}, "no list of numbers as labels"),
            ({"labels": 3}, "no list of numbers as labels"),
        ],
    )
    def test_files_of_another_format_are_named(
        self, folder: Path, change: dict[str, Any], seen: str
    ) -> None:
        held = {**tiny_cifar.batches("cifar10")["data_batch_1"], **change}
        with pytest.raises(DataError, match=f"data_batch_1 is damaged: it holds {seen}"):
            self._load_with(folder, tiny_cifar.pickle_like_python_2(held))

    def test_a_malicious_pickle_runs_nothing(self, folder: Path) -> None:
        """Not even one whose checksum somebody vouches for."""
        ran = folder / "ran"
        evil = f"cos\nsystem\n(S'touch {ran}'\ntR.".encode()
        with pytest.raises(DataError, match=r"data_batch_1 is damaged: .* asks for os\.system"):
            self._load_with(folder, evil)
        assert not ran.exists()

    def test_a_folder_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(DataError, match="cifar-10-batches-py and cannot be written there"):
            load(tmp_path / "file")

    def _load_with(self, folder: Path, content: bytes) -> None:
        """Load with another first file, which has the checksum that it should."""
        (folder / FOLDERS["cifar10"] / "data_batch_1").write_bytes(content)
        files = published("cifar10")
        known = {**files.train, "data_batch_1": md5(content)}
        cifar.load(Cifar10Data(), folder, SILENT, replace(files, train=known))


def replace_items(spec: Cifar10Data | Cifar100Data, items: int) -> Cifar10Data | Cifar100Data:
    return spec.model_copy(update={"train_items": items})


def linked(target: str) -> bytes:
    """Return an archive with a link in place of the first file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        member = tarfile.TarInfo(f"{FOLDERS['cifar10']}/data_batch_1")
        member.type, member.linkname = tarfile.SYMTYPE, target
        tar.addfile(member)
    return out.getvalue()
