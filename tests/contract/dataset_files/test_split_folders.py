"""Folders such as train and test above the class folders: when they split a data set, and how."""

from pathlib import Path

import pytest

from contract.dataset_files import UnansweredError, scan_images, unpack_images
from contract.dataset_files.questions import Answers
from contract.dataset_files.split_folders import are_split_folders, parts_of
from tests.support.tiny_sets import (
    found,
    image,
    image_files,
    refusal,
    split_files,
    tree,
    write,
    zipped,
)


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (["train", "val", "test"], True),
        (["Train", "VALID"], True),
        (["training", "query", "gallery"], True),
        (["train"], False),
        (["train", "training"], False),
        (["query", "gallery"], False),
        (["train", "test", "boots"], False),
        ([], False),
    ],
)
def test_which_folders_split_a_data_set(names: list[str], split: bool) -> None:
    assert are_split_folders(names) == split


def test_query_and_gallery_both_test_and_validation_tests_where_nothing_else_does() -> None:
    files = ["train/a/1", "Valid/a/1", "query/a/1", "gallery/a/1"]
    assert parts_of(files) == ["train", "validation", "test", "test"]
    assert parts_of(files[:2]) == ["train", "test"]


def test_images_keep_the_folder_that_they_come_from(tmp_path: Path) -> None:
    files = split_files("test", "train", "val") | {"train/README.txt": b"x", ".DS_Store": b"x"}
    images = scan_images(write(tmp_path, files))
    assert images.split_folders == ("train", "val", "test")
    assert images.class_names == ("c0", "c1")
    assert images.files[:3] == ("train/c0/0.jpg", "train/c0/1.jpg", "train/c1/0.jpg")
    assert images.labels.tolist() == [0, 0, 1, 1] * 3
    assert parts_of(images.files) == ["train"] * 4 + ["validation"] * 4 + ["test"] * 4


def test_an_image_of_two_parts_is_used_in_training_alone(tmp_path: Path) -> None:
    files = split_files("test", "train")
    files["test/c1/0.jpg"] = files["train/c1/1.jpg"]
    images = scan_images(write(tmp_path, files))
    assert len(images.files) == 7
    [warning] = images.warnings
    assert warning.where == "test/c1/0.jpg"


@pytest.mark.parametrize("outer", ["", "archive/shoes/"])
def test_an_archive_with_such_folders_asks(tmp_path: Path, outer: str) -> None:
    files = {outer + name: content for name, content in split_files("train", "test").items()}
    archive = zipped(tmp_path / "a.zip", files)
    with pytest.raises(UnansweredError) as caught:
        unpack_images(archive, tmp_path / "set", ask=True)
    [question] = caught.value.questions
    assert question.name == "split"
    assert "train, test" in question.text
    assert [choice.value for choice in question.choices] == ["merge", "keep"]
    assert tree(tmp_path) == ["a.zip"]
    answers = Answers(split="merge")
    images = unpack_images(archive, tmp_path / "set", answers=answers, ask=True)
    assert images.split_folders == ("train", "test")
    assert len(images.files) == 8


def test_classes_of_these_names_are_classes(tmp_path: Path) -> None:
    files = {
        f"{name}/{n}.jpg": image(n + 10 * len(name)) for name in ("train", "val") for n in (1, 2)
    }
    images = unpack_images(zipped(tmp_path / "a.zip", files), tmp_path / "set", ask=True)
    assert images.class_names == ("train", "val")
    assert images.split_folders == ()


def test_other_folders_in_folders_are_refused_as_before(tmp_path: Path) -> None:
    files = {f"{name}/{path}": c for path, c in image_files(2).items() for name in ("a", "b")}
    write(tmp_path, files)
    problems = found(refusal(lambda: scan_images(tmp_path), tmp_path))
    assert problems["a/c0"] == "is a folder in a class folder; classes are one level of folders"
