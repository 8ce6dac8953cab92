"""The order of class names, and how names with control characters are shown."""

import random

import pytest

from contract.dataset_files.class_names import number_key, number_order, printable


@pytest.mark.parametrize(
    "names",
    [
        ["1", "2", "3", "10", "11", "20"],
        ["007", "07", "7", "8"],
        ["a1b2", "a1b10", "a2b1", "b"],
        ["001.Albatross", "2.Auk", "10.Crow", "Auk", "", "x"],
        ["7" * 200, "8" * 200],
    ],
)
def test_numbers_in_names_are_sorted_by_value(names: list[str]) -> None:
    mixed = random.Random(3).sample(names, len(names))
    assert sorted(mixed, key=number_key) == sorted(names, key=number_key)
    assert [mixed[index] for index in number_order(mixed)] == sorted(mixed, key=number_key)
    assert [name for name in sorted(mixed, key=number_key) if name] == [n for n in names if n]


def test_control_characters_are_written_out() -> None:
    assert printable("two\nlines\u2028 and \x1b, Größe 靴") == (
        "two\\nlines\\u2028 and \\x1b, Größe 靴"
    )
