"""Tables of features: damaged, malicious and too large files, and columns of wrong types."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.dataset_files import IntakeError, Limits, read_features
from tests.support.tiny_sets import flat, found, npz, parquet, refusal, table, tree


def refused(path: Path, limits: Limits | None = None) -> IntakeError:
    return refusal(lambda: read_features(path, limits or Limits()), path.parent)


class Evil:
    """Runs code when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    evil = np.array([Evil(touched)] * 40, dtype=object)
    for column in ("features", "labels", "ids"):
        path = npz(tmp_path / "a.npz", {**table(), column: evil})
        problems = found(refused(path))
        assert list(problems) == [column]
        assert "Python objects (a pickle)" in problems[column]
    (tmp_path / "b.npz").write_bytes(pickle.dumps(Evil(touched)))
    refused(tmp_path / "b.npz")
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive:
        for column in table():
            archive.writestr(f"{column}.npy", pickle.dumps(Evil(touched)))
    assert set(found(refused(tmp_path / "c.npz"))) == {"features", "labels"}
    assert not touched.exists()


def header(shape: tuple[int, ...], values: bytes = b"") -> bytes:
    out = io.BytesIO()
    description = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, description)
    return out.getvalue() + values


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (header((10**9, 10**6)), "more than 4,294,967,296; bring fewer rows or columns"),
        (header((10**30, 10**30)), "more than 4,294,967,296; bring fewer rows or columns"),
        (header((-5, 4)), "no array header"),
        (header((40, 5), bytes(300)), "ends 500 bytes too early"),
        (header((40, 5), bytes(1000)), "holds more values than its shape has"),
        (b"", "no array header"),
        (b"\x93NUMPY\x09\x00" + bytes(100), "version (9, 0) of the npy format is not read"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f", "no array header"),
        (header((40, 0)), "needs rows of features"),
        (header((40,), bytes(160)), "needs rows of features"),
        (header((), bytes(4)), "is a single value"),
        (header((40, 70_000), bytes(40 * 70_000 * 4)), "has 70,000 features in a row"),
    ],
)
def test_wrong_headers_are_found_before_values_are_read(
    tmp_path: Path, member: bytes, said: str
) -> None:
    path = npz(tmp_path / "a.npz", {"labels": table()["labels"]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("features.npy", member)
    problems = found(refused(path))
    assert said in problems["features"]


def test_a_bomb_in_an_npz_is_not_unpacked(tmp_path: Path) -> None:
    columns = {"features": np.zeros((40, 100_000), dtype=np.float32), "labels": np.arange(40) % 4}
    path = npz(tmp_path / "a.npz", columns)
    assert path.stat().st_size < 100_000
    problems = found(refused(path, Limits(max_bytes=1_000_000)))
    assert "declares shape (40, 100000), 16,000,000 bytes" in problems["features"]


def test_a_parquet_file_beyond_the_limits_is_refused(tmp_path: Path) -> None:
    columns = {"features": np.zeros((40, 10_000)), "labels": np.arange(40) % 4}
    for path in (
        parquet(tmp_path / "a.parquet", columns),
        parquet(tmp_path / "b.parquet", flat({**columns, "features": np.zeros((40, 4_000))})),
    ):
        problems = found(refused(path, Limits(max_bytes=1_000_000)))
        assert problems["features"] == "takes more than 1,000,000 bytes; bring fewer rows"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"feature": [[1.0]] * 4}, {"features", "labels"}),
        ({"features": ["a"] * 4, "labels": [1] * 4}, {"features"}),
        ({"features": [[["a"]]] * 4, "labels": [1] * 4}, {"features"}),
        ({"f0": ["a"] * 4, "f1": [1.0] * 4, "labels": [1] * 4}, {"f0"}),
        ({"f0": [1.0] * 4, "labels": [[1]] * 4}, {"labels"}),
        ({"f0": [1.0] * 4, "labels": ["x" * 5_000] * 4}, {"labels"}),
    ],
)
def test_parquet_columns_of_a_wrong_type_are_refused(
    tmp_path: Path, columns: dict[str, Any], expected: set[str]
) -> None:
    assert set(found(refused(parquet(tmp_path / "a.parquet", columns)))) == expected


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"features": np.array([["a"] * 5] * 40)}, "holds words; needs numbers"),
        ({"features": np.zeros((40, 5), dtype=complex)}, "needs plain numbers, or words"),
        ({"features": np.zeros(40, dtype=[("a", "f4")])}, "needs plain numbers, or words"),
        ({"labels": np.zeros(40, dtype="datetime64[s]")}, "needs plain numbers, or words"),
        ({"labels": np.array([["a", "b"]] * 40)}, "needs a number or a word for each row"),
    ],
)
def test_npz_columns_of_a_wrong_type_are_refused(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    problems = found(refused(npz(tmp_path / "a.npz", {**table(), **change})))
    assert list(problems) == list(change)
    assert said in problems[next(iter(change))]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"a\n1\n", "by its first bytes"),
        (header((3,)), "is a single array (npy)"),
        (b"PAR1" + bytes(50), "is not a complete Parquet file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(50), "is not a complete HDF5 file"),
        (b"MATLAB 5.0 MAT-file" + bytes(300), "is not a complete MATLAB file"),
        (b"PK\x03\x04" + bytes(50), "is not a complete zip archive"),
    ],
)
def test_files_of_another_format_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a").write_bytes(content)
    assert said in str(refused(tmp_path / "a"))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "No such file" in str(refused(tmp_path / "a.npz"))


@pytest.mark.parametrize("form", ["npz", "parquet"])
def test_truncated_and_damaged_tables(tmp_path: Path, form: str) -> None:
    """Damage anywhere gives the table or an IntakeError, and leaves nothing behind."""
    write = npz if form == "npz" else parquet
    whole = write(tmp_path / f"a.{form}", {**table(), "ids": np.arange(40)}).read_bytes()
    broken = tmp_path / "b"
    for length in range(0, len(whole) - 1, max(1, len(whole) // 40)):
        broken.write_bytes(whole[:length])
        assert refused(broken).total == 1
    rng = np.random.default_rng(0)
    refusals = 0
    for _ in range(150):
        content = bytearray(whole)
        for at in rng.integers(0, len(content), 3):
            content[at] = rng.integers(0, 256)
        broken.write_bytes(content)
        try:
            read_features(broken)
        except IntakeError:
            refusals += 1
    assert refusals > 50
    assert tree(tmp_path) == [f"a.{form}", "b"]
