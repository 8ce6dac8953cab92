"""Fine-grained sets: read as they are published, split by class, and plain about what is wrong."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from contract.data import Cars196Data, Cub200Data, SopData, TinyImagenetData
from tests.support import tiny_fine_grained as tiny
from tests.support.file_server import serving
from worker import data
from worker.data import ImageFiles, Pool, cub200, sop, tiny_imagenet
from worker.errors import CancelledError, DataError
from worker.progress import SILENT

Files = Callable[[], dict[str, str | bytes]]

SETS: dict[str, tuple[Any, Files]] = {
    "cub200": (Cub200Data, tiny.cub200),
    "sop": (SopData, tiny.sop),
    "tiny_imagenet": (TinyImagenetData, tiny.tiny_imagenet),
    "cars196": (Cars196Data, tiny.cars196),
    "cars196 devkit": (Cars196Data, tiny.cars196_devkit),
}
ARCHIVED: dict[str, tuple[Any, Files, ModuleType]] = {
    "cub200": (Cub200Data, tiny.cub200, cub200),
    "sop": (SopData, tiny.sop, sop),
    "tiny_imagenet": (TinyImagenetData, tiny.tiny_imagenet, tiny_imagenet),
}


def contents(pool: Pool) -> list[bytes]:
    assert isinstance(pool.items, ImageFiles)
    return [path.read_bytes() for path in pool.items.paths]


@pytest.mark.parametrize("name", SETS)
def test_every_image_with_its_class(name: str, tmp_path: Path) -> None:
    section, files = SETS[name]
    tiny.write(tmp_path, files())
    pool = data.load(section(validation="items"), tmp_path)
    known = {tiny.jpeg(at): at // tiny.EACH for at in range(tiny.CLASSES * tiny.EACH)}
    assert [known[content] for content in contents(pool)] == pool.labels.tolist()
    assert len(set(contents(pool))) == len(known)


@pytest.mark.parametrize("name", SETS)
def test_the_first_half_of_the_classes_trains_unless_items_are_asked_for(
    name: str, tmp_path: Path
) -> None:
    section, files = SETS[name]
    tiny.write(tmp_path, files())
    first = 5 if name == "sop" else 4
    pool = data.load(section(validation="items"), tmp_path)
    assert pool.class_disjoint
    for index, classes in (
        (pool.indices.train, range(first)),
        (pool.indices.validation, range(first)),
        (pool.indices.test, range(first, tiny.CLASSES)),
    ):
        assert set(pool.labels[index].tolist()) == set(classes)
    if first == 5:
        held = data.load(section(), tmp_path).indices.validation
        assert len(set(pool.labels[held].tolist())) == 1
    by_item = SETS[name][0](split="item")
    tiny_split = data.load(by_item, tmp_path)
    assert not tiny_split.class_disjoint
    assert set(tiny_split.labels[tiny_split.indices.train].tolist()) == set(range(tiny.CLASSES))


@pytest.mark.parametrize("name", ARCHIVED)
class TestArchives:
    def made(self, name: str, tmp_path: Path, into: Path) -> Path:
        _, files, module = ARCHIVED[name]
        tiny.write(tmp_path / "scratch", files())
        return tiny.packed(tmp_path / "scratch", into / module.SOURCE.archive)

    def test_placed_beside_are_unpacked_once_and_stay(self, name: str, tmp_path: Path) -> None:
        section, _, module = ARCHIVED[name]
        folder = tmp_path / "datasets"
        archive = self.made(name, tmp_path, folder)
        for _ in range(2):
            pool = data.load(section(validation="items"), folder)
            assert len(pool.labels) == tiny.CLASSES * tiny.EACH
        seen = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
        assert seen == {archive.name, module.SOURCE.folder}

    def test_are_downloaded_when_first_needed(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        section, _, module = ARCHIVED[name]
        served, folder = tmp_path / "served", tmp_path / "datasets"
        archive = self.made(name, tmp_path, served)
        told: list[str] = []
        with serving(served) as server:
            url = f"{server.url}/{archive.name}"
            monkeypatch.setattr(module, "SOURCE", replace(module.SOURCE, urls=(url,), md5=None))
            spec = section(validation="items")
            pool = data.load(spec, folder, lambda what, *_: told.append(what))
            assert len(pool.labels) == tiny.CLASSES * tiny.EACH
        assert f"downloading {archive.name}" in told
        assert f"unpacking {archive.name}" in told
        assert not (folder / archive.name).exists(), "what was downloaded is unpacked and goes"

    def test_absent_and_offline_names_folder_and_file(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        section, _, module = ARCHIVED[name]
        gone = replace(module.SOURCE, urls=("http://127.0.0.1:9/gone",))
        monkeypatch.setattr(module, "SOURCE", gone)
        with pytest.raises(DataError) as caught:
            data.load(section(), tmp_path)
        assert f"{gone.archive} is not in {tmp_path}" in str(caught.value)
        assert str(tmp_path / gone.folder) in str(caught.value)

    def test_truncated_leave_nothing_behind(self, name: str, tmp_path: Path) -> None:
        section, _, module = ARCHIVED[name]
        archive = self.made(name, tmp_path, tmp_path / "datasets")
        archive.write_bytes(archive.read_bytes()[:-2000])
        with pytest.raises(DataError, match=archive.name):
            data.load(section(), tmp_path / "datasets")
        left = [p.name for p in (tmp_path / "datasets").iterdir() if not p.name.startswith(".")]
        assert left == [archive.name]

    def test_a_cancel_leaves_nothing_behind(self, name: str, tmp_path: Path) -> None:
        section, _, module = ARCHIVED[name]
        archive = self.made(name, tmp_path, tmp_path / "datasets")

        def cancelled(*_: object) -> None:
            raise CancelledError("now")

        with pytest.raises(CancelledError):
            data.load(section(), tmp_path / "datasets", cancelled)
        left = [p.name for p in (tmp_path / "datasets").iterdir() if not p.name.startswith(".")]
        assert left == [archive.name]

    def test_another_archive_is_told(self, name: str, tmp_path: Path) -> None:
        section, _, module = ARCHIVED[name]
        tiny.write(tmp_path / "other", {"readme.txt": "hello"})
        tiny.packed(tmp_path / "other", tmp_path / "datasets" / module.SOURCE.archive)
        with pytest.raises(DataError, match=r"it is not the archive of"):
            data.load(section(), tmp_path / "datasets")


def changed(files: dict[str, str | bytes], name: str, old: str, new: str) -> None:
    content = files[name]
    assert isinstance(content, str)
    assert old in content
    files[name] = content.replace(old, new)


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "message"),
    [
        ("cub200", "CUB_200_2011/image_class_labels.txt", "5 1\n", "", r"different images: \[5\]"),
        ("cub200", "CUB_200_2011/image_class_labels.txt", "5 1\n", "5\n", "line 5: 2 columns"),
        ("cub200", "CUB_200_2011/image_class_labels.txt", "5 1\n", "5 x\n", "'x' is no whole"),
        ("cub200", "CUB_200_2011/image_class_labels.txt", "5 1\n", "5 0\n", "'0' is no whole"),
        ("cub200", "CUB_200_2011/images.txt", "Bird_0004", "Bird_9999", "that are not there"),
        ("sop", "Stanford_Online_Products/Ebay_test.txt", "51 6 1", "51 2 1", "must come before"),
        ("sop", "Stanford_Online_Products/Ebay_train.txt", " 1 chair_final/1_0.JPG", "", "line 2"),
        ("tiny_imagenet", "tiny-imagenet-200/wnids.txt", "n00000090\n", "", "wnids.txt does not"),
        ("tiny_imagenet", "tiny-imagenet-200/val/val_annotations.txt", "val_3", "v", "not there"),
    ],
)
def test_lists_that_do_not_fit_are_told_with_their_line(
    name: str, file: str, old: str, new: str, message: str, tmp_path: Path
) -> None:
    section, made = SETS[name]
    files = made()
    changed(files, file, old, new)
    tiny.write(tmp_path, files)
    with pytest.raises(DataError, match=message):
        data.load(section(), tmp_path)


class TestCars:
    def load(self, folder: Path) -> Pool:
        return data.load(Cars196Data(validation="items"), folder)

    def test_nothing_there_names_both_layouts(self, tmp_path: Path) -> None:
        with pytest.raises(DataError) as caught:
            self.load(tmp_path)
        for place in ("cars196/cars_annos.mat", "cars196/car_ims.tgz", "stanford_cars"):
            assert str(tmp_path / place) in str(caught.value)

    def test_a_placed_archive_is_unpacked(self, tmp_path: Path) -> None:
        files = tiny.cars196()
        images = {name.removeprefix("cars196/"): files.pop(name) for name in [*files][:-1]}
        tiny.write(tmp_path / "scratch", images)
        tiny.write(tmp_path / "datasets", files)
        tiny.packed(tmp_path / "scratch", tmp_path / "datasets" / "cars196" / "car_ims.tgz")
        for _ in range(2):
            assert len(self.load(tmp_path / "datasets").labels) == tiny.CLASSES * tiny.EACH

    def test_without_its_images(self, tmp_path: Path) -> None:
        files = tiny.cars196()
        tiny.write(tmp_path, {"cars196/cars_annos.mat": files["cars196/cars_annos.mat"]})
        with pytest.raises(DataError, match=r"car_ims\.tgz is not there"):
            self.load(tmp_path)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"rubbish", "cannot be read as the official annotations"),
            (b"", "cannot be read as the official annotations"),
            (tiny.mat([{"relative_im_path": "a", "test": 1}] * 2), "no field class"),
            (tiny.mat([{"relative_im_path": "a", "class": "x"}] * 2), "no whole number"),
        ],
    )
    def test_other_annotations_are_told(self, content: bytes, message: str, tmp_path: Path) -> None:
        tiny.write(tmp_path, {"cars196/cars_annos.mat": content, "cars196/car_ims/a": b""})
        (tmp_path / "cars196" / "a").write_bytes(b"")
        with pytest.raises(DataError, match=message):
            self.load(tmp_path)


def test_lists_of_nothing_are_told(tmp_path: Path) -> None:
    tiny.write(tmp_path, {"CUB_200_2011/images.txt": ""})
    with pytest.raises(DataError, match="lists nothing"):
        cub200.load(Cub200Data(), tmp_path, SILENT)
