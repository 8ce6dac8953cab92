"""Numbers as texts: as many decimals as the spread supports, and one minus sign everywhere."""

import math
from collections.abc import Iterable
from typing import Final

MINUS: Final = "−"
"""The sign of negative numbers on pages, in reports and tables; not the hyphen."""
ZERO_LIMIT: Final = 1e-12
"""A smaller number is a 0 with a rounding error."""
_ROUNDING: Final = 1e-6
"""A spread that is a smaller part of its mean is the rounding of float32, in which networks
compute: vectors of length 1 have a mean norm of 1 ± 3e-9."""
_SMALL: Final = 1e-4
_LARGE: Final = 1e5
"""Numbers below the first or from the second on are written with a power of ten."""
_LARGEST: Final = 1e9
"""Means from here on have a power of ten even beside a spread."""
_MOST_DECIMALS: Final = 6
_SPREAD_DIGITS: Final = 2
"""Significant digits of a spread that are written."""
_SUPERSCRIPTS: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def decimals_for(spread: float) -> int:
    """Return the number of decimals that show two significant digits of a spread.

    Args:
        spread: a standard deviation or half the width of an interval; above 0.

    Returns:
        From 0 (spreads of 10 or more) to 6.
    """
    if spread < ZERO_LIMIT or not math.isfinite(spread):
        return _MOST_DECIMALS
    places = _SPREAD_DIGITS - 1 - _exponent(spread, _SPREAD_DIGITS)
    return min(max(places, 0), _MOST_DECIMALS)


def is_rounding(spread: float, mean: float) -> bool:
    """Return whether values with this spread are the same number but for rounding."""
    return spread < max(ZERO_LIMIT, _ROUNDING * abs(mean))


def shared_decimals(means: Iterable[float], spreads: Iterable[float | None]) -> int | None:
    """Return the number of decimals for values that stand side by side.

    The smallest spread decides, but at most two decimals more than the largest one needs. Without
    any spread it is what shows four significant digits of the largest value, three below 0.1.

    Returns:
        The decimals; None for values so small or large that each needs its own power of ten.
    """
    sizes = [abs(mean) for mean in means if math.isfinite(mean)]
    largest = max(sizes, default=0.0)
    known = [one for one in spreads if one is not None and one >= ZERO_LIMIT]
    if largest >= (_LARGEST if known else _LARGE) or ZERO_LIMIT <= largest < _SMALL:
        return None
    if known:
        return min(decimals_for(min(known)), decimals_for(max(known)) + 2)
    return _own_decimals(largest)


def format_number(value: float, decimals: int | None = None) -> str:
    """Format a measured number; zeros at the end are kept, as they say how exact it is.

    Args:
        value: a number; one that is not finite is written as a word.
        decimals: how many; None for four significant digits from 0.1 on and three below, or a
            whole number where the value is one.
    """
    if not math.isfinite(value):
        return str(value).replace("-", MINUS)
    size = abs(value)
    if size < ZERO_LIMIT:
        return f"{0:.{decimals or 0}f}"
    if decimals is None:
        if size < _SMALL or size >= _LARGE:
            return _power_of_ten(value, 2)
        decimals = 0 if float(size).is_integer() else _own_decimals(size)
    shown = f"{size:.{decimals}f}"
    negative = value < 0 and float(shown) != 0
    return f"{MINUS if negative else ''}{shown}"


def format_signed(value: float, decimals: int | None = None) -> str:
    """Format a difference as `format_number` does, with its sign; 0 has none."""
    text = format_number(value, decimals)
    positive = value >= ZERO_LIMIT and text.strip("0.") != ""
    return f"+{text}" if positive else text


def short_number(value: float) -> str:
    """Format a number that was given, or of which the size matters, such as a limit or a p-value:
    at most three significant digits, without zeros at the end."""
    size = abs(value)
    if not math.isfinite(value) or size == 0:
        return format_number(value)
    if size < _SMALL or size >= _LARGE:
        return _power_of_ten(value, 0 if f"{size:.1e}"[2] == "0" else 1)
    return f"{value:.3g}".replace("-", MINUS) if size < 1000 else format_number(value, 0)


def mean_and_spread(mean: float, spread: float | None) -> str:
    """Return a mean with its standard deviation: "1.500 ± 0.067"; without one, the mean alone."""
    if spread is None or is_rounding(spread, mean):
        return format_number(mean, shared_decimals([mean], []))
    decimals = shared_decimals([mean], [spread])
    return f"{format_number(mean, decimals)} ± {format_number(spread, decimals)}"


def interval_text(low: float, high: float, *, signed: bool = False) -> str:
    """Return the ends of an interval, "0.48 … 0.62", with the decimals that its width supports."""
    decimals = shared_decimals([low, high], [(high - low) / 2])
    shown = format_signed if signed else format_number
    return f"{shown(low, decimals)} … {shown(high, decimals)}"


def _own_decimals(size: float) -> int:
    """Return the decimals of a number without a spread."""
    if size < ZERO_LIMIT:
        return 0
    digits = 4 if size >= 0.1 else 3
    return max(digits - 1 - max(_exponent(size, digits), -1 if digits == 4 else -9), 0)


def _exponent(value: float, digits: int) -> int:
    """Return the power of ten of a number once it is rounded to some significant digits."""
    return int(f"{value:.{digits - 1}e}".rpartition("e")[2])


def _power_of_ten(value: float, decimals: int) -> str:
    mantissa, _, power = f"{abs(value):.{decimals}e}".partition("e")
    sign = MINUS if value < 0 else ""
    return f"{sign}{mantissa} × 10{str(int(power)).translate(_SUPERSCRIPTS)}"
