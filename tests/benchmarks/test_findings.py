import re

import pytest

from benchmarks.findings import PAGE, PROTOCOLS, comparison_spec, with_table
from benchmarks.flips import CASES
from contract.comparison.spec import parse_spec

TABLE = re.compile(r"<!-- table: ([^\n]*) -->\n(.*?)<!-- end -->", re.DOTALL)


def test_a_table_is_written_between_its_marks_again_and_again() -> None:
    page = "a\n<!-- table: x -->\nold\n<!-- end -->\nb\n<!-- table: y -->\n<!-- end -->\n"
    once = with_table(page, "x", ["| 1 |", "|--|"])
    assert once == (
        "a\n<!-- table: x -->\n\n| 1 |\n|--|\n\n<!-- end -->\nb\n<!-- table: y -->\n<!-- end -->\n"
    )
    assert with_table(once, "x", ["| 1 |", "|--|"]) == once


def test_a_table_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="0 places for the table 'z'"):
        with_table("a\n", "z", [])


def test_the_page_has_a_filled_place_for_each_table() -> None:
    found = dict(TABLE.findall(PAGE.read_text()))
    names = ("words", "claims", "results", "flips")
    assert set(found) == {f"{case} {name}" for case in CASES for name in names}
    assert all("|--|" in lines for lines in found.values())


def test_each_protocol_names_two_arms_of_the_comparison() -> None:
    for case in CASES:
        spec = parse_spec(comparison_spec(case))
        arms = {arm.name: arm.loss.kind for arm in spec.arms}
        for a, b in PROTOCOLS.values():
            assert (arms[a], arms[b]) == ("contrastive", "triplet")
