"""The worst queries of texts as a table."""

from typing import Any

from frontend.comparison.tabs.worst_queries import (
    worst_queries,
    worst_queries_table,
    worst_tuples_table,
)

SAMPLES: dict[str, Any] = {
    "texts": ["my <b>cat</b>", "w " * 200, "alone", "your dog"],
    "classes": ["cat", "dog", "owl"],
    "labels": [0, 1, 2, 1],
    "fine": [0, 1, -1, 1],
    "fine_names": ["cat: eats", "is old"],
}
ARM = {"arm": "pull & push", "average_precision": [0.5, 0.25, None, 0.25]}


def test_the_lowest_average_precision_comes_first_and_none_is_left_out() -> None:
    assert worst_queries([0.5, 0.25, None, 0.25]) == [1, 3, 0]
    assert worst_queries([0.1] * 9, count=2) == [0, 1]
    assert worst_queries([None]) == []


def test_texts_are_escaped_and_shortened_and_have_their_class() -> None:
    html = worst_queries_table([ARM, {"arm": "other", "average_precision": [None] * 4}], SAMPLES)
    assert "my &lt;b&gt;cat&lt;/b&gt;" in html
    assert "<b>" not in html
    assert "rowspan='3'>pull &amp; push</th>" in html
    assert "other" not in html, "an arm without a query has no row"
    assert "<td>cat, eats</td><td>0.500</td>" in html
    assert "<td>dog, is old</td><td>0.250</td>" in html
    [long] = [cell for cell in html.replace("</td>", "<td>").split("<td>") if "w w" in cell]
    assert len(long) <= 140
    assert long.endswith("w…")


def test_fine_labels_without_a_name_have_their_number() -> None:
    bare = {**SAMPLES, "fine_names": None}
    assert "<td>dog, fine label 1</td>" in worst_queries_table([ARM], bare)
    assert "<td>dog</td>" in worst_queries_table([ARM], {**bare, "fine": None})


def test_of_tuples_each_query_stands_beside_a_text_of_its_group() -> None:
    samples = {"texts": ["my <b>cat</b>", "your cat", "alone", "a cat"], "labels": [0, 0, 1, 0]}
    html = worst_tuples_table([ARM, {"arm": "other", "average_precision": [None] * 4}], samples)
    assert "<td>my &lt;b&gt;cat&lt;/b&gt;</td><td>your cat</td><td>0.500</td>" in html
    assert "<td>your cat</td><td>my &lt;b&gt;cat&lt;/b&gt;</td><td>0.250</td>" in html
    assert "alone" not in html
    none = {**ARM, "average_precision": [None] * 4}
    assert worst_tuples_table([none], samples) == ""
