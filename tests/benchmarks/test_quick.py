import json

import pytest

from benchmarks import quick


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (3.0, []),
        (9.0, []),
        (2.01, []),
        (1.99, ["MISSED loss: floor 3, seen 1.99"]),
    ],
)
def test_a_ratio_may_fall_by_a_third_below_its_floor(seen: float, expected: list[str]) -> None:
    assert quick.complaints({"loss": 3.0}, {"loss": seen}) == expected


def test_each_fallen_ratio_is_named_and_the_others_are_not() -> None:
    floors = {"loss": 3.0, "search": 0.3, "insert": 40.0}
    assert quick.complaints(floors, {"loss": 3.1, "search": 0.1, "insert": 20.0}) == [
        "MISSED search: floor 0.3, seen 0.1",
        "MISSED insert: floor 40, seen 20",
    ]


def test_neither_a_case_nor_a_floor_gets_lost() -> None:
    assert quick.complaints({"loss": 3.0}, {"search": 2.0}) == [
        "MISSED loss: floor 3, not measured",
        "MISSED search: no floor is stored",
    ]


def test_the_stored_floors_say_where_and_when() -> None:
    stored = json.loads(quick.FLOORS.read_text())
    assert {"machine", "date", "torch"} <= set(stored["note"])
    assert all(ratio > 0 for ratio in stored["ratios"].values())
    assert len(stored["ratios"]) == 9
