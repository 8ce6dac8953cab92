"""Images whose own folders split them, as a run reads them."""

from pathlib import Path

import numpy as np
import pytest

from contract.comparison.data import ImageFolderData
from tests.support.tiny_sets import image_files, split_files, write
from worker import data
from worker.data import ImageFiles
from worker.errors import DataError


def parts(pool: data.Pool) -> list[set[str]]:
    """Return the names of the folders from which train, validation and test come."""
    assert isinstance(pool.items, ImageFiles)
    folders = np.array([path.parts[-3] for path in pool.items.paths])
    split = pool.indices
    return [set(folders[index]) for index in (split.train, split.validation, split.test)]


def test_a_given_split_is_kept(tmp_path: Path) -> None:
    root = write(tmp_path / "set", split_files("train", "val", "query", "gallery", each=3))
    for _ in range(2):  # the second time from the result of the first check
        pool = data.load(ImageFolderData(folder=str(root), split="given"), tmp_path / "datasets")
        assert parts(pool) == [{"train"}, {"val"}, {"query", "gallery"}]
        assert not pool.class_disjoint


def test_validation_is_drawn_from_training_where_there_is_no_part_for_it(tmp_path: Path) -> None:
    root = write(tmp_path / "set", split_files("train", "test", each=10))
    spec = ImageFolderData(folder=str(root), split="given")
    pool = data.load(spec, tmp_path / "datasets")
    assert parts(pool) == [{"train"}, {"train"}, {"test"}]
    assert [len(index) for index in (pool.indices.train, pool.indices.validation)] == [16, 4]
    assert not set(pool.indices.train) & set(pool.indices.validation)
    again = data.load(spec, tmp_path / "datasets")
    assert again.indices.validation.tolist() == pool.indices.validation.tolist()
    other = data.load(spec.model_copy(update={"seed": 1}), tmp_path / "datasets")
    assert other.indices.validation.tolist() != pool.indices.validation.tolist()


def test_classes_of_the_test_part_alone_are_noticed(tmp_path: Path) -> None:
    files = split_files("train", "val", each=3)
    files |= {
        name.replace("/c", "/d"): content
        for name, content in split_files("a", "b", "test", each=3).items()
        if name.startswith("test")
    }
    root = write(tmp_path / "set", files)
    pool = data.load(ImageFolderData(folder=str(root), split="given"), tmp_path / "datasets")
    assert pool.class_disjoint


def test_a_folder_with_such_folders_needs_a_choice(tmp_path: Path) -> None:
    root = write(tmp_path / "set", split_files("train", "test", each=6))
    spec = ImageFolderData(folder=str(root), split="item")
    with pytest.raises(DataError, match=r"train, test .*'given' .* or data\.merge to true"):
        data.load(spec, tmp_path / "datasets")
    merged = data.load(spec.model_copy(update={"merge": True}), tmp_path / "datasets")
    assert parts(merged)[0] == {"train", "test"}
    assert len(merged.labels) == 24


def test_a_folder_without_such_folders_has_no_given_split(tmp_path: Path) -> None:
    root = write(tmp_path / "set", image_files(3, 8))
    with pytest.raises(DataError, match="has no folders such as train and test"):
        data.load(ImageFolderData(folder=str(root), split="given"), tmp_path / "datasets")
