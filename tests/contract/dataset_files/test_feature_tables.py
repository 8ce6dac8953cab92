"""Tables of features: every format gives back what was written, every bad row is named."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from contract.dataset_files import IntakeError, Limits, read_features
from tests.support.examples import at_most
from tests.support.tiny_sets import flat, found, npz, parquet, refusal, table


def refused(path: Path, limits: Limits | None = None) -> IntakeError:
    return refusal(lambda: read_features(path, limits or Limits()), path.parent)


def with_row(row: int, column: str, value: Any, **more: Any) -> dict[str, Any]:
    """The tiny table with one value changed, its labels and ids as lists."""
    columns: dict[str, Any] = {**table(), **more}
    values = (
        columns[column].tolist() if isinstance(columns[column], np.ndarray) else columns[column]
    )
    values[row] = value
    return {**columns, column: values}


@settings(
    max_examples=at_most(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_every_format_gives_back_the_same_table(tmp_path: Path, data: st.DataObject) -> None:
    rows, width = data.draw(st.integers(6, 30)), data.draw(st.integers(1, 6))
    kind = data.draw(st.sampled_from([np.float16, np.float32, np.float64, np.int32, np.uint8]))
    features = data.draw(hnp.arrays(kind, (rows, width), unique=True, elements=numbers(kind)))
    names = data.draw(
        st.lists(
            st.text("abcäβ漢 -_.", min_size=1, max_size=8).map(str.strip).filter(bool),
            min_size=2,
            max_size=3,
            unique=True,
        )
        | st.lists(st.integers(-(2**62), 2**62), min_size=2, max_size=3, unique=True)
    )
    codes = np.arange(rows) % len(names)
    labels = np.array(names)[codes]
    fine = data.draw(hnp.arrays(np.int64, rows, elements=st.integers(0, 3)))
    ids = [f"id {row}" for row in range(rows)]
    columns = {"features": features, "labels": labels, "fine_labels": fine, "ids": ids}
    one, many = parquet(tmp_path / "a.parquet", columns), tmp_path / "b.parquet"
    parquet(many, flat({**columns}))
    order = np.asfortranarray if data.draw(st.booleans()) else np.ascontiguousarray
    in_npz = npz(tmp_path / "a.npz", {**columns, "features": order(features)})
    for path in (one, many, in_npz):
        read = read_features(path)
        np.testing.assert_array_equal(read.features, features.astype(np.float32))
        assert read.features.dtype == np.float32
        assert read.class_names == tuple(str(name) for name in sorted(names))
        assert [read.class_names[label] for label in read.labels] == [str(x) for x in labels]
        known = np.unique(fine)
        assert read.fine is not None
        np.testing.assert_array_equal(known[read.fine], fine)
        assert read.ids == tuple(ids)
        assert not [one for one in read.warnings if "'standardize'" not in one.message]
        assert read.visual is None


def numbers(kind: Any) -> st.SearchStrategy[Any]:
    if np.issubdtype(kind, np.integer):
        return st.integers(0, np.iinfo(kind).max)
    size = 1e4
    return st.floats(-size, size, width=16)


def test_optional_columns_may_be_left_out(tmp_path: Path) -> None:
    read = read_features(npz(tmp_path / "a.npz", table()))
    assert (read.fine, read.ids, read.visual, read.warnings) == (None, None, None, ())
    assert read.class_names == ("0", "1", "2", "3")
    assert len(read) == 40


def test_a_pandas_frame_with_categories_and_an_index(tmp_path: Path) -> None:
    columns = flat({**table(), "labels": np.array(list("abcd"))[np.arange(40) % 4]})
    frame = pd.DataFrame({**columns, "note": "x"}, index=np.arange(40) + 7)
    frame["labels"] = frame["labels"].astype("category")
    frame["fine_label"] = pd.Categorical(np.arange(40) % 2 * 10)
    frame.to_parquet(tmp_path / "a.parquet")
    read = read_features(tmp_path / "a.parquet")
    assert read.class_names == ("a", "b", "c", "d")
    assert read.fine is not None
    assert read.fine.tolist() == [0, 1] * 20
    assert {warning.where for warning in read.warnings} == {"note", "__index_level_0__"}


def test_columns_of_features_are_ordered_by_number(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(40, 12)).astype(np.float32)
    columns = flat({"features": features, "label": np.arange(40) % 2})
    shuffled = {name: columns[name] for name in sorted(columns, reverse=True)}
    read = read_features(parquet(tmp_path / "a.parquet", shuffled))
    np.testing.assert_array_equal(read.features, features)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("form", ["npz", "lists", "columns"])
def test_a_value_that_is_not_finite_is_named_by_row_and_column(
    tmp_path: Path, form: str, value: float
) -> None:
    columns = table()
    columns["features"] = columns["features"].astype(np.float64)
    columns["features"][17, 3] = value
    columns["features"][30] = np.nan
    path = {
        "npz": lambda: npz(tmp_path / "a.npz", columns),
        "lists": lambda: parquet(tmp_path / "a.parquet", columns),
        "columns": lambda: parquet(tmp_path / "a.parquet", flat(columns)),
    }[form]()
    problems = found(refused(path))
    assert list(problems) == ["row 17, column f3", "row 30, column f0"]
    what = "is NaN" if np.isnan(value) else "is infinite in 32-bit floats"
    assert problems["row 17, column f3"] == f"{what}; every value must be finite"
    assert "as 4 more of this row" in problems["row 30, column f0"]


@pytest.mark.parametrize("missing", [None, ""])
def test_missing_words_are_named(tmp_path: Path, missing: str | None) -> None:
    words = list("abcd" * 10)
    columns = with_row(9, "labels", missing, labels=words)
    problems = found(refused(parquet(tmp_path / "a.parquet", columns)))
    assert problems == {"row 9, labels": "is missing; every row needs one"}
    if missing is not None:
        assert found(refused(npz(tmp_path / "a.npz", columns))) == problems


@pytest.mark.parametrize("column", ["labels", "fine_labels"])
def test_missing_numbers_and_fractions_are_named(tmp_path: Path, column: str) -> None:
    numbers = (np.arange(40) % 4).astype(float)
    numbers[[3, 5, 8]] = [np.nan, 0.5, np.inf]
    expected = {
        f"row 3, {column}": "is missing; every row needs one",
        f"row 5, {column}": "is 0.5; needs a whole number or a word",
        f"row 8, {column}": "is inf; needs a whole number or a word",
    }
    for path in (
        npz(tmp_path / "a.npz", {**table(), column: numbers}),
        parquet(tmp_path / "a.parquet", {**table(), column: numbers}),
    ):
        assert found(refused(path)) == expected


def test_missing_or_repeated_ids_are_named(tmp_path: Path) -> None:
    ids: list[str | None] = [f"id{row}" for row in range(40)]
    ids[7], ids[9], ids[11] = "id2", "id2", None
    problems = found(refused(parquet(tmp_path / "a.parquet", {**table(), "id": ids})))
    assert problems == {
        "row 7, id": "is 'id2' again, as row 2; make it another",
        "row 9, id": "is 'id2' again, as row 2; make it another",
        "row 11, id": "is missing; every row needs one, or none at all",
    }


def test_columns_of_different_length_are_refused(tmp_path: Path) -> None:
    columns = {**table(), "labels": np.arange(39) % 4, "ids": np.arange(41)}
    problems = found(refused(npz(tmp_path / "a.npz", columns)))
    seen = "features 40, labels 39, ids 41"
    assert problems == {"": f"columns have different numbers of rows: {seen}; each needs the same"}


def test_lists_of_different_length_are_refused(tmp_path: Path) -> None:
    features = [row.tolist() for row in table()["features"]]
    features[4], features[6] = features[4][:2], features[6] * 2
    columns = {**table(), "features": features}
    assert found(refused(parquet(tmp_path / "a.parquet", columns))) == {
        "row 4, features": "has 2 values, others have 5; all rows need as many",
        "row 6, features": "has 10 values, others have 5; all rows need as many",
    }


def test_too_few_rows_or_classes_are_refused(tmp_path: Path) -> None:
    empty = {name: column[:0] for name, column in table().items()}
    assert found(refused(npz(tmp_path / "a.npz", empty))) == {"": "has no rows"}
    one = {**table(), "labels": np.zeros(40, dtype=int)}
    assert found(refused(npz(tmp_path / "a.npz", one))) == {"": "has one class; needs two or more"}
    single = with_row(9, "labels", 17)
    assert found(refused(npz(tmp_path / "a.npz", single))) == {
        "class 17": "has one row only; a class needs two different ones or more"
    }


def test_only_one_of_identical_rows_is_kept(tmp_path: Path) -> None:
    columns = {**table(), "ids": np.arange(40)}
    columns["features"][8] = columns["features"][4]  # of one class
    columns["features"][9] = columns["features"][4]  # of another
    read = read_features(npz(tmp_path / "a.npz", columns))
    assert len(read) == 39
    assert read.ids is not None
    assert "8" not in read.ids
    assert {(warning.where, warning.message) for warning in read.warnings} == {
        ("row 8", "is identical with row 4; only that one is used"),
        ("row 9", "has the features of row 4, which is of another class"),
    }


def test_a_fine_label_may_be_shared_by_classes(tmp_path: Path) -> None:
    read = read_features(npz(tmp_path / "a.npz", {**table(), "fine_labels": np.zeros(40, int)}))
    assert read.fine is not None
    assert set(read.fine.tolist()) == {0}


def test_a_label_that_looks_missing_gives_a_warning(tmp_path: Path) -> None:
    labels = np.array(["a", "b", "nan", "d"])[np.arange(40) % 4]
    read = read_features(npz(tmp_path / "a.npz", {**table(), "labels": labels}))
    (warning,) = read.warnings
    assert "a class named 'nan'" in warning.message


def test_marks_for_classes(tmp_path: Path) -> None:
    marks = np.eye(6)[np.array([1, 2, 4, 5])[np.arange(40) % 4]]
    read = read_features(npz(tmp_path / "a.npz", {**table(), "labels": marks}))
    assert read.class_names == ("1", "2", "4", "5")
    assert read.labels.tolist() == [0, 1, 2, 3] * 10
    marks[3] = 0
    marks[6, :2] = 1
    marks[8, 1] = 0.5
    assert set(found(refused(npz(tmp_path / "a.npz", {**table(), "labels": marks})))) == {
        "row 3, labels",
        "row 6, labels",
        "row 8, labels",
    }


def test_a_missing_column_is_named_with_the_existing_ones(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", {"x": np.zeros(3), "labels": np.arange(3)})
    advice = "rename them, or upload it and say there which is what"
    assert found(refused(path)) == {"features": f"is missing; the file holds labels, x; {advice}"}
