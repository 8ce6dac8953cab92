"""Features of a frozen backbone are computed once for the same content, also by several processes
at once and after faults."""

import hashlib
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.support.tiny_sets import image, write
from worker import features
from worker.data import ImageFiles
from worker.encoders.networks import Backbone, Preparation
from worker.errors import CancelledError, DataError, SettingsError
from worker.features import cache
from worker.features.extract import items_digest
from worker.reporting.progress import SILENT, Progress
from worker.settings import cache_bytes, cache_folder

CPU = torch.device("cpu")
IMAGES = torch.randint(0, 256, (10, 3, 8, 8), dtype=torch.uint8)
WAIT_S = 20


class CountingNetwork(nn.Module):
    """Returns the means of the four quarters times a weight; counts the batches."""

    def __init__(self, weight: float = 2.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.batches: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        assert torch.is_inference_mode_enabled()
        self.batches.append(len(images))
        return nn.functional.adaptive_avg_pool2d(images, 2).flatten(1) * self.weight


def backbone(weight: float = 2.0, resize: int = 18) -> tuple[Backbone, CountingNetwork]:
    network = CountingNetwork(weight)
    return Backbone(network, 12, Preparation(resize=resize, crop=16)).eval(), network


def extracted(
    items: Tensor | ImageFiles, own: Backbone, folder: Path, progress: Progress = SILENT
) -> Tensor:
    return features.extract_features(items, own, CPU, cache=folder, progress=progress, batch=4)


def arrays(folder: Path) -> list[Path]:
    return sorted((folder / "features").glob("*.npy"))


def leftovers(folder: Path) -> list[Path]:
    return list((folder / "features").glob("*.partial"))


def image_files(folder: Path, count: int = 6) -> ImageFiles:
    write(folder, {f"{i}.jpg": image(i) for i in range(count)})
    return ImageFiles(tuple(folder / f"{i}.jpg" for i in range(count)))


def test_features_are_the_backbones_and_are_computed_once(tmp_path: Path) -> None:
    own, network = backbone()
    reports: list[tuple[str, float, float | None, str]] = []

    def progress(what: str, done: float, total: float | None, unit: str = "items") -> None:
        reports.append((what, done, total, unit))

    first = extracted(IMAGES, own, tmp_path, progress)
    with torch.inference_mode():
        torch.testing.assert_close(first, own(IMAGES))
    assert first.dtype == torch.float32
    network.batches.clear()
    assert torch.equal(extracted(IMAGES, own, tmp_path), first)
    assert not network.batches
    assert [done for what, done, _, _ in reports if what == "computing features"] == [0, 4, 8, 10]
    assert reports[-1:] == [("computing features", 10, 10, "images")]
    assert leftovers(tmp_path) == []
    first += 1  # the caller's own copy
    assert not torch.equal(extracted(IMAGES, own, tmp_path), first)


def test_files_give_the_features_of_their_pixels(tmp_path: Path) -> None:
    files, (own, _) = image_files(tmp_path / "images"), backbone()
    pixels = features.decode_images(files, resize=18, crop=16, progress=SILENT)
    found = extracted(files, own, tmp_path)
    assert torch.equal(found, extracted(pixels, own, tmp_path))


def test_content_decides_and_names_and_times_do_not(tmp_path: Path) -> None:
    files = image_files(tmp_path / "a")
    digest = items_digest(files, SILENT)
    moved = image_files(tmp_path / "b")
    os.utime(moved.paths[0], (1, 1))
    assert items_digest(moved, SILENT) == digest
    assert items_digest(ImageFiles(files.paths[::-1]), SILENT) != digest
    assert items_digest(ImageFiles(files.paths[:-1]), SILENT) != digest
    files.paths[3].write_bytes(image(99))
    assert items_digest(files, SILENT) != digest
    many = ImageFiles(files.paths * 40)  # more than a thread reads at a time
    everything = b"".join(hashlib.sha256(p.read_bytes()).digest() for p in many.paths)
    assert items_digest(many, SILENT) == hashlib.sha256(b"files 240" + everything).hexdigest()


def test_type_shape_and_order_of_a_tensor_decide() -> None:
    zeros = torch.zeros(2, 8, dtype=torch.uint8)
    kinds = [
        zeros,
        zeros.view(4, 4),
        zeros.view(torch.int8),
        torch.arange(16, dtype=torch.uint8).view(2, 8),
        torch.arange(16, dtype=torch.uint8).view(2, 8).flip(0),
    ]
    assert len({items_digest(one, SILENT) for one in kinds}) == len(kinds)
    transposed = torch.arange(6.0).view(2, 3).T
    assert items_digest(transposed, SILENT) == items_digest(transposed.contiguous(), SILENT)


def test_weights_preparation_and_items_each_have_their_own_features(tmp_path: Path) -> None:
    for own, items in (
        (backbone()[0], IMAGES),
        (backbone(3.0)[0], IMAGES),
        (backbone(resize=20)[0], IMAGES),
        (backbone()[0], IMAGES.flip(0)),
        (backbone()[0], IMAGES),
    ):
        extracted(items, own, tmp_path)
    assert len(arrays(tmp_path)) == 4


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 5)


def _lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _no_array(path: Path) -> None:
    path.write_bytes(b"something else" * 100)


def _other_shape(path: Path) -> None:
    np.save(path, np.zeros((3, 12), np.float32))


def _pickle(path: Path) -> None:
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)


@pytest.mark.parametrize("damage", [_truncate, _lengthen, _empty, _no_array, _other_shape, _pickle])
def test_a_damaged_file_is_computed_again(
    tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    own, _ = backbone()
    first = extracted(IMAGES, own, tmp_path)
    [path] = arrays(tmp_path)
    damage(path)
    with caplog.at_level(logging.WARNING):
        assert torch.equal(extracted(IMAGES, own, tmp_path), first)
    assert f"{path} is damaged" in caplog.text
    assert np.array_equal(np.load(path), first.numpy())


def test_features_that_are_not_finite_are_refused_and_not_kept(tmp_path: Path) -> None:
    files = image_files(tmp_path / "images")
    with pytest.raises(DataError, match=r"features of item 0 are not finite"):
        extracted(IMAGES, backbone(float("nan"))[0], tmp_path)
    with pytest.raises(DataError, match=r"images/0\.jpg are not finite"):
        extracted(files, backbone(float("inf"))[0], tmp_path)
    assert arrays(tmp_path) == leftovers(tmp_path) == []


def test_a_cancel_or_a_broken_image_leaves_nothing(tmp_path: Path) -> None:
    files, (own, _) = image_files(tmp_path / "images", 12), backbone()

    def cancelled(what: str, done: float, total: float | None, unit: str = "items") -> None:
        if what == "computing features" and done:
            raise CancelledError(what)

    with pytest.raises(CancelledError):
        extracted(files, own, tmp_path, cancelled)
    files.paths[9].write_bytes(b"no image")
    with pytest.raises(DataError, match=r"9\.jpg cannot be read"):
        extracted(files, own, tmp_path)
    assert arrays(tmp_path) == leftovers(tmp_path) == []
    assert not [one for one in threading.enumerate() if one.name.startswith("decode")]
    files.paths[9].unlink()
    with pytest.raises(DataError, match=r"9\.jpg cannot be read"):
        extracted(files, own, tmp_path)


def rows_of(values: np.ndarray) -> cache.Rows:
    def rows() -> Generator[np.ndarray, None, None]:
        yield from np.array_split(values, 3)

    return rows


def get(folder: Path, key: str, rows: cache.Rows, progress: Progress = SILENT) -> np.ndarray:
    return cache.cached_array(folder, key, (6, 2), rows, limit_bytes=1000, progress=progress)


VALUES = np.arange(12, dtype=np.float32).reshape(6, 2)


def test_one_process_computes_and_the_others_wait(tmp_path: Path) -> None:
    begun, go_on, waiting = threading.Event(), threading.Event(), threading.Event()
    computed: list[str] = []

    def slow() -> Generator[np.ndarray, None, None]:
        computed.append("slow")
        begun.set()
        assert go_on.wait(WAIT_S)
        yield VALUES

    def never() -> Generator[np.ndarray, None, None]:
        computed.append("never")
        yield VALUES

    def progress(what: str, done: float, total: float | None, unit: str = "items") -> None:
        assert what == cache.WAITING
        waiting.set()

    def cancelled(what: str, done: float, total: float | None, unit: str = "items") -> None:
        raise CancelledError(what)

    found: dict[str, np.ndarray] = {}
    first = threading.Thread(target=lambda: found.update(one=get(tmp_path, "k", slow)))
    other = threading.Thread(target=lambda: found.update(two=get(tmp_path, "k", never, progress)))
    first.start()
    assert begun.wait(WAIT_S)
    other.start()
    assert waiting.wait(WAIT_S)
    with pytest.raises(CancelledError, match="waiting for another run"):
        get(tmp_path, "k", never, cancelled)
    assert np.array_equal(get(tmp_path, "another", rows_of(VALUES)), VALUES)  # does not wait
    go_on.set()
    for thread in (first, other):
        thread.join(WAIT_S)
    assert np.array_equal(found["one"], VALUES)
    assert np.array_equal(found["two"], VALUES)
    assert computed == ["slow"]


KILLED = """
import sys
from pathlib import Path
import numpy as np
from worker.features import cache
from worker.reporting.progress import SILENT

def rows():
    yield np.ones((3, 2), np.float32)
    print("begun", flush=True)
    sys.stdin.read()

cache.cached_array(Path(sys.argv[1]), "k", (6, 2), rows, limit_bytes=0, progress=SILENT)
"""


def test_the_partial_file_of_a_killed_process_is_overwritten(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"begun\n"
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    assert (tmp_path / "k.partial").exists()
    assert np.array_equal(get(tmp_path, "k", rows_of(VALUES)), VALUES)
    assert not (tmp_path / "k.partial").exists()


def test_old_partial_files_are_removed(tmp_path: Path) -> None:
    old, new = tmp_path / "old.partial", tmp_path / "new.partial"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    get(tmp_path, "k", rows_of(VALUES))
    assert not old.exists()
    assert new.exists()


def test_the_least_recently_used_are_removed_when_the_cache_is_full(tmp_path: Path) -> None:
    size = 128 + VALUES.nbytes
    for at, key in enumerate(("a", "b", "c")):
        cache.cached_array(
            tmp_path, key, (6, 2), rows_of(VALUES), limit_bytes=10 * size, progress=SILENT
        )
        os.utime(tmp_path / f"{key}.npy", (at, at))
    get(tmp_path, "a", rows_of(VALUES))  # used now
    cache.cached_array(
        tmp_path, "d", (6, 2), rows_of(VALUES), limit_bytes=2 * size, progress=SILENT
    )
    assert {path.stem for path in tmp_path.glob("*.npy")} == {"a", "c", "d"}
    cache.cached_array(tmp_path, "e", (6, 2), rows_of(VALUES), limit_bytes=0, progress=SILENT)
    assert {path.stem for path in tmp_path.glob("*.npy")} == {"e"}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    own, _ = backbone()
    with pytest.raises(DataError, match=r"kept in .*/file/features: .*LOSSBOARD_CACHE_DIR"):
        extracted(IMAGES, own, tmp_path / "file")


def test_a_wrong_number_of_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read right after"):
        get(tmp_path, "k", rows_of(VALUES[:4]))
    assert list(tmp_path.glob("*.npy")) == []


def test_where_the_cache_lies_and_how_large_it_grows() -> None:
    assert cache_folder({"LOSSBOARD_CACHE_DIR": "/kept"}) == Path("/kept")
    assert cache_folder({"LOSSBOARD_DATASETS_DIR": "/data/datasets"}) == Path("/data/cache")
    assert cache_bytes({}) == 20_000_000_000
    assert cache_bytes({"LOSSBOARD_CACHE_GB": "0.5"}) == 500_000_000
    for wrong in ("much", "-1", "nan", "inf"):
        with pytest.raises(SettingsError, match=f"LOSSBOARD_CACHE_GB is '{wrong}'"):
            cache_bytes({"LOSSBOARD_CACHE_GB": wrong})
