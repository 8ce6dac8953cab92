"""Tables as CSV, as programs and people write them."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from contract.dataset_files import IntakeError, Limits, read_features
from tests.support.tiny_sets import found, refusal

ROWS = [(f"{row / 7:.4f}", f"{row * row}", ("cat", "dog")[row % 2]) for row in range(12)]


def text(delimiter: str = ",", header: tuple[str, ...] = ("f0", "f1", "label")) -> str:
    return "\n".join(delimiter.join(line) for line in (header, *ROWS)) + "\n"


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "content"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path: Path) -> IntakeError:
    return refusal(lambda: read_features(path, ask=True), path.parent)


@pytest.mark.parametrize(
    "content",
    [
        text(),
        text(";"),
        text("\t"),
        text("|"),
        "\ufeff" + text(),
        text().replace("\n", "\r\n"),
        text().replace("cat", '"cat"').replace("label", '"label"'),
        text(";").replace(".", ","),
        text().replace("\n", "\n\n"),
    ],
    ids=["comma", "semicolon", "tab", "bar", "BOM", "CRLF", "quoted", "decimal comma", "empty"],
)
def test_every_usual_form_is_the_same_table(tmp_path: Path, content: str) -> None:
    read = read_features(written(tmp_path, content), ask=True)
    expected = np.array([row[:2] for row in ROWS]).astype(np.float32)
    np.testing.assert_array_equal(read.features, expected)
    assert read.class_names == ("cat", "dog")
    assert read.warnings == ()


def test_labels_ids_and_values_in_quotes(tmp_path: Path) -> None:
    lines = ["id,label,f0,f1"]
    lines += [f'00{row},"a, ""b""\n{row % 2}",{row},{row}.5' for row in range(8)]
    read = read_features(written(tmp_path, "\n".join(lines)))
    assert read.class_names == ('a, "b"\n0', 'a, "b"\n1')
    assert read.ids == tuple(f"{row}" for row in range(8))
    numbers = ["f0,label"] + [f"{row}.25,{row % 3}" for row in range(12)]
    assert read_features(written(tmp_path, "\n".join(numbers))).class_names == ("0", "1", "2")


def test_whole_numbers_that_become_fractions_beyond_the_first_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contract.dataset_files.csv_file._BLOCK", 2_000)
    lines = ["f0,f1,label"] + [f"{row},{row},{row % 2}" for row in range(2_000)]
    lines += [f"{row}.5,{row},{row % 2}" for row in range(2_000, 4_000)]
    read = read_features(written(tmp_path, "\n".join(lines)))
    assert read.features.shape == (4_000, 2)
    assert read.features[3_000, 0] == 3000.5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (text().encode("utf-16"), "is CSV in UTF-16"),
        (
            text(header=("f0", "größe", "label")).encode("latin-1"),
            "line 1: is not UTF-8; save it as UTF-8",
        ),
        ("1,2,cat\n" + text(), "is missing"),
        ("1,2,3\n4,5,6\n", "has numbers in its first line; put a line of names above it"),
        (text(header=("f0", "f0", "label")), "f0: is the name of two columns"),
        ("f0,f1,label\n", "has no rows"),
    ],
)
def test_what_is_no_table_is_told_in_one_line(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    error = refused(written(tmp_path, content))
    assert said in str(error)
    assert len(str(error)) < 300


def test_every_bad_row_is_named(tmp_path: Path) -> None:
    lines = text().splitlines()
    lines[3] = "1,2"
    lines[5] = "1,2,cat,9"
    assert found(refused(written(tmp_path, "\n".join(lines)))) == {
        "row 2": "has 2 values; the first line has 3",
        "row 4": "has 4 values; the first line has 3",
    }
    lines = text().splitlines()
    lines[4] = "one,2,cat"
    lines[7] = "?,2,dog"
    assert found(refused(written(tmp_path, "\n".join(lines)))) == {
        "row 3, column f0": "is 'one'; needs a number",
        "row 6, column f0": "is '?'; needs a number",
    }
    lines = text().splitlines()
    lines[4] = ",2,cat"
    lines[7] = "3,2,"
    assert found(refused(written(tmp_path, "\n".join(lines)))) == {
        "row 3, column f0": "is NaN; every value must be finite",
    } | {"row 6, label": "is missing; every row needs one"}


def test_labels_that_are_not_utf8(tmp_path: Path) -> None:
    error = refused(written(tmp_path, text().replace("cat", "Kätzchen").encode("latin-1")))
    assert str(error).startswith("line 2: is not UTF-8")


def test_the_limits_hold(tmp_path: Path) -> None:
    path = written(tmp_path, text())
    error = refusal(lambda: read_features(path, Limits(max_columns=2)), tmp_path)
    assert "has 3 columns; 2 are the most" in str(error)
    error = refusal(lambda: read_features(path, Limits(max_bytes=100)), tmp_path)
    assert "takes more than 100 bytes" in str(error)


def test_a_path_that_ends_as_a_packed_file_is_read_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, text()).rename(tmp_path / "a.csv.gz")
    assert len(read_features(path)) == 12


def test_damaged_csv_gives_the_table_or_a_refusal(tmp_path: Path) -> None:
    whole = text().encode()
    rng = np.random.default_rng(0)
    for _ in range(200):
        content = bytearray(whole)
        for at in rng.integers(0, len(content), 3):
            content[at] = rng.integers(0, 256)
        with suppress(IntakeError):
            read_features(written(tmp_path, bytes(content)))
