"""Fine-grained sets: read as published, split by class, with clear errors for wrong files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from contract.comparison.data import Cars196Data, Cub200Data, SopData, TinyImagenetData
from tests.support import tiny_fine_grained as tiny
from tests.support.file_server import serving
from tests.support.recorded_progress import RecordedProgress
from worker import data
from worker.data import ImageFiles, Pool
from worker.data.loaders import cub200, sop, tiny_imagenet
from worker.errors import CancelledError, DataError
from worker.reporting.progress import SILENT

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


def seen(folder: Path) -> set[str]:
    """Return everything in a folder except locks, which are never removed."""
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


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
def test_the_first_half_of_the_classes_trains_unless_split_by_item(
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
    held = data.load(section(), tmp_path).indices.validation
    assert len(set(pool.labels[held].tolist())) == 2
    by_item = data.load(section(split="item"), tmp_path)
    assert not by_item.class_disjoint
    for index in (by_item.indices.train, by_item.indices.validation, by_item.indices.test):
        assert set(by_item.labels[index].tolist()) == set(range(tiny.CLASSES))


@pytest.mark.parametrize("name", ARCHIVED)
class TestArchives:
    def made(self, name: str, tmp_path: Path, into: Path) -> Path:
        _, files, module = ARCHIVED[name]
        tiny.write(tmp_path / "scratch", files())
        return tiny.pack(tmp_path / "scratch", into / module.SOURCE.archive)

    def test_existing_archives_are_unpacked_once_and_kept(self, name: str, tmp_path: Path) -> None:
        section, _, module = ARCHIVED[name]
        folder = tmp_path / "datasets"
        archive = self.made(name, tmp_path, folder)
        for _ in range(2):
            pool = data.load(section(validation="items"), folder)
            assert len(pool.labels) == tiny.CLASSES * tiny.EACH
        assert seen(folder) == {archive.name, module.SOURCE.folder}

    def test_archives_are_downloaded_at_first_use(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        section, _, module = ARCHIVED[name]
        served, folder = tmp_path / "served", tmp_path / "datasets"
        archive = self.made(name, tmp_path, served)
        reported: list[str] = []
        with serving(served) as server:
            url = f"{server.url}/{archive.name}"
            monkeypatch.setattr(module, "SOURCE", replace(module.SOURCE, urls=(url,), md5=None))
            spec = section(validation="items")
            pool = data.load(spec, folder, lambda what, *_: reported.append(what))
            assert len(pool.labels) == tiny.CLASSES * tiny.EACH
        assert f"downloading {archive.name}" in reported
        assert f"unpacking {archive.name}" in reported
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

    def test_truncated_archives_leave_nothing_behind(self, name: str, tmp_path: Path) -> None:
        section = ARCHIVED[name][0]
        archive = self.made(name, tmp_path, tmp_path / "datasets")
        archive.write_bytes(archive.read_bytes()[:-2000])
        with pytest.raises(DataError, match=archive.name):
            data.load(section(), tmp_path / "datasets")
        assert seen(tmp_path / "datasets") == {archive.name}

    def test_a_cancel_leaves_nothing_behind(self, name: str, tmp_path: Path) -> None:
        section = ARCHIVED[name][0]
        archive = self.made(name, tmp_path, tmp_path / "datasets")

        with pytest.raises(CancelledError):
            data.load(section(), tmp_path / "datasets", RecordedProgress(cancel="unpacking"))
        assert seen(tmp_path / "datasets") == {archive.name}

    def test_another_archive_is_refused(self, name: str, tmp_path: Path) -> None:
        section, _, module = ARCHIVED[name]
        tiny.write(tmp_path / "other", {"readme.txt": "hello"})
        tiny.pack(tmp_path / "other", tmp_path / "datasets" / module.SOURCE.archive)
        with pytest.raises(DataError, match="is not the official archive"):
            data.load(section(), tmp_path / "datasets")

    def test_an_incomplete_folder_is_kept(self, name: str, tmp_path: Path) -> None:
        section, _, module = ARCHIVED[name]
        self.made(name, tmp_path, tmp_path / "datasets")
        mine = tmp_path / "datasets" / module.SOURCE.folder / "mine.txt"
        tiny.write(mine.parent, {mine.name: "work"})
        with pytest.raises(DataError, match=f"{mine.parent} is there but holds no"):
            data.load(section(), tmp_path / "datasets")
        assert mine.read_text() == "work"

    def test_a_web_page_instead_of_the_archive_is_not_kept(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        section, _, module = ARCHIVED[name]
        tiny.write(tmp_path / "served", {module.SOURCE.archive: "<html>too many downloads</html>"})
        with serving(tmp_path / "served") as server:
            url = f"{server.url}/{module.SOURCE.archive}"
            for md5, message in ((module.SOURCE.md5, "with md5"), (None, "is damaged")):
                source = replace(module.SOURCE, urls=(url,), md5=md5)
                monkeypatch.setattr(module, "SOURCE", source)
                with pytest.raises(DataError, match=message):
                    data.load(section(), tmp_path / "datasets")
                assert seen(tmp_path / "datasets") == set()


def changed(files: dict[str, str | bytes], name: str, old: str, new: str) -> None:
    content = files[name]
    assert isinstance(content, str)
    assert old in content
    files[name] = content.replace(old, new, 1)


CUB = "CUB_200_2011"
SOP = "Stanford_Online_Products"
TINY = "tiny-imagenet-200"
BOXES = f"{TINY}/train/n00000090/n00000090_boxes.txt"


@pytest.mark.parametrize(
    "case",
    [
        ("cub200", "image_class_labels.txt", "\n5 1\n", "\n", "images.txt, line 5: .* no class"),
        ("cub200", "image_class_labels.txt", "\n5 1\n", "\n5\n", "line 5: 2 columns"),
        ("cub200", "image_class_labels.txt", "\n5 1\n", "\n5 x\n", "line 5: 'x' is not a whole"),
        ("cub200", "image_class_labels.txt", "\n5 1\n", "\n5 0\n", "line 5: '0' is not a whole"),
        ("cub200", "image_class_labels.txt", "\n5 1\n", "\n5 9\n", "line 5: .* no class 9 in"),
        ("cub200", "image_class_labels.txt", "\n5 1\n", "\n4 1\n", "line 5: 4 stands in line 4"),
        ("cub200", "image_class_labels.txt", "1 1\n", "99 1\n1 1\n", "line 1: .* no image 99"),
        ("cub200", "images.txt", "Bird_0004", "Bird_9999", r"not there: .*9999.jpg \(line 5\)\."),
        ("cub200", "images.txt", "Bird_0004", "Bird_0003", "line 5: .* stands in line 4 already"),
        ("cub200", "images.txt", "001.Bird_1/Bird_0004", "../../x", "line 5: .* leads out of"),
        ("cub200", "images.txt", "001.Bird_1/Bird_0004", "/etc/x", "line 5: .* leads out of"),
        ("cub200", "images.txt", "5 001.Bird_1", "\u0665 001.Bird_1", "is not a whole number"),
        ("sop", "Ebay_test.txt", "51 6 1", "51 2 1", "line 2: product 2 must come before"),
        ("sop", "Ebay_train.txt", " 1 chair_final/1_0.JPG", "", "line 2: 4 columns"),
        ("sop", "Ebay_test.txt", "chair_final/6_50", "chair_final/9_50", r"9_50.JPG \(line 2\)"),
        ("tiny_imagenet", "wnids.txt", "n00000090\n", "", "line 1: class n00000090 is one that"),
        ("tiny_imagenet", "wnids.txt", "n00000090", "../test", "line 1: '../test' is not a class"),
        ("tiny_imagenet", "wnids.txt", "n00000090", "n00000089", "line 2: .* listed twice"),
        ("tiny_imagenet", "val/val_annotations.txt", "val_3", "v", r"v.JPEG \(line 4\)"),
        ("tiny_imagenet", "val/val_annotations.txt", "val_0.JPEG\t", "", "line 1: 3 columns|class"),
        (
            "tiny_imagenet",
            "val/val_annotations.txt",
            "val_7.JPEG\tn00000083\t0\t32\t44\t62\n",
            "",
            "has no line for val_7.JPEG",
        ),
        (
            "tiny_imagenet",
            BOXES.removeprefix(f"{TINY}/"),
            "n00000090_3.JPEG",
            "n00000090_33.JPEG",
            r"n00000090_33.JPEG \(line 4\)",
        ),
    ],
)
def test_lists_that_do_not_match_are_named_with_their_line(
    case: tuple[str, str, str, str, str], tmp_path: Path
) -> None:
    name, file, old, new, message = case
    section, made = SETS[name]
    folder = {"cub200": CUB, "sop": SOP, "tiny_imagenet": TINY}[name]
    files = made()
    changed(files, f"{folder}/{file}", old, new)
    tiny.write(tmp_path, files)
    with pytest.raises(DataError, match=message) as caught:
        data.load(section(), tmp_path)
    assert str(tmp_path / folder) in str(caught.value)


def test_the_first_missing_images_are_named_and_the_others_counted(tmp_path: Path) -> None:
    tiny.write(tmp_path, tiny.cub200())
    for path in (tmp_path / CUB / "images" / "002.Bird_2").iterdir():
        path.unlink()
    with pytest.raises(DataError) as caught:
        data.load(Cub200Data(), tmp_path)
    said = str(caught.value)
    assert "002.Bird_2/Bird_0010.jpg (line 11), " in said
    assert "Bird_0014.jpg (line 15) and 5 more" in said
    assert "Bird_0015" not in said


def test_without_lists_of_boxes_the_images_that_are_there_train(tmp_path: Path) -> None:
    files = tiny.tiny_imagenet()
    kept = {name: content for name, content in files.items() if not name.endswith("_boxes.txt")}
    tiny.write(tmp_path, kept)
    assert len(data.load(TinyImagenetData(), tmp_path).labels) == tiny.CLASSES * tiny.EACH
    for path in (tmp_path / TINY / "train" / "n00000090" / "images").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"n00000090/images holds no \.JPEG"):
        data.load(TinyImagenetData(), tmp_path)


@pytest.mark.parametrize("file", ["image_class_labels.txt", "classes.txt"])
def test_a_missing_list_is_named(file: str, tmp_path: Path) -> None:
    tiny.write(tmp_path, tiny.cub200())
    (tmp_path / CUB / file).unlink()
    with pytest.raises(DataError, match=f"{tmp_path / CUB / file} cannot be read"):
        data.load(Cub200Data(), tmp_path)


def test_one_class_is_refused(tmp_path: Path) -> None:
    files = tiny.cub200()
    lines = "".join(f"{at + 1} 1\n" for at in range(tiny.CLASSES * tiny.EACH))
    files[f"{CUB}/image_class_labels.txt"] = lines
    tiny.write(tmp_path, files)
    for spec in (Cub200Data(), Cub200Data(split="item")):
        with pytest.raises(DataError, match="class"):
            data.load(spec, tmp_path)


def test_lists_that_are_empty_or_no_text_are_named(tmp_path: Path) -> None:
    tiny.write(tmp_path, {f"{CUB}/images.txt": ""})
    with pytest.raises(DataError, match="lists nothing"):
        cub200.load(Cub200Data(), tmp_path, SILENT)
    tiny.write(tmp_path, {f"{CUB}/images.txt": b"1 \xff\xfe.jpg"})
    with pytest.raises(DataError, match="cannot be read"):
        cub200.load(Cub200Data(), tmp_path, SILENT)


MAT = "cars196/cars_annos.mat"


def annotated(**changes: Any) -> bytes:
    """Return two annotations, the second with other values."""
    whole = {"relative_im_path": "car_ims/a.jpg", "class": 1, "test": 1}
    return tiny.mat([whole, {**whole, **changes}], classes=2)


class TestCars:
    def load(self, folder: Path) -> Pool:
        return data.load(Cars196Data(validation="items"), folder)

    def test_missing_files_name_both_layouts(self, tmp_path: Path) -> None:
        with pytest.raises(DataError) as caught:
            self.load(tmp_path)
        for place in ("cars196/cars_annos.mat", "cars196/car_ims.tgz", "stanford_cars"):
            assert str(tmp_path / place) in str(caught.value)

    def test_a_placed_archive_is_unpacked(self, tmp_path: Path) -> None:
        files = tiny.cars196()
        annotations = files.pop(MAT)
        images = {name.removeprefix("cars196/"): content for name, content in files.items()}
        tiny.write(tmp_path / "scratch", images)
        folder = tmp_path / "datasets"
        tiny.write(folder, {MAT: annotations})
        tiny.pack(tmp_path / "scratch", folder / "cars196" / "car_ims.tgz")
        for _ in range(2):
            assert len(self.load(folder).labels) == tiny.CLASSES * tiny.EACH
        assert seen(folder / "cars196") == {"car_ims", "car_ims.tgz", "cars_annos.mat"}

    def test_placed_archives_of_the_other_layout_are_unpacked(self, tmp_path: Path) -> None:
        files = tiny.cars196_devkit()
        whole = tmp_path / "whole"
        tiny.write(whole, files)
        labels = "stanford_cars/cars_test_annos_withlabels.mat"
        folder = tmp_path / "datasets"
        tiny.write(folder, {labels: files[labels]})
        for part, archive in (
            ("devkit", "car_devkit.tgz"),
            ("cars_train", "cars_train.tgz"),
            ("cars_test", "cars_test.tgz"),
        ):
            with pytest.raises(DataError, match=f"{archive} is not there"):
                self.load(folder)
            scratch = tmp_path / part
            scratch.mkdir()
            (whole / "stanford_cars" / part).rename(scratch / part)
            tiny.pack(scratch, folder / "stanford_cars" / archive)
        for _ in range(2):
            assert len(self.load(folder).labels) == tiny.CLASSES * tiny.EACH

    def test_missing_images_are_named(self, tmp_path: Path) -> None:
        files = tiny.cars196()
        tiny.write(tmp_path, {MAT: files[MAT]})
        with pytest.raises(DataError, match=r"car_ims\.tgz is not there"):
            self.load(tmp_path)
        tiny.write(tmp_path / "scratch", {"other/readme.txt": "hello"})
        tiny.pack(tmp_path / "scratch", tmp_path / "cars196" / "car_ims.tgz")
        with pytest.raises(DataError, match="is not the official archive"):
            self.load(tmp_path)
        assert seen(tmp_path / "cars196") == {"cars_annos.mat", "car_ims.tgz"}

    def test_a_missing_image_is_named(self, tmp_path: Path) -> None:
        tiny.write(tmp_path, tiny.cars196())
        (tmp_path / "cars196" / "car_ims" / "000003.jpg").unlink()
        with pytest.raises(DataError, match=r"car_ims/000003.jpg \(annotation 3\)"):
            self.load(tmp_path)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"rubbish", "no mat file can be read"),
            (b"", "no mat file can be read"),
            (tiny.mat([{"relative_im_path": "a", "test": 1}] * 2), "no field class"),
            (tiny.mat([{"fname": "a", "class": 1}] * 2), "no field relative_im_path"),
            (annotated(**{"class": "x"}), "annotation 2: the class is 'x', no whole number"),
            (annotated(**{"class": 1.5}), "annotation 2: the class is 1.5, no whole number"),
            (annotated(**{"class": 0}), "annotation 2: the class is 0, no whole number"),
            (annotated(**{"class": 3}), "annotation 2: there is no class 3, only 2"),
            (annotated(relative_im_path=7), "annotation 2: the image's name is 7"),
            (annotated(), "annotation 2: car_ims/a.jpg stands in annotation 1 already"),
            (annotated(relative_im_path="../x"), "annotation 2: '../x' leads out of"),
        ],
    )
    def test_other_annotations_are_refused(
        self, content: bytes, message: str, tmp_path: Path
    ) -> None:
        tiny.write(tmp_path, {MAT: content, "cars196/car_ims/a.jpg": b""})
        with pytest.raises(DataError, match=message) as caught:
            self.load(tmp_path)
        assert str(tmp_path / MAT) in str(caught.value)

    def test_truncated_annotations_are_refused_at_any_length(self, tmp_path: Path) -> None:
        tiny.write(tmp_path, tiny.cars196())
        whole = (tmp_path / MAT).read_bytes()
        for length in range(0, len(whole), 997):
            (tmp_path / MAT).write_bytes(whole[:length])
            with pytest.raises(DataError, match="cannot be read as the official annotations"):
                self.load(tmp_path)
