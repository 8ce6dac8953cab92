"""Tables whose columns have any names: taken where no doubt is left, asked about where there is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.io

from contract.dataset_files import Answers, UnansweredError, read_features, read_paired
from contract.dataset_files.questions import Question
from tests.support.tiny_sets import flat, found, npz, paired, parquet, refusal, table

WORDS = np.array(["ant", "bee", "cat", "dog"])[np.arange(40) % 4]


def h5(path: Path, columns: Mapping[str, Any]) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file[name] = values
    return path


def mat(path: Path, columns: Mapping[str, Any]) -> Path:
    scipy.io.savemat(path, dict(columns))
    return path


def csv(path: Path, columns: Mapping[str, Any]) -> Path:
    names = list(columns)
    lines = [",".join(str(columns[name][row]) for name in names) for row in range(40)]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")
    return path


def question(path: Path, **how: Any) -> Question:
    with pytest.raises(UnansweredError) as caught:
        read_features(path, ask=True, **how)
    [one] = caught.value.questions
    return one


def told(**roles: Any) -> Answers:
    return Answers.model_validate({"columns": roles})


@pytest.mark.parametrize("names", [("X", "y"), ("embeddings", "targets"), ("Features", "LABELS")])
def test_a_common_other_name_is_taken_and_told(tmp_path: Path, names: tuple[str, str]) -> None:
    columns = {names[0]: table()["features"], names[1]: WORDS, "note": np.arange(40)}
    for path in (npz(tmp_path / "a.npz", columns), parquet(tmp_path / "a.parquet", columns)):
        for ask in (True, False):
            read = read_features(path, ask=ask)
            np.testing.assert_array_equal(read.features, table()["features"])
            assert read.class_names == ("ant", "bee", "cat", "dog")
            assert {one.where: one.message for one in read.warnings} == {
                names[0]: "is taken as the features",
                names[1]: "is taken as the labels",
                "note": "is not used",
            }


def test_two_such_names_are_asked_about(tmp_path: Path) -> None:
    columns = {"X": table()["features"], "embeddings": table()["features"] * 2, "y": WORDS}
    asked = question(npz(tmp_path / "a.npz", columns))
    assert asked.name == "columns"
    assert {one.name: one.suggested for one in asked.columns} == {
        "X": "features",
        "embeddings": "",
        "y": "labels",
    }
    read = read_features(tmp_path / "a.npz", answers=told(features="embeddings", labels="y"))
    np.testing.assert_array_equal(read.features, columns["embeddings"])


@pytest.mark.parametrize("write", [npz, h5, mat])
def test_arrays_are_shown_with_type_and_examples(tmp_path: Path, write: Any) -> None:
    columns = {"measured": table()["features"], "kind": np.arange(40) % 4, "extra": np.ones(40)}
    path = write(tmp_path / "a", columns)
    path = path if path.exists() else path.with_suffix(".npz")
    seen = {one.name: one for one in question(path).columns}
    assert seen["measured"].suggested == "features"
    assert seen["measured"].type == "float32, 40 x 5"
    assert seen["measured"].examples[0].count(",") == 3
    assert "labels" in seen["kind"].roles
    assert seen["kind"].examples == ["0", "1", "2"]
    read = read_features(path, answers=told(features="measured", labels="kind"))
    assert (read.features.shape, len(read.class_names)) == ((40, 5), 4)
    both = read_features(path, answers=told(features=["measured", "extra"], labels="kind"))
    assert both.features.shape == (40, 6)
    np.testing.assert_array_equal(both.features[:, 5], 1)


@pytest.mark.parametrize("prefix", ["emb_", "", "dim"])
def test_numbered_columns_are_one_choice(tmp_path: Path, prefix: str) -> None:
    matrix = np.random.default_rng(0).normal(size=(40, 12))
    columns: dict[str, Any] = {f"{prefix}{i}": matrix[:, i] for i in reversed(range(12))}
    columns |= {"species": list(WORDS), "path": [f"{row}.jpg" for row in range(40)]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    csv(tmp_path / "a.csv", columns)
    for path in (tmp_path / "a.parquet", tmp_path / "a.csv"):
        seen = {one.name: one.suggested for one in question(path).columns}
        assert seen == {f"{prefix}*": "features", "species": "labels", "path": "ids"}
        answers = told(features=f"{prefix}*", labels="species", ids="path")
        read = read_features(path, answers=answers)
        np.testing.assert_allclose(read.features, matrix, rtol=1e-6)
        assert read.ids is not None
        assert read.ids[3] == "3.jpg"


def test_scalar_columns_without_numbers_are_features_together(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=40) for name in ("length", "width", "weight")}
    path = csv(tmp_path / "a.csv", {**columns, "species": WORDS})
    asked = question(path)
    assert {one.name: one.suggested for one in asked.columns} == {
        "length": "features",
        "width": "features",
        "weight": "features",
        "species": "labels",
    }
    read = read_features(path, answers=told(features=["weight", "length"], labels="species"))
    np.testing.assert_allclose(read.features[:, 0], columns["weight"], rtol=1e-6)
    assert read.features.shape == (40, 2)
    assert read.warnings[-1].where == "width"


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.list_(pa.float16(), 5), pa.large_list(pa.float64())]
)
def test_lists_of_any_kind_under_any_name(tmp_path: Path, kind: pa.DataType) -> None:
    rows = table()["features"].astype(np.float16)
    lists = pa.array(list(rows), type=kind)
    pq.write_table(pa.table({"vector": lists, "what": list(WORDS)}), tmp_path / "a.parquet")
    seen = {one.name: (one.suggested, one.type) for one in question(tmp_path / "a.parquet").columns}
    assert seen["vector"][0] == "features"
    assert seen["vector"][1].startswith("lists of")
    assert seen["what"] == ("labels", "words")
    answers = told(features="vector", labels="what")
    read = read_features(tmp_path / "a.parquet", answers=answers)
    np.testing.assert_array_equal(read.features, rows.astype(np.float32))


def test_pairs_under_other_names(tmp_path: Path) -> None:
    made = paired()
    columns = {"text": made["audio"], "image": made["visual"], "topic": WORDS}
    path = npz(tmp_path / "a.npz", columns)
    with pytest.raises(UnansweredError) as caught:
        read_paired(path, ask=True)
    [asked] = caught.value.questions
    assert {one.name: one.suggested for one in asked.columns} == {
        "text": "audio",
        "image": "visual",
        "topic": "labels",
    }
    read = read_paired(path, answers=told(audio="image", visual="text", labels="topic"))
    np.testing.assert_array_equal(read.features, made["visual"])
    assert read.visual is not None
    np.testing.assert_array_equal(read.visual, made["audio"])


def test_answers_that_do_not_fit_are_told_all_at_once(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", {"m": table()["features"], "k": np.arange(40) % 4})

    def problems(**roles: Any) -> dict[str, str]:
        return found(refusal(lambda: read_features(path, answers=told(**roles)), tmp_path))

    missing = problems(features="nope", visual="m")
    assert set(missing) == {"columns.features", "columns.visual", "columns.labels"}
    assert "there is no column 'nope'; the file holds k, m" in missing["columns.features"]
    assert "names 'm' 2 times" in problems(features="m", labels="m")["columns"]
    assert "there is no column 'k*'" in problems(features="m", labels="k*")["columns.labels"]


def test_problems_name_the_columns_of_the_file(tmp_path: Path) -> None:
    features = table()["features"].copy()
    features[7, 2] = np.nan
    path = npz(tmp_path / "a.npz", {"m": features, "k": np.arange(40) % 4})
    answers = told(features="m", labels="k")
    assert set(found(refusal(lambda: read_features(path, answers=answers), tmp_path))) == {
        "row 7, column m[2]"
    }
    columns = {f"emb_{i}": features[:, i] for i in range(5)} | {"k": list(range(4)) * 10}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    answers = told(features="emb_*", labels="k")
    error = refusal(lambda: read_features(tmp_path / "a.parquet", answers=answers), tmp_path)
    assert set(found(error)) == {"row 7, column emb_2"}


def test_a_file_that_cannot_be_such_a_table_is_refused_and_not_asked_about(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", {"only": table()["features"]})
    error = refusal(lambda: read_features(path, ask=True), tmp_path)
    assert set(found(error)) == {"features", "labels"}
    many = {f"c{i}": ["a"] * 4 for i in range(100)}
    path = parquet(tmp_path / "b", many)
    error = refusal(lambda: read_features(path, ask=True), tmp_path)
    assert all(len(message) < 200 for message in found(error).values())


def test_the_usual_names_are_never_asked_about(tmp_path: Path) -> None:
    columns = flat({**table(), "extra": np.zeros(40)})
    for path in (npz(tmp_path / "a.npz", table()), parquet(tmp_path / "a.parquet", columns)):
        assert len(read_features(path, ask=True)) == 40


def test_many_columns_that_are_not_used_are_one_remark(tmp_path: Path) -> None:
    columns = flat(table()) | {f"extra{i}": np.zeros(40) for i in range(30)}
    [remark] = read_features(parquet(tmp_path / "a.parquet", columns)).warnings
    assert remark.message.startswith("columns are not used: extra0, extra1")
    assert remark.message.endswith("and 20 more")
