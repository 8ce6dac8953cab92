"""Results of comparisons as texts of the board's table."""

from typing import Any, cast

from frontend.api.types import BestArm, Comparison
from frontend.board.results import best_text, claims_text, metric_text

BEST: BestArm = {
    "arm": "triplet",
    "metric": "test.retrieval.map_at_r",
    "label": "MAP@R (test)",
    "better": "higher",
    "mean": 0.84312,
    "sd": 0.0123,
    "n": 3,
    "level_with": 0,
}


def with_result(result: Any) -> Comparison:
    return cast(Comparison, {"result": result})


def test_a_result_names_the_best_arm_its_metric_and_the_claims_by_word() -> None:
    claims = {"undecided": 4, "supported": 3, "not_measured": 2}
    one = with_result({"best": {**BEST, "level_with": 2}, "claims": claims, "no_claims": ""})
    assert best_text(one) == "triplet (no clear lead over 2)"
    assert metric_text(one) == "0.843 ± 0.012 MAP@R"
    assert claims_text(one) == "✓ 3  ? 4  – 2"


def test_without_a_result_the_cells_are_empty() -> None:
    one = with_result(None)
    assert (best_text(one), metric_text(one), claims_text(one)) == ("", "", "")


def test_a_result_without_claims_says_why() -> None:
    one = with_result({"best": None, "claims": None, "no_claims": "The comparison has no arm."})
    assert (best_text(one), metric_text(one)) == ("", "")
    assert claims_text(one) == "The comparison has no arm."
