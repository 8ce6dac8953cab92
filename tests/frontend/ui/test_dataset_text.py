"""Texts and HTML about data sets."""

from typing import Any

import pytest

from backend.datasets.check_report import KINDS
from contract.catalogue.catalogue import catalogue
from frontend.errors import FieldProblem
from frontend.ui import dataset_text as dataset_facts

BAD = "<script>'x'</script>"

TUPLES = dataset_facts.TUPLES


def dataset(**changes: Any) -> dict[str, Any]:
    base = {
        "id": "d1",
        "kind": "features",
        "items": 1200,
        "classes": 10,
        "has_fine": False,
        "shape": {"features": 64},
        "size": 34_000_000,
        "thumbnail_items": [],
        "texts": [],
    }
    return {**base, **changes}


def test_every_kind_that_the_api_takes_has_a_name_and_a_file() -> None:
    assert set(dataset_facts.KIND_TITLES) == set(KINDS)
    assert {kind for kinds in dataset_facts.KINDS_BY_ENDING.values() for kind in kinds} == set(
        KINDS
    )
    assert len(dataset_facts.LAYOUTS) == len(KINDS) - 2, "two rows for the four shapes of tuples"


@pytest.mark.parametrize(
    ("file", "kinds"),
    [
        ("a.zip", ("image_folder",)),
        ("A.B.NPZ", ("features", "paired_features")),
        ("x.parquet", ("features", "paired_features", "text", *TUPLES)),
        ("x.h5", ("paired_features", "features")),
        ("x.mat", ("paired_features", "features")),
        ("x.PQ", ("features", "paired_features", "text", *TUPLES)),
        ("x.csv", ("features", "paired_features", "text", *TUPLES)),
        ("zip", ("features", "paired_features", "image_folder", "text", *TUPLES)),
        ("x.jsonl", ("text", *TUPLES)),
    ],
)
def test_the_ending_of_a_file_decides_its_kinds(file: str, kinds: tuple[str, ...]) -> None:
    assert dataset_facts.kinds_of(file) == kinds


def test_a_data_set_in_one_line() -> None:
    assert dataset_facts.summary(dataset()) == "1,200 items, 10 classes, 64 features, 34 MB"
    pairs = dataset(shape={"audio": 128, "visual": 1024}, has_fine=True)
    assert dataset_facts.summary(pairs) == (
        "1,200 items, 10 classes, fine labels, 128 audio features, 1,024 visual features, 34 MB"
    )
    sides = {"min_width": 20, "max_width": 90, "min_height": 30, "max_height": 80}
    assert dataset_facts.shape_texts(sides) == ["20 x 30 to 90 x 80 pixels"]
    assert dataset_facts.shape_texts({**sides, "max_width": 20, "max_height": 30}) == [
        "20 x 30 pixels"
    ]


def test_tuples_in_one_line() -> None:
    seen = {"distinct": 90, "groups": 40, "largest_group": 3, "longest": 20}
    made = dataset(kind="triplets", items=50, classes=0, shape=seen)
    assert dataset_facts.summary(made) == (
        "50 triplets, 90 different items, 40 groups that share items, 34 MB"
    )
    labelled = dataset(kind="labelled_pairs", items=50, shape={**seen, "same": 20})
    assert "50 labelled pairs, 20 of them same, 90" in dataset_facts.summary(labelled)
    texts = [{"class_name": f"1, {role}", "text": role * 2} for role in ("anchor", "positive")]
    html = dataset_facts.texts_table({"kind": "pairs", "texts": texts})
    assert "<th scope='row'>1, positive</th><td>positivepositive</td>" in html


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (171_000, "171 kB"), (1.2e9, "1.2 GB")],
)
def test_sizes_are_short(count: float, said: str) -> None:
    assert dataset_facts.file_size(count) == said


def test_thumbnails_have_the_names_of_their_classes() -> None:
    items = [
        {"n": 4 * label + at, "class_name": f"c{label}", "file": f"c{label}/{at}.jpg"}
        for label in range(9)
        for at in range(4)
    ]
    page = dataset_facts.thumbnails(dataset(classes=10, thumbnail_items=items), "/api/v1")
    assert page.count("<figure>") == dataset_facts.MAX_CLASSES
    assert page.count("<img ") == dataset_facts.MAX_CLASSES * dataset_facts.MAX_IMAGES
    assert "src='/api/v1/datasets/d1/thumbnails/4' alt='c1/0.jpg'" in page
    assert ">c1</figcaption>" in page
    assert "and 4 more classes" in page


def test_every_text_of_a_user_is_escaped() -> None:
    items = [{"n": 0, "class_name": BAD, "file": BAD}]
    pages = [
        dataset_facts.thumbnails(dataset(classes=1, thumbnail_items=items), "/api/v1"),
        dataset_facts.problems_table([FieldProblem(BAD, BAD)]),
    ]
    for page in pages:
        assert "<script" not in page
        assert "'x'" not in page
        assert "&lt;script&gt;" in page


def test_a_problem_of_the_whole_file_says_so() -> None:
    page = dataset_facts.problems_table(
        [FieldProblem("", "is empty"), FieldProblem("row 3", "bad")]
    )
    assert "<th scope='row'>the file</th><td>is empty</td>" in page
    assert "<th scope='row'>row 3</th><td>bad</td>" in page


def test_the_catalogues_data_sets_say_where_they_come_from() -> None:
    rows = catalogue()["data"]
    page = dataset_facts.catalogue_table(rows)
    shown = [row for row in rows if f"<th scope='row'>{row['label']}</th>" in page]
    assert [row["kind"] for row in rows if row not in shown] == [
        row["kind"] for row in rows if row["source"] == "own"
    ]
    assert {row["source"] for row in shown} == set(dataset_facts.SOURCE_TEXTS)
    assert "171 MB" in page
    assert "https://arxiv.org/abs/1708.07747" in page


def test_texts_are_shown_escaped_one_of_each_class() -> None:
    shown = [("a", "one <i>"), ("a", "two"), ("b", "three")]
    texts = [{"class_name": name, "text": text} for name, text in shown]
    html = dataset_facts.texts_table({"kind": "text", "texts": texts})
    assert "one &lt;i&gt;" in html
    assert "two" not in html
    assert "three" in html
    characters = {"shortest": 4, "median": 20, "longest": 1_300}
    assert dataset_facts.shape_texts(characters) == ["4 to 1,300 characters"]
