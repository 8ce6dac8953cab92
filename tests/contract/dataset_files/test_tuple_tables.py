"""Tables of pairs, triplets, and pairs with a label or a score."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.comparison.data import TupleShape
from contract.dataset_files import (
    Answers,
    IntakeError,
    TupleTable,
    UnansweredError,
    read_features,
    read_texts,
    read_tuples,
)
from contract.dataset_files.text_values import MAX_CHARACTERS

HEADS: dict[TupleShape, str] = {
    "pairs": "anchor,positive",
    "triplets": "anchor,positive,negative",
    "labelled_pairs": "first,second,same",
    "scored_pairs": "first,second,score",
}
LASTS: dict[TupleShape, str] = {
    "pairs": "",
    "triplets": ",n{i}",
    "labelled_pairs": ",{same}",
    "scored_pairs": ",{score}",
}


def good_rows(shape: TupleShape, count: int = 20) -> list[str]:
    return [f"q{i},a{i}" + LASTS[shape].format(i=i, same=i % 2, score=i % 5) for i in range(count)]


def written(folder: Path, shape: TupleShape, *more: str, count: int = 20) -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join([HEADS[shape], *good_rows(shape, count), *more]) + "\n")
    return path


def problems(path: Path, shape: TupleShape) -> dict[str, str]:
    with pytest.raises(IntakeError) as refused:
        read_tuples(path, shape)
    return {problem.where: problem.message for problem in refused.value.problems}


@pytest.mark.parametrize("shape", HEADS)
def test_a_good_table_is_read(tmp_path: Path, shape: TupleShape) -> None:
    table = read_tuples(written(tmp_path, shape), shape)
    assert len(table) == 20
    width = 3 if shape == "triplets" else 2
    assert table.rows.shape == (20, width)
    assert [table.items[place] for place in table.rows[3]] == ["q3", "a3", "n3"][:width]
    assert (table.same is None) == (shape != "labelled_pairs")
    assert (table.scores is None) == (shape != "scored_pairs")
    assert table.warnings == ()


def test_all_problems_of_all_rows_are_told_at_once(tmp_path: Path) -> None:
    long = "x" * (MAX_CHARACTERS + 1)
    path = written(tmp_path, "triplets", "q,,n", ",a,n", "s,s,n", "q,t,t", "q,t,q", f"q,{long},n")
    found = problems(path, "triplets")
    assert found.keys() == {
        "row 20, positive",
        "row 21, anchor",
        "row 22, positive",
        "row 23, negative",
        "row 24, negative",
        "row 25, positive",
    }
    assert found["row 20, positive"].startswith("is empty, so that the tuple has no positive")
    assert found["row 22, positive"].startswith("is the same as its anchor")
    assert found["row 23, negative"].startswith("is the same as its positive")
    assert found["row 24, negative"].startswith("is the same as its anchor")
    assert "20,001 characters" in found["row 25, positive"]


def test_labels_that_contradict_each_other_or_say_nothing(tmp_path: Path) -> None:
    found = problems(written(tmp_path, "labelled_pairs", "a1,q1,0", "u,v,maybe"), "labelled_pairs")
    assert found == {
        "row 20": "is the pair of row 1 with the other label; leave one of them out",
        "row 21, same": "is 'maybe'; needs 1 or 0, true or false, yes or no",
    }
    path = tmp_path / "table.csv"
    path.write_text("\n".join([HEADS["labelled_pairs"], *(f"a{i},b{i},yes" for i in range(12))]))
    assert problems(path, "labelled_pairs")[""].startswith("holds only pairs that belong together")


def test_scores_outside_the_range_of_the_others(tmp_path: Path) -> None:
    path = written(tmp_path, "scored_pairs", "u,v,7.5", "w,x,nan", "y,z,", count=60)
    found = problems(path, "scored_pairs")
    assert found["row 60, score"].startswith("is 7.5, outside 0 to 5, the range of 98.4% of")
    assert found["row 61, score"] == "is 'nan'; needs a finite number"
    assert found["row 62, score"] == "is empty; needs a finite number"
    path.write_text("\n".join([HEADS["scored_pairs"], *(f"a{i},b{i},{i * 50}" for i in range(20))]))
    assert "goes from 0 to 950; scale the scores" in problems(path, "scored_pairs")["score"]
    path.write_text("\n".join([HEADS["scored_pairs"], *(f"a{i},b{i},2" for i in range(20))]))
    assert problems(path, "scored_pairs")["score"].startswith("is 2 in every row")


def test_tuples_that_come_twice_are_used_once(tmp_path: Path) -> None:
    table = read_tuples(written(tmp_path, "pairs", "q3,a3"), "pairs")
    assert len(table) == 20
    assert [(one.where, one.message) for one in table.warnings] == [
        ("row 20", "is identical with row 3; only that one is used")
    ]
    scored = read_tuples(written(tmp_path, "scored_pairs", "q3,a3,1"), "scored_pairs")
    assert scored.scores is not None
    assert (len(scored), scored.scores[3]) == (20, 3)
    assert "with another score; the first is used" in scored.warnings[0].message
    turned = read_tuples(written(tmp_path, "labelled_pairs", "a3,q3,1"), "labelled_pairs")
    assert len(turned) == 20, "of labelled and scored pairs the order means nothing"
    assert len(read_tuples(written(tmp_path, "pairs", "a3,q3"), "pairs")) == 21


def test_few_tuples_are_refused(tmp_path: Path) -> None:
    found = problems(written(tmp_path, "pairs", count=9), "pairs")
    assert found == {"": "has 9 different tuples; needs 10 or more"}


@pytest.mark.parametrize(
    ("shape", "asked", "kind"),
    [("pairs", "labelled_pairs", "pairs"), ("scored_pairs", "triplets", "scored_pairs")],
)
def test_a_table_of_another_shape_says_which(
    tmp_path: Path, shape: TupleShape, asked: TupleShape, kind: str
) -> None:
    found = problems(written(tmp_path, shape), asked)
    assert found == {"kind": f"has the columns of {kind}; upload it as '{kind}'"}


def test_texts_are_no_tuples_and_tuples_no_texts(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text("text,label\n" + "\n".join(f"t{i},{i % 2}" for i in range(20)))
    assert problems(path, "pairs") == {"kind": "holds texts and labels; upload it as 'text'"}
    with pytest.raises(IntakeError, match="has the columns of pairs; upload it as 'pairs'"):
        read_texts(written(tmp_path, "pairs"))
    path.write_text("f0,f1,label\n" + "\n".join(f"{i},{i},{i % 2}" for i in range(20)))
    assert problems(path, "pairs") == {"kind": "holds features and labels; upload it as 'features'"}


def test_columns_of_other_names(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("query,answer\n" + "\n".join(f"q{i},a{i}" for i in range(12)))
    found = read_tuples(path, "pairs")
    assert [one.message for one in found.warnings] == [
        "is taken as the anchor",
        "is taken as the positive",
    ]
    path.write_text("foo,bar\n" + "\n".join(f"q{i},a{i}" for i in range(12)))
    with pytest.raises(UnansweredError, match="are not called anchor, positive") as asked:
        read_tuples(path, "pairs", ask=True)
    [question] = asked.value.questions
    assert [column.roles for column in question.columns] == [["anchor", "positive", "split"]] * 2
    told = Answers.model_validate({"columns": {"anchor": "bar", "positive": "foo"}})
    assert read_tuples(path, "pairs", answers=told).items[:2] == ("a0", "q0")
    wrong = Answers.model_validate({"columns": {"anchor": "foo", "labels": "bar"}})
    with pytest.raises(IntakeError, match="is for another kind of data") as refused:
        read_tuples(path, "pairs", answers=wrong)
    assert {one.where for one in refused.value.problems} == {"columns.labels", "columns.positive"}
    with pytest.raises(IntakeError, match="is for texts or tuples"):
        read_features(path, answers=told)


def test_json_lines_and_parquet_with_numbers_as_ids(tmp_path: Path) -> None:
    lines = tmp_path / "table.jsonl"
    rows = [{"anchor": i, "positive": i + 100, "split": "val"} for i in range(12)]
    rows += [{"anchor": i, "positive": i + 100, "split": "train"} for i in range(12, 30)]
    lines.write_text("\n".join(json.dumps(row) for row in rows))
    table = read_tuples(lines, "pairs")
    assert table.items[:2] == ("0", "100")
    assert table.parts is not None
    assert set(table.parts) == {"train", "test"}, "without a test part, validation tests"
    stored = tmp_path / "table.parquet"
    columns = {"first": range(20), "second": [f"b{i}" for i in range(20)]}
    same = pa.array([i % 3 == 0 for i in range(20)])
    pq.write_table(pa.table({**{k: list(v) for k, v in columns.items()}, "same": same}), stored)
    found = read_tuples(stored, "labelled_pairs")
    assert found.items[:2] == ("0", "b0")
    assert found.same is not None
    assert found.same.tolist() == [i % 3 == 0 for i in range(20)]


def test_a_table_knows_its_length() -> None:
    table = TupleTable("pairs", ("a", "b"), np.array([[0, 1]]))
    assert len(table) == 1
