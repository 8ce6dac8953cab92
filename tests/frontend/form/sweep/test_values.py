"""Values of a sweep as people write them."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend.form.schema_fields import Field
from frontend.form.sweep.values import (
    MAX_VALUES,
    SweepError,
    check_choices,
    number_text,
    options_of,
    parse_values,
)

MARGIN = Field("margin", "Margin", "number", 1.0, minimum=0, maximum=1000)
LR = Field("lr", "Learning rate", "number", 0.001, minimum=0, maximum=100, excluded=(0.0,))
BATCH = Field("batch_size", "Batch size", "integer", 64, minimum=2, maximum=8192)
ANY = Field("any", "Anything", "number", 0.0)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1, 0.2, 0.5", [0.1, 0.2, 0.5]),
        ("0.1;0.2 ; 0.5", [0.1, 0.2, 0.5]),
        ("0.1 0.2\n.5", [0.1, 0.2, 0.5]),
        ("1e-3, 1., 2E+1", [0.001, 1.0, 20.0]),
        ("0.5, 0.1", [0.5, 0.1]),
        ("0.123456789 0.2,", [0.123456789, 0.2]),
        ("0.1...0.5", [0.1, 0.2, 0.3, 0.4, 0.5]),
        ("0.1…0.5, 3 points", [0.1, 0.3, 0.5]),
        ("0.1..0.5 3 values", [0.1, 0.3, 0.5]),
        ("0.1 to 0.5 linear, 3 points", [0.1, 0.3, 0.5]),
        ("0.1-0.5, 3points", [0.1, 0.3, 0.5]),
        ("0.1 – 0.5; 3 POINTS", [0.1, 0.3, 0.5]),
        ("0...1 step .25", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("0...1 by 0.4", [0.0, 0.4, 0.8]),
        ("0...1, 4 points", [0.0, 0.333, 0.667, 1.0]),
        ("0.05...2 log, 5 points", [0.05, 0.13, 0.32, 0.8, 2.0]),
        ("0.05...2, 5 points, log", [0.05, 0.13, 0.32, 0.8, 2.0]),
        ("0.1...1 log 4 points", [0.1, 0.2, 0.5, 1.0]),
        ("1...100 log, 7 points", [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]),
        ("1e-4...0.1 logarithmic 4 points", [0.0001, 0.001, 0.01, 0.1]),
        ("0.0512...2 log, 2 points, 3", [0.0512, 2.0, 3.0]),
        ("0, 0.1...1 log 4 points", [0.0, 0.1, 0.2, 0.5, 1.0]),
    ],
)
def test_reads_lists_and_ranges(text: str, values: list[float]) -> None:
    assert parse_values(text, MARGIN) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("16, 32.0, 1e2", [16, 32, 100]),
        ("2...6", [2, 3, 4, 5, 6]),
        ("16...128 log, 4 points", [16, 32, 64, 128]),
        ("2...10 log, 9 points", [2, 3, 4, 6, 7, 8, 10]),
        ("2...8 step 3", [2, 5, 8]),
        ("2...9, 3 points", [2, 6, 9]),
    ],
)
def test_whole_numbers_stay_whole(text: str, values: list[int]) -> None:
    found = parse_values(text, BATCH)
    assert found == values
    assert all(type(value) is int for value in found)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "two values or more; write 0.1, 0.2"),
        ("1", "two values or more"),
        (
            "abc",
            "“abc” is neither a value nor a range; write 0.1, 0.2, 0.5 or 0.05...2 log, 5 points",
        ),
        ("1, 1.2.3", "“1.2.3” is neither a value"),
        ("1, 5%", "“5%” is neither a value"),
        ("nan, inf", "“nan” is neither a value"),
        ("1e999, 2", "“1e999” is neither a value"),
        ("1...", "“1...” is neither a value"),
        ("...1", "“...” is neither a value"),
        ("1...2...3", "“...” is neither a value"),
        ("5 points", "“points” is neither a value"),
        ("-1, 2", "-1 is too small: “Margin” must be at least 0"),
        ("−1, 2", "-1 is too small"),
        ("1, 2000", "2000 is too large: “Margin” must be at most 1000"),
        ("500...2000", "2000 is too large"),
        ("0...1 log", "0...1: a logarithmic range begins above 0"),
        ("2...1", "2...1 runs backwards; write 1...2"),
        ("1...1", "1...1 begins where it ends"),
        ("1...2 step 0", "a step of 0 leads nowhere"),
        ("1...2 step 0.1 3 points", "has a number of points and a step"),
        ("1...2 log step 0.1", "say how many points it has, not a step"),
        ("1...2, 1 point", "1 points are not possible"),
        ("1...2, 2.5 points", "2.5 points are not possible"),
        ("0...1, 12345678 points", "makes 12,345,678 values; write fewer: 0...1, 5 points"),
        ("0...1 step 0.0000001", "makes 10,000,001 values"),
        ("0.05...2 log 5", "“5” stands after the range 0.05...2; write “5 points”"),
        ("1...1.01 log, 20 points", "20 values are the same with 3 digits"),
        ("0.1, 0.10", "0.1 is listed twice"),
        ("0,1; 0,5", "decimals are written with a point"),
    ],
)
def test_refuses_what_is_no_list_in_plain_words(text: str, why: str) -> None:
    with pytest.raises(SweepError) as refused:
        parse_values(text, MARGIN)
    assert why in str(refused.value)


def test_names_the_value_that_the_setting_cannot_have() -> None:
    for text, why in (
        ("2.5, 3", "2.5 is not a whole number"),
        ("1, 2", "1 is too small: “Batch size” must be at least 2"),
        ("2...9000", "9000 is too large"),
        ("2...5000", "makes 4,999 values"),
    ):
        with pytest.raises(SweepError, match=why):
            parse_values(text, BATCH)
    with pytest.raises(SweepError, match="0 is too small: “Learning rate” must be above 0"):
        parse_values("0, 0.1", LR)


def test_choices_come_in_the_setting_s_order() -> None:
    reduction = Field("reduction", "Reduction", "choice", "mean", options=("mean", "sum", "max"))
    assert check_choices(["sum", "mean"], reduction) == ["mean", "sum"]
    flag = Field("flag", "Flag", "boolean", False)
    assert check_choices([True, False], flag) == [False, True]
    assert options_of(MARGIN) == ()
    with pytest.raises(SweepError, match="two values or more"):
        check_choices(["sum"], reduction)


NUMBERS = st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-6)


@given(st.lists(NUMBERS, min_size=2, max_size=20, unique=True), st.sampled_from([",", ";", " "]))
def test_a_list_of_any_numbers_is_read_as_written(values: list[float], separator: str) -> None:
    assert parse_values(separator.join(map(number_text, values)), ANY) == values


@given(
    st.integers(1, 999),
    st.integers(-5, 3),
    st.floats(1.5, 1e4),
    st.integers(2, 20),
)
def test_a_logarithmic_range_rises_evenly_and_has_few_digits(
    digits: int, exponent: int, ratio: float, points: int
) -> None:
    low = float(f"{digits}e{exponent}")
    high = float(f"{low * ratio:.3g}")
    values = parse_values(f"{low!r}...{high!r} log, {points} points", ANY)
    assert (len(values), values[0], values[-1]) == (points, low, high)
    assert all(float(f"{value:.3g}") == value for value in values[1:-1])
    distance = math.log(high / low) / (points - 1)
    for place, value in enumerate(values):
        moved = abs(math.log(value / low) - place * distance)
        assert moved <= 0.1 * distance + 0.005, "0.5 % is what the third digit may cost"


@given(st.text(max_size=40), st.sampled_from([MARGIN, LR, BATCH]))
def test_any_text_is_read_or_refused(text: str, field: Field) -> None:
    try:
        values = parse_values(text, field)
    except SweepError:
        return
    assert 2 <= len(values) <= MAX_VALUES
    assert len(set(values)) == len(values)
    assert all((field.minimum or 0) <= value <= (field.maximum or 0) for value in values)


@given(st.text(alphabet="0123456789.…-+e ,;toglpinsbyx", max_size=30))
def test_a_text_of_its_own_letters_is_read_or_refused(text: str) -> None:
    with suppress(SweepError):
        assert len(parse_values(text, MARGIN)) >= 2
