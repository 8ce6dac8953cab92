"""Tables of texts: what is read, what is asked, and every problem with its row."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.dataset_files import (
    Answers,
    IntakeError,
    UnansweredError,
    read_features,
    read_texts,
)
from contract.dataset_files.questions import Question
from contract.dataset_files.text_values import MAX_CHARACTERS
from tests.support.tiny_sets import npz, table, write
from tests.support.tiny_texts import columns, write_csv, write_json_lines, write_parquet


def problems(path: Path, answers: Answers | None = None) -> dict[str, str]:
    """Return where -> message of a table that is refused."""
    with pytest.raises(IntakeError) as caught:
        read_texts(path, answers=answers or Answers())
    assert caught.value.total == len(caught.value.problems)
    return {one.where: one.message for one in caught.value.problems}


def lines(path: Path, *rows: object) -> Path:
    path.write_text(
        "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)
    )
    return path


@pytest.mark.parametrize("writer", [write_csv, write_parquet, write_json_lines])
def test_every_format_gives_the_same_texts(
    tmp_path: Path, writer: Callable[[Path, dict[str, list[str]]], Path]
) -> None:
    own = columns()
    read = read_texts(writer(tmp_path / "any name", own), ask=True)
    assert read.texts == tuple(own["text"])
    assert [read.class_names[label] for label in read.labels] == own["label"]
    assert read.fine is not None
    assert [read.fine_names[fine] for fine in read.fine] == own["fine_label"]
    assert read.ids == tuple(own["id"])
    assert read.parts == tuple({"val": "validation"}.get(part, part) for part in own["split"])
    assert read.warnings == ()


def test_only_text_and_label_are_needed_and_other_columns_are_told(tmp_path: Path) -> None:
    own = columns()
    path = write_csv(
        tmp_path / "a.csv",
        {"text": own["text"], "labels": own["label"], "note": own["id"], "split": own["id"]},
        ";",
    )
    read = read_texts(path)
    assert (read.fine, read.ids, read.parts) == (None, None, None)
    assert {one.where: one.message for one in read.warnings} == {
        "note": "is not used",
        "split": "is not used: it names no train, validation or test",
    }


def test_texts_that_look_like_numbers_are_texts(tmp_path: Path) -> None:
    own: dict[str, list[Any]] = {"text": ["1", "2.50", "3", "true"], "label": [0, 0, 1, 1]}
    read = read_texts(write_csv(tmp_path / "a.csv", own))
    assert (read.texts, read.class_names) == (("1", "2.50", "3", "true"), ("0", "1"))
    rows = [
        {"text": text, "label": label} for text, label in zip((1, 2, 3, 4), "aabb", strict=True)
    ]
    assert read_texts(lines(tmp_path / "a.jsonl", *rows)).texts == ("1", "2", "3", "4")


def test_without_a_test_part_the_validation_part_tests(tmp_path: Path) -> None:
    own = columns()
    own["split"] = ["Training" if part == "train" else "valid" for part in own["split"]]
    read = read_texts(write_csv(tmp_path / "b.csv", own))
    assert set(read.parts or ()) == {"train", "test"}
    own["split"] = ["train"] * len(own["split"])
    assert problems(write_csv(tmp_path / "a.csv", own)) == {
        "split": "names train alone; needs validation or test too"
    }


def test_every_problem_is_told_with_its_row(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv",
        {
            "text": ["  ", "x" * 1_000_000, "good", "bad", "fine"],
            "label": ["a", "a", "", "b", "b"],
            "fine_label": ["a", "b", "c", "", "e"],
            "id": ["1", "1", "2", "3", ""],
            "split": ["train", "train", "test", "dev", ""],
        },
    )
    assert problems(path) == {
        "row 0, text": "is empty; every row needs a text",
        "row 1, text": f"has 1,000,000 characters; {MAX_CHARACTERS:,} are the most: shorten it, "
        "or leave the row out",
        "row 2, label": "is missing; every row needs one",
        "row 3, fine_label": "is missing; every row needs one",
        "row 1, id": "is '1' again, as row 0; make it another",
        "row 4, id": "is missing; every row needs one, or none at all",
        "row 3, split": "is 'dev'; needs train, validation or test",
        "row 4, split": "is missing; needs train, validation or test",
    }


def test_a_long_text_that_many_rows_share_is_not_held_for_each(tmp_path: Path) -> None:
    text = pa.DictionaryArray.from_arrays(np.zeros(300, dtype=np.int32), ["x" * 1_000_000])
    label = pa.array([f"c{row % 3}" for row in range(300)])
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": text, "label": label}), path)
    with pytest.raises(IntakeError) as caught:
        read_texts(path)
    assert caught.value.total == 300
    assert caught.value.problems[0].where == "row 0, text"


def test_lines_that_are_no_objects_are_told_with_their_row(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "a.jsonl",
        {"text": "one", "label": "a"},
        "[1, 2]",
        "",
        '{"text": "two", "label": ',
        '{"text": "\\ud800", "label": "b"}',
    )
    found = problems(path)
    assert found["row 1"].startswith("is no object")
    assert found["row 2"].startswith("is not JSON in one line")
    assert "half of a character" in found["row 3, 'text'"]
    array = lines(tmp_path / "b.jsonl", '[{"text": "one", "label": "a"}]')
    assert "is one JSON array" in problems(array)[""]
    nested = [{"text": {"en": "one"}, "label": "a"}] * 3
    assert problems(lines(tmp_path / "c.jsonl", *nested))["text"].startswith("holds lists or obj")


def test_a_comma_in_a_text_without_quotes_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.csv": b"text,label\nno, thanks,a\nyes,b\n"}) / "a.csv"
    assert problems(path) == {"row 0": "has 3 values; the first line has 2"}


def test_of_identical_texts_the_first_is_used(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv",
        {"text": ["hi", " hi", "hi", "ho", "yes", "no"], "label": list("aabaab")},
    )
    read = read_texts(path)
    assert read.texts == ("hi", "hi", "ho", "yes", "no")
    assert {one.where: one.message for one in read.warnings} == {
        "row 1": "is identical with row 0; only that one is used",
        "row 2": "has the text of row 0, which is of another class",
    }
    alone = write_csv(tmp_path / "b.csv", {"text": ["hi", "ho", "hu"], "label": list("aab")})
    assert problems(alone)["class b"].startswith("has one row only")


def test_another_kind_of_file_says_as_what_it_is_uploaded(tmp_path: Path) -> None:
    plain = table()
    features = {f"f{at}": plain["features"][:, at].tolist() for at in range(3)}
    as_texts = write_csv(tmp_path / "a.csv", {**features, "label": plain["labels"].tolist()})
    assert problems(as_texts) == {"kind": "holds features and labels; upload it as 'features'"}
    with pytest.raises(IntakeError, match="upload it as 'text'"):
        read_features(write_csv(tmp_path / "b.csv", columns()))
    with pytest.raises(IntakeError, match="uploaded as 'text'"):
        read_features(write_json_lines(tmp_path / "c.jsonl", columns()))
    npz(tmp_path / "d.npz", plain)
    assert "upload it as 'features'" in problems(tmp_path / "d.npz")["kind"]
    assert "Texts are a CSV" in problems(write(tmp_path, {"e": b"\x00\x01"}) / "e")[""]


def question(path: Path) -> Question:
    with pytest.raises(UnansweredError) as caught:
        read_texts(path, ask=True)
    [one] = caught.value.questions
    return one


def test_columns_of_other_names_are_asked_about(tmp_path: Path) -> None:
    own = columns()
    path = write_csv(
        tmp_path / "a.csv",
        {"request": own["text"], "area": own["label"], "n": range(len(own["text"]))},
    )
    asked = question(path)
    assert {one.name: one.suggested for one in asked.columns} == {
        "request": "text",
        "area": "labels",
        "n": "",
    }
    roles = {one.name: one.roles for one in asked.columns}
    assert roles["request"] == ["text", "labels", "fine_labels", "ids", "split"]
    assert roles["n"] == ["labels", "fine_labels", "ids"]
    told = {"text": "request", "labels": "area", "ids": "n"}
    read = read_texts(path, answers=Answers.model_validate({"columns": told}), ask=True)
    assert read.texts == tuple(own["text"])
    assert read.ids is not None
    assert "rename them" in problems(path)["text"]


def test_answers_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", columns())
    told = Answers.model_validate(
        {"columns": {"text": "txt", "features": ["f*"], "ids": "id", "split": "id"}}
    )
    found = problems(path, told)
    assert set(found) == {"columns.text", "columns.labels", "columns.features", "columns"}
    assert "there is no column 'txt'" in found["columns.text"]


def test_a_common_other_name_is_taken_and_told(tmp_path: Path) -> None:
    own = columns()
    path = write_csv(tmp_path / "a.csv", {"Sentence": own["text"], "y": own["label"]})
    read = read_texts(path, ask=True)
    assert read.texts == tuple(own["text"])
    assert [one.message for one in read.warnings] == [
        "is taken as the text",
        "is taken as the labels",
    ]
