"""Tags as one line of text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend.ui.tags import format_tags, parse_tags


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", []),
        (" a,b ,, c d ", ["a", "b", "c d"]),
        ('"a, b", c', ["a, b", "c"]),
        ('he said "no"', ['he said "no"']),
        ('"a, b', ["a, b"]),
        ("a\nb", ["a", "b"]),
    ],
)
def test_tags_are_separated_by_commas(text: str, tags: list[str]) -> None:
    assert parse_tags(text) == tags


def test_a_text_that_is_far_too_long_comes_back_whole() -> None:
    assert parse_tags("a" * 200_000) == ["a" * 200_000]


@given(st.lists(st.text(min_size=1, max_size=9).filter(lambda tag: tag == tag.strip())))
def test_any_tags_come_out_as_they_went_in(tags: list[str]) -> None:
    assert parse_tags(format_tags(tags)) == tags
