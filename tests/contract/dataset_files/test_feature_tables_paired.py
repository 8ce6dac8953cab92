"""Tables of two modalities in every format that features of papers are published in."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io

from contract.dataset_files import IntakeError, Limits, read_paired
from tests.support.tiny_sets import found, npz, paired, parquet, refusal, tree


def h5(path: Path, columns: Mapping[str, Any]) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file[name] = values
    return path


def mat(path: Path, columns: Mapping[str, Any]) -> Path:
    scipy.io.savemat(path, dict(columns), do_compression=True)
    return path


def mat73(path: Path, columns: Mapping[str, Any]) -> Path:
    """Write as MATLAB's `save -v7.3` does: HDF5 after 512 bytes, with reversed axes."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in columns.items():
            array = np.atleast_2d(np.asarray(values, dtype=np.float64))
            file[name] = array.T
            file[name].attrs["MATLAB_class"] = np.bytes_(b"double")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116))
    return path


WRITERS: dict[str, Callable[[Path, Mapping[str, Any]], Path]] = {
    "npz": npz,
    "h5": h5,
    "mat": mat,
    "mat73": mat73,
}


def ave(folder: Path, rows: int = 12) -> dict[str, np.ndarray]:
    """Write AVE's three files with fewer rows, seconds and channels."""
    rng = np.random.default_rng(1)
    seconds = 5
    arrays: dict[str, np.ndarray]
    labels = np.zeros((rows, seconds, 29), dtype=np.int64)
    labels[:, :, 28] = 1
    for row in range(rows):  # two seconds of the event, three of background
        labels[row, 1:3, 28] = 0
        labels[row, 1:3, row % 3 * 10] = 1
    arrays = {
        "audio_feature": rng.normal(size=(rows, seconds, 8)).astype(np.float32),
        "visual_feature": rng.normal(size=(rows, seconds, 7, 7, 4)).astype(np.float32),
        "labels": labels,
    }
    folder.mkdir(exist_ok=True)
    for name, values in arrays.items():
        h5(folder / f"{name}.h5", {"avadataset": values})
    return arrays


def refused(path: Path, limits: Limits | None = None) -> IntakeError:
    home = path if path.is_dir() else path.parent
    return refusal(lambda: read_paired(path, limits or Limits()), home)


@pytest.mark.parametrize("form", WRITERS)
def test_features_of_whole_clips(tmp_path: Path, form: str) -> None:
    columns = {**paired(), "fine_labels": np.arange(40) % 8, "ids": np.arange(40) + 100}
    read = read_paired(WRITERS[form](tmp_path / "a.npz", columns))
    np.testing.assert_array_equal(read.features, columns["audio"])
    assert read.visual is not None
    np.testing.assert_array_equal(read.visual, columns["visual"])
    assert read.labels.tolist() == columns["labels"].tolist()
    assert read.fine is not None
    assert read.fine.tolist() == columns["fine_labels"].tolist()
    assert read.ids is not None
    assert read.ids[:2] == ("100", "101")
    assert read.warnings == ()


@pytest.mark.parametrize("lists", [True, False])
def test_parquet(tmp_path: Path, lists: bool) -> None:
    columns: dict[str, Any] = dict(paired())
    audio, visual = columns["audio"], columns["visual"]
    if not lists:
        columns = {f"v{i}": visual[:, i] for i in range(9)} | {"label": columns["labels"]}
        columns |= {f"a{i}": audio[:, i] for i in range(6)}
    read = read_paired(parquet(tmp_path / "a.parquet", columns))
    np.testing.assert_array_equal(read.features, audio)
    np.testing.assert_array_equal(read.visual, visual)


@pytest.mark.parametrize("form", WRITERS)
def test_features_of_each_second_are_averaged_with_a_warning(tmp_path: Path, form: str) -> None:
    rng = np.random.default_rng(0)
    marks = np.eye(5)[np.arange(40) % 4]
    columns = {
        "audio": rng.normal(size=(40, 10, 128)),
        "visual": rng.normal(size=(40, 10, 32)),
        "labels": np.repeat(marks[:, None], 10, axis=1),
    }
    read = read_paired(WRITERS[form](tmp_path / "a.npz", columns))
    np.testing.assert_allclose(read.features, columns["audio"].mean(axis=1), rtol=1e-5, atol=1e-6)
    assert read.visual is not None
    np.testing.assert_allclose(read.visual, columns["visual"].mean(axis=1), rtol=1e-5, atol=1e-6)
    assert read.labels.tolist() == [0, 1, 2, 3] * 10
    assert {(warning.where, warning.message) for warning in read.warnings} == {
        ("audio", "has shape (40, 10, 128); each row is the mean of its 10 parts"),
        ("visual", "has shape (40, 10, 32); each row is the mean of its 10 parts"),
        ("labels", "each row has the class of most of its 10 parts"),
    }


def test_the_folder_of_ave_is_read(tmp_path: Path) -> None:
    arrays = ave(tmp_path)
    read = read_paired(tmp_path)
    np.testing.assert_allclose(
        read.features, arrays["audio_feature"].mean(axis=1), rtol=1e-5, atol=1e-6
    )
    assert read.visual is not None
    np.testing.assert_allclose(
        read.visual, arrays["visual_feature"].mean(axis=(1, 2, 3)), rtol=1e-5, atol=1e-6
    )
    assert read.labels.tolist() == [0, 1, 2] * 4
    assert read.class_names == ("0", "10", "20")
    assert "background apart" in " ".join(warning.message for warning in read.warnings)


def test_missing_or_mismatched_files_of_ave_are_refused(tmp_path: Path) -> None:
    ave(tmp_path)
    (tmp_path / "audio_feature.h5").unlink()
    (tmp_path / "labels.h5").unlink()
    problems = found(refused(tmp_path))
    assert set(problems) == {"audio_feature.h5", "labels.h5"}
    ave(tmp_path)
    (tmp_path / "audio_feature.h5").write_bytes(b"no")
    assert "is not a complete HDF5 file" in found(refused(tmp_path))["audio_feature.h5"]
    ave(tmp_path)
    h5(tmp_path / "audio_feature.h5", {"a": np.zeros(3), "b": np.zeros(3)})
    assert found(refused(tmp_path)) == {"audio_feature.h5": "holds 2 arrays; needs one"}


def test_a_clip_of_ave_without_an_event_is_refused(tmp_path: Path) -> None:
    labels = ave(tmp_path)["labels"]
    labels[5] = 0
    labels[5, :, 28] = 1
    h5(tmp_path / "labels.h5", {"avadataset": labels})
    assert found(refused(tmp_path)) == {
        "row 5, labels": "is missing; every row needs one class marked"
    }


@pytest.mark.parametrize("form", WRITERS)
def test_every_bad_row_is_named(tmp_path: Path, form: str) -> None:
    columns = paired()
    columns["labels"] = columns["labels"].astype(np.float64)
    columns["audio"][3, 2] = np.nan
    columns["visual"][7, 1] = np.inf
    columns["labels"][9] = np.nan
    assert set(found(refused(WRITERS[form](tmp_path / "a.npz", columns)))) == {
        "row 3, column a2",
        "row 7, column v1",
        "row 9, labels",
    }


@pytest.mark.parametrize("form", WRITERS)
def test_modalities_of_different_length_are_refused(tmp_path: Path, form: str) -> None:
    columns = paired()
    columns["visual"] = columns["visual"][:30]
    problems = found(refused(WRITERS[form](tmp_path / "a.npz", columns)))
    assert "audio 40, visual 30, labels 40" in problems[""]


@pytest.mark.parametrize("form", WRITERS)
def test_a_missing_modality_is_refused(tmp_path: Path, form: str) -> None:
    columns = paired()
    columns["video"] = columns.pop("visual")
    problems = found(refused(WRITERS[form](tmp_path / "a.npz", columns)))
    advice = "rename them, or upload it and say there which is what"
    assert problems == {"visual": f"is missing; the file holds audio, labels, video; {advice}"}


@pytest.mark.parametrize("form", WRITERS)
def test_a_table_beyond_the_limits_is_refused(tmp_path: Path, form: str) -> None:
    columns = {**paired(), "audio": np.zeros((40, 20_000))}
    if form == "h5":  # compressed, so that the file does not hold what it declares
        with h5py.File(tmp_path / "a", "w") as file:
            for name, values in columns.items():
                file.create_dataset(name, data=values, compression="gzip")
        path = tmp_path / "a"
    else:
        path = WRITERS[form](tmp_path / "a.npz", columns)
    limits = Limits(max_bytes=1_000_000)
    assert "more than 1,000,000" in str(refused(path, limits))


def test_values_that_an_h5_file_really_holds_are_read_at_any_size(tmp_path: Path) -> None:
    columns = {**paired(), "visual": np.ones((40, 10, 1_000)) * np.arange(40)[:, None, None]}
    read = read_paired(h5(tmp_path / "a.h5", columns), Limits(max_bytes=1_000_000))
    assert read.visual is not None
    np.testing.assert_array_equal(read.visual[:, 0], np.arange(40))


def test_values_of_other_files_are_never_read(tmp_path: Path) -> None:
    """An HDF5 file can name any file of the machine as the source of its values."""
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(40 * 6 * 4))
    h5(tmp_path / "other.h5", paired())
    layout = h5py.VirtualLayout(shape=(40, 9), dtype="f4")
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "visual", shape=(40, 9))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("audio", (40, 6), "f4", external=[(str(secret), 0, 40 * 6 * 4)])
        file.create_virtual_dataset("visual", layout)
        file["labels"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "labels")
        file["ids"] = h5py.SoftLink("/labels")
        file.create_group("fine_labels")
    assert found(refused(tmp_path / "a.h5")) == {
        "audio": "has its values in another file; store them in this one",
        "visual": "has its values in another file; store them in this one",
        "labels": "is a link; store the values themselves",
        "ids": "is a link; store the values themselves",
        "fine_labels": "is not an array; store one dataset of this name",
    }


@pytest.mark.parametrize("words", [["a", "b", "ä", "d"], [b"a", b"b", b"c", b"d"]])
def test_words_in_h5_and_matlab(tmp_path: Path, words: list[Any]) -> None:
    labels = [words[row % 4] for row in range(40)]
    expected = ("a", "b", "d", "ä") if isinstance(words[0], str) else ("a", "b", "c", "d")
    assert (
        read_paired(h5(tmp_path / "a.h5", {**paired(), "labels": labels})).class_names == expected
    )
    if isinstance(words[0], str):
        read = read_paired(mat(tmp_path / "a.mat", {**paired(), "labels": labels}))
        assert read.class_names == expected


def test_cells_and_structs_of_matlab_are_refused(tmp_path: Path) -> None:
    cells = np.empty(40, dtype=object)
    cells[:] = "a"
    path = mat(tmp_path / "a.mat", {**paired(), "labels": cells, "visual": {"x": 1}})
    problems = found(refused(path))
    assert set(problems) == {"labels", "visual"}
    assert "is a cell, a struct or sparse" in problems["labels"]


def test_a_bomb_in_a_matlab_file_is_not_unpacked(tmp_path: Path) -> None:
    path = mat(tmp_path / "a.mat", {**paired(), "other": np.zeros(3_000_000)})
    assert path.stat().st_size < 100_000
    error = refused(path, Limits(max_bytes=1_000_000))
    assert found(error) == {"": "unpacks to more than 1,000,000 bytes; bring fewer rows or columns"}


@pytest.mark.parametrize("form", ["h5", "mat", "mat73"])
def test_truncated_and_damaged_tables(tmp_path: Path, form: str) -> None:
    """Damage anywhere gives the table or an IntakeError, and leaves nothing behind."""
    whole = WRITERS[form](tmp_path / "a", paired()).read_bytes()
    broken = tmp_path / "b"
    for length in range(0, len(whole) - 1, max(1, len(whole) // 30)):
        broken.write_bytes(whole[:length])
        refused(broken)
    rng = np.random.default_rng(0)
    refusals = 0
    for _ in range(200):
        content = bytearray(whole)
        for at in rng.integers(0, len(content), 10):
            content[at] = rng.integers(0, 256)
        broken.write_bytes(content)
        try:
            read_paired(broken)
        except IntakeError:
            refusals += 1
    assert refusals > 20
    assert tree(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("kwargs", [{}, {"chunks": (2**18, 6)}, {"compression": "gzip"}])
def test_an_h5_file_that_declares_more_than_it_holds_is_refused(
    tmp_path: Path, kwargs: Any
) -> None:
    columns = paired()
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["visual"] = columns["visual"]
        file["labels"] = columns["labels"]
        file.create_dataset("audio", shape=(10**10, 6), dtype="f4", **kwargs)
    assert (tmp_path / "a.h5").stat().st_size < 100_000
    problems = found(refused(tmp_path / "a.h5"))
    assert "declares shape (10000000000, 6), 240,000,000,000 bytes" in problems["audio"]


def test_missing_or_endless_words_in_an_h5_file_are_refused(
    tmp_path: Path,
) -> None:
    with h5py.File(h5(tmp_path / "a.h5", paired()), "a") as file:
        file.create_dataset("ids", shape=(10**10,), dtype=h5py.string_dtype())
        file["fine_labels"] = ["x" * 5_000] * 40
    problems = found(refused(tmp_path / "a.h5"))
    assert set(problems) == {"ids", "fine_labels"}
    assert "declares 10,000,000,000 words" in problems["ids"]
    assert "has a word of 5,000 letters" in problems["fine_labels"]


def test_huge_chunks_are_not_read(tmp_path: Path) -> None:
    with h5py.File(h5(tmp_path / "a.h5", {"labels": np.arange(40) % 4}), "w") as file:
        file["labels"] = np.arange(40) % 4
        file["visual"] = paired()["visual"]
        file.create_dataset(
            "audio", (40, 6), "f4", chunks=(2**26, 6), maxshape=(None, 6), compression="gzip"
        )
    assert "has chunks of more than" in found(refused(tmp_path / "a.h5"))["audio"]
