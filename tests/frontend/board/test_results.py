"""Results of comparisons as texts of the board's table."""

from typing import Any, cast

import pytest

from frontend.api.types import BestArm, Comparison
from frontend.board.results import best_text, claims_text, metric_text, value_text

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


@pytest.mark.parametrize(
    ("mean", "sd", "shown"),
    [
        (0.84312, 0.0123, "0.843 ± 0.012"),
        (1.5, 0.067, "1.500 ± 0.067"),
        (12.3456, 2.5, "12.3 ± 2.5"),
        (-0.5, 0.00034, "−0.50000 ± 0.00034"),
        (0.5, 0.0, "0.500 ± 0.000"),
        (0.84312, None, "0.843"),
        (0.5, 1e-12, "0.500000 ± 0.000000"),
    ],
)
def test_decimals_follow_the_spread(mean: float, sd: float | None, shown: str) -> None:
    assert value_text({**BEST, "mean": mean, "sd": sd}) == shown


def test_a_result_names_the_best_arm_its_metric_and_the_claims_by_word() -> None:
    claims = {"undecided": 4, "supported": 3, "not_measured": 2}
    one = with_result({"best": {**BEST, "level_with": 2}, "claims": claims, "no_claims": ""})
    assert best_text(one) == "triplet (+2 no clear difference)"
    assert metric_text(one) == "0.843 ± 0.012 MAP@R"
    assert claims_text(one) == "✓ 3  ? 4  – 2"


@pytest.mark.parametrize(
    "result", [None, {"best": None, "claims": None, "no_claims": "The comparison has no arm."}]
)
def test_without_a_result_the_cells_are_empty(result: Any) -> None:
    one = with_result(result)
    assert (best_text(one), metric_text(one), claims_text(one)) == ("", "", "")
