"""Remarks about a table that can be used: labels that look alike, and the size of its features."""

from pathlib import Path

import numpy as np
import pytest

from contract.dataset_files import read_features
from tests.support.tiny_sets import found, npz, parquet, refusal, table


def remarks(path: Path) -> list[str]:
    return [f"{one.where}: {one.message}" for one in read_features(path).warnings]


@pytest.mark.parametrize("write", [npz, parquet])
def test_labels_with_blanks_around_them_are_told(tmp_path: Path, write: object) -> None:
    labels = np.array(["cat", "dog"] * 18 + ["cat ", "\tcat", "dog", "cat"])
    path = (npz if write is npz else parquet)(tmp_path / "a.npz", {**table(), "labels": labels})
    [remark] = remarks(path)
    assert "'cat' (19 rows)" in remark
    assert "'cat ' (1 rows)" in remark
    assert "'\\tcat' (1 rows)" in remark
    assert "they are one class" in remark
    assert read_features(path).class_names == ("cat", "dog")


def test_labels_that_differ_by_their_normal_form_are_told(tmp_path: Path) -> None:
    labels = np.array(["caf\u00e9", "cafe\u0301", "a  b", "a b"])[np.arange(40) % 4]
    path = npz(tmp_path / "a.npz", {**table(), "labels": labels})
    accents, blanks = sorted(remarks(path), reverse=True)
    assert "'cafe\\u0301' (10 rows)" in accents
    assert "'caf\\xe9' (10 rows)" in accents
    assert "look alike and are 2 classes" in accents
    assert "'a  b' (10 rows)" in blanks
    assert len(read_features(path).class_names) == 4, "nothing is merged without a word"


def test_other_labels_get_no_remark(tmp_path: Path) -> None:
    labels = np.array([" cat ", "Cat", "caf\u00e9", "cafe"])[np.arange(40) % 4]
    assert remarks(npz(tmp_path / "a.npz", {**table(), "labels": labels})) == []


@pytest.mark.parametrize(
    ("factor", "said"), [(1e6, "so large"), (1e-20, "so small"), (1.0, ""), (1e3, ""), (1e-3, "")]
)
def test_features_of_an_odd_size_are_told(tmp_path: Path, factor: float, said: str) -> None:
    features = table()["features"] * np.float32(factor)
    found_ = remarks(npz(tmp_path / "a.npz", {**table(), "features": features}))
    assert len(found_) == bool(said)
    assert all(said in one and "'standardize'" in one for one in found_)


def test_features_that_differ_in_size_are_told(tmp_path: Path) -> None:
    features = table()["features"] * np.array([1, 1, 1, 1, 1e5], dtype=np.float32)
    features[:, 0] = 0
    [remark] = remarks(npz(tmp_path / "a.npz", {**table(), "features": features / 1e4}))
    assert "features that differ in size" in remark


def test_a_class_of_identical_rows_says_so(tmp_path: Path) -> None:
    columns = table()
    columns["features"][columns["labels"] == 2] = 1.0
    path = npz(tmp_path / "a.npz", columns)
    error = refusal(lambda: read_features(path), tmp_path)
    assert found(error) == {
        "class 2": "has 10 rows that are all identical; a class needs two different ones or more"
    }
