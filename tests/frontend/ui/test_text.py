"""Texts of people in Markdown, and the order of names with numbers."""

import re

import pytest

from frontend.ui.text import bytes_text, escape_markdown, number_key


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("https://a.example/b", ["https:", "//a.example/b"]),
        ("WWW.a.example", ["WWW", ".a.example"]),
        ("me@a.example", ["me", "@a.example"]),
        ("http://www.a.example", ["http:", "//www", ".a.example"]),
        ("a: b www @ c", ["a: b www ", "@ c"]),
        ("**plain** [a](b)", ["**plain** [a](b)"]),
    ],
)
def test_addresses_are_cut_by_an_empty_element(text: str, cut: list[str]) -> None:
    parts = escape_markdown(text).split(":small[]")
    assert [re.sub(r"\\(.)", r"\1", part) for part in parts] == cut


def test_numbers_in_names_are_sorted_by_value() -> None:
    assert sorted(["b", "10", "9", "a10", "a9", ""], key=number_key) == [
        "",
        "9",
        "10",
        "a9",
        "a10",
        "b",
    ]


def test_sizes_have_two_digits_and_a_unit_that_fits() -> None:
    sizes = (1, 950, 24_336, 1_500_000, 350_000_000, 80e9)
    assert [bytes_text(int(size)) for size in sizes] == [
        "1 byte",
        "950 bytes",
        "24 kB",
        "1.5 MB",
        "350 MB",
        "80 GB",
    ]
