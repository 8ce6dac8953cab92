"""Files of the wrong kind: a short answer that names the right kind, or how to get there."""

import gzip
import io
import json
import pickle
import zipfile
from decimal import Decimal
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import torch

from contract.dataset_files import IntakeError, read_features, read_paired
from contract.dataset_files.formats import refuse_no_images
from tests.support.tiny_sets import image, image_files, npz, paired, parquet, refusal, table, zipped


def _saved(write: str) -> bytes:
    out = io.BytesIO()
    if write == "torch":
        torch.save({"x": torch.zeros(3)}, out)
    elif write == "feather":
        pyarrow.feather.write_feather(pa.table({"f0": [1.0], "label": [1]}), out)
    elif write == "npy":
        np.save(out, np.zeros((3, 2)))
    elif write == "xlsx":
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("[Content_Types].xml", "")
            archive.writestr("xl/workbook.xml", "")
    elif write == "h5 in zip":
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("audio_feature.h5", "")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (_saved("torch"), "np.savez("),
        (pickle.dumps([1]), "np.savez"),
        (_saved("xlsx"), "CSV UTF-8"),
        (gzip.compress(b"f0,label\n"), "gunzip"),
        (json.dumps({"f0": 1}).encode(), "read_json"),
        (_saved("feather"), "read_feather"),
        (_saved("npy"), "np.savez"),
        (_saved("h5 in zip"), "unpack it"),
        (image(1), "zip with a folder for each class"),
        (bytes(1000), "save it as one"),
    ],
    ids=("torch", "pickle", "xlsx", "gzip", "json", "feather", "npy", "h5 in zip", "png", "zeros"),
)
def test_other_files_say_how_to_convert(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "content"
    path.write_bytes(content)
    for read in (read_features, read_paired):
        error = refusal(lambda read=read: read(path), tmp_path)  # type: ignore[misc]
        assert error.total == 1
        assert said in str(error)
        assert len(str(error)) < 250


def test_the_right_kind_is_named(tmp_path: Path) -> None:
    images = zipped(tmp_path / "a.zip", image_files(classes=60, each=5))
    pairs, plain = npz(tmp_path / "p.npz", paired()), npz(tmp_path / "f.npz", table())
    for path, read, kind in (
        (images, read_features, "image_folder"),
        (images, read_paired, "image_folder"),
        (pairs, read_features, "paired_features"),
        (plain, read_paired, "features"),
    ):
        [problem] = refusal(lambda path=path, read=read: read(path), tmp_path).problems  # type: ignore[misc]
        assert problem.where == "kind"
        assert f"'{kind}'" in problem.message
    for table_file in (plain, parquet(tmp_path / "f.parquet", table()), pairs):
        with pytest.raises(IntakeError, match="upload it as 'features'"):
            refuse_no_images(table_file)
    refuse_no_images(images)


@pytest.mark.parametrize(
    "kind", [pa.string_view(), pa.binary_view(), pa.large_string(), pa.binary()]
)
def test_words_of_every_type_are_labels(tmp_path: Path, kind: pa.DataType) -> None:
    words = ["größe", "b"] * 20
    labels = pa.array([word.encode() for word in words], pa.binary()).cast(
        kind if kind != pa.string_view() else pa.string()
    )
    made = pa.table({"features": list(table()["features"]), "label": labels.cast(kind)})
    pq.write_table(made, tmp_path / "a.parquet")
    assert read_features(tmp_path / "a.parquet").class_names == ("b", "größe")


@pytest.mark.parametrize(
    ("kind", "names"),
    [(pa.decimal128(5, 0), ("0", "1", "2", "3")), (pa.decimal128(5, 2), ("0", "1", "2", "3"))],
)
def test_decimals_are_numbers(tmp_path: Path, kind: pa.DataType, names: tuple[str, ...]) -> None:
    labels = pa.array([Decimal(row % 4) for row in range(40)], kind)
    width = {
        f"f{i}": pa.array([Decimal(row * i) for row in range(40)], pa.decimal128(9, 2))
        for i in range(3)
    }
    pq.write_table(pa.table({**width, "label": labels}), tmp_path / "a.parquet")
    read = read_features(tmp_path / "a.parquet")
    assert read.class_names == names
    assert read.features[5].tolist() == [0, 5, 10]


def test_a_column_of_the_wrong_type_is_one_problem(tmp_path: Path) -> None:
    days = pa.array(np.arange(40), pa.int32()).cast(pa.date32())
    made = pa.table({"features": list(table()["features"]), "label": days})
    pq.write_table(made, tmp_path / "a.parquet")
    error = refusal(lambda: read_features(tmp_path / "a.parquet"), tmp_path)
    assert str(error) == "label: holds date32[day]; needs whole numbers or words"


def test_lists_of_lists_are_several_dimensions(tmp_path: Path) -> None:
    cube = np.random.default_rng(0).normal(size=(40, 3, 2))
    made = pa.table({"features": cube.tolist(), "label": list(np.arange(40) % 4)})
    pq.write_table(made, tmp_path / "a.parquet")
    np.testing.assert_allclose(
        read_features(tmp_path / "a.parquet").features, cube.mean(1), rtol=1e-6
    )
    uneven = cube.tolist()
    uneven[5][1] = [1.0]
    uneven[9] = uneven[9][:2]
    pq.write_table(pa.table({"features": uneven, "label": list(np.arange(40) % 4)}), tmp_path / "b")
    error = refusal(lambda: read_features(tmp_path / "b"), tmp_path)
    assert [one.where for one in error.problems] == ["row 9, features", "row 5, features"]


def test_features_of_h5_and_mat_need_no_pairs(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, values in table().items():
            file[name] = values
    assert len(read_features(tmp_path / "a.h5", ask=True)) == 40
