import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend.ui.numbers import (
    format_number,
    format_signed,
    interval_text,
    mean_and_spread,
    shared_decimals,
    short_number,
)


@pytest.mark.parametrize(
    ("mean", "spread", "text"),
    [
        (1.5, 0.0671, "1.500 ± 0.067"),
        (0.92314, 0.0012, "0.9231 ± 0.0012"),
        (0.92314, 0.00996, "0.923 ± 0.010"),
        (123.456, 12.3, "123 ± 12"),
        (1234.5, 120.0, "1234 ± 120"),
        (123456.0, 12.3, "123456 ± 12"),
        (2e10, 3e8, "2.00 × 10¹⁰ ± 3.00 × 10⁸"),
        (-0.5, 0.02, "−0.500 ± 0.020"),
        (2e-6, 1e-7, "2.00 × 10⁻⁶ ± 1.00 × 10⁻⁷"),
        (0.9, None, "0.9000"),
        (1.0, 0.0, "1.000"),
        (0.999999998, 3e-9, "1.000"),
    ],
)
def test_a_mean_has_the_decimals_of_its_spread(
    mean: float, spread: float | None, text: str
) -> None:
    assert mean_and_spread(mean, spread) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.96543, "0.9654"),
        (1.4999, "1.500"),
        (0.0123456, "0.0123"),
        (2.78e-4, "0.000278"),
        (1e-5, "1.00 × 10⁻⁵"),
        (-3e-6, "−3.00 × 10⁻⁶"),
        (123456.0, "1.23 × 10⁵"),
        (50.0, "50"),
        (0.0, "0"),
        (float("nan"), "nan"),
        (float("-inf"), "−inf"),
    ],
)
def test_a_number_alone_has_four_significant_digits(value: float, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (-0.5, None, "−0.5000"),
        (2.0, None, "+2"),
        (0.0, None, "0"),
        (-5.6e-17, None, "0"),
        (3e-13, None, "0"),
        (-0.0004, 3, "0.000"),
        (0.0004, 3, "0.000"),
        (0.0504, 3, "+0.050"),
    ],
)
def test_a_difference_has_a_sign_unless_it_is_shown_as_zero(
    value: float, decimals: int | None, text: str
) -> None:
    assert format_signed(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.84, "0.84"),
        (0.25, "0.25"),
        (5.6e-17, "5.6 × 10⁻¹⁷"),
        (1e-5, "1 × 10⁻⁵"),
        (-0.01, "−0.01"),
        (0.0, "0"),
        (12345.6, "12346"),
    ],
)
def test_a_given_number_keeps_no_zeros_at_its_end(value: float, text: str) -> None:
    assert short_number(value) == text


def test_an_interval_has_the_decimals_of_its_width() -> None:
    assert interval_text(0.48123, 0.6234) == "0.481 … 0.623"
    assert interval_text(-0.012, 0.034, signed=True) == "−0.012 … +0.034"


def test_values_side_by_side_share_their_decimals() -> None:
    assert shared_decimals([0.9, 1.0], [None, None]) == 3
    assert shared_decimals([0.9, 0.8], [0.067, 0.0012]) == 4
    assert shared_decimals([0.9, 0.8], [0.067, 1e-9]) == 5, "two more than the largest needs"
    assert shared_decimals([1e-6, 2e-6], [1e-7, 1e-7]) is None, "each its own power of ten"
    assert shared_decimals([], []) == 0


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_there_is_one_minus_sign_and_the_text_is_the_number(value: float) -> None:
    text = format_number(value)
    assert "-" not in text
    mantissa, _, power = text.replace("−", "-").partition(" × 10")
    raised = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    assert float(mantissa) * 10.0 ** int(raised or 0) == pytest.approx(value, rel=6e-3, abs=1e-12)
