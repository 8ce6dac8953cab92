"""The values of one setting in a sweep, parsed as people write them: "0.1, 0.2, 0.5" or
"0.05...2 log, 5 points"."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

from frontend.form.schema_fields import Field
from frontend.form.sweep import rounding

MAX_VALUES: Final = 1000
"""More than any sweep has; keeps a typing error such as "0...1, 99999999 points" from filling the
memory."""
DEFAULT_POINTS: Final = 5
"""Values of a range that does not say how many."""
FEWEST: Final = 2
"""Values of a sweep of one setting."""
EXAMPLES: Final = "0.1, 0.2, 0.5 or 0.05...2 log, 5 points"
WHOLE_EXAMPLES: Final = "16, 32, 64 or 1...4"
_LARGEST: Final = 1e100

Number = int | float

_TOKEN: Final = re.compile(
    r"""(?P<to>\.\.\.? | … | \bto\b | (?<=\d)[-–](?=[\d.]) | (?<=\s)[-–](?=\s))
    | (?P<number>[-+]?(?:\d+(?:\.(?!\.)\d*)? | \.\d+)(?:e[-+]?\d+)?)
    | (?P<word>[a-z]+)
    | (?P<gap>[\s,;]+)""",
    re.IGNORECASE | re.VERBOSE,
)
_SCALES: Final = {"log": True, "logarithmic": True, "lin": False, "linear": False}
_POINTS: Final = frozenset({"point", "points", "value", "values"})
_STEPS: Final = frozenset({"step", "by"})


class SweepError(ValueError):
    """A text is no list of values for a setting; the message says what to write instead."""


def parse_values(text: str, field: Field) -> list[Number]:
    """Parse a text into the values of a setting that is a number, in the order written.

    Values are separated by commas, semicolons or spaces. A range has "...", "…", "to" or a dash
    between its ends, and may say "log", a number of points or a step.

    Raises:
        SweepError: a part is no number or range, a value occurs twice or is none that the setting
            may have, or there are fewer than two or very many.
    """
    example = WHOLE_EXAMPLES if field.type == "integer" else EXAMPLES
    numbers: list[Decimal] = []
    for part in _Reader(text.replace("−", "-").strip(), example).parts():
        numbers += _expanded(part, field) if isinstance(part, _Range) else [part]
        if len(numbers) > MAX_VALUES:
            raise SweepError(f"this makes more than {MAX_VALUES:,} values; write fewer")
    if len(numbers) < FEWEST:
        raise SweepError(f"a sweep needs two values or more; write {example}")
    for number in numbers:
        if problem := _problem(number, field):
            raise SweepError(problem)
    values = [int(number) if field.type == "integer" else float(number) for number in numbers]
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        hint = "; decimals are written with a point, as 0.5" if re.search(r"\d,\d", text) else ""
        raise SweepError(f"{number_text(twice[0])} is listed twice; leave one out{hint}")
    return values


def check_choices(chosen: Sequence[Any], field: Field) -> list[Any]:
    """Return the values of a setting that has a few, in the setting's order.

    Raises:
        SweepError: there are fewer than two.
    """
    if len(chosen) < FEWEST:
        raise SweepError("a sweep needs two values or more; choose another one")
    return [value for value in options_of(field) if value in chosen]


def options_of(field: Field) -> tuple[Any, ...]:
    """Return the values of a setting that has a few; none for a number or a text."""
    return (False, True) if field.type == "boolean" else field.options


def number_text(value: float) -> str:
    """Return a number as the parser reads it, without zeros that say nothing."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


@dataclass(frozen=True)
class _Range:
    """All values between two ends."""

    low: Decimal
    high: Decimal
    text: str
    """As it was written."""
    log: bool | None = None
    points: Decimal | None = None
    step: Decimal | None = None


class _Token(NamedTuple):
    kind: str
    text: str
    end: int


class _Reader:
    """The parts of a text: numbers and ranges."""

    def __init__(self, text: str, example: str) -> None:
        self._text = text
        self._example = example
        self._tokens = self._split()
        self._at = 0

    def parts(self) -> Iterator[Decimal | _Range]:
        """Yield the parts in the order written."""
        before: _Range | None = None
        while (token := self._next()) is not None:
            start = token.end - len(token.text)
            if token.kind != "number":
                raise self._refusal(token.text)
            number = self._number(token)
            following = self._peek()
            if following is None or following.kind != "to":
                if before is not None and before.points is None and before.step is None:
                    raise SweepError(
                        f"“{token.text}” stands after the range {before.text}; write "
                        f"“{token.text} points” for so many values, or the number before the range"
                    )
                yield number
                continue
            self._next()
            high = self._next()
            if high is None or high.kind != "number":
                raise self._refusal(self._text[start : following.end])
            written = self._text[start : high.end]
            before = self._with_words(_Range(number, self._number(high), written))
            yield before

    def _with_words(self, found: _Range) -> _Range:
        """Return a range with what is said after it: a scale, a number of points, a step."""
        log, points, step = found.log, found.points, found.step
        while (token := self._peek()) is not None:
            after = self._peek(1)
            if token.kind == "word" and token.text.lower() in _SCALES:
                log = _SCALES[token.text.lower()]
                self._next()
            elif token.kind == "number" and after and after.text.lower() in _POINTS:
                points = self._number(token)
                self._next(), self._next()
            elif token.text.lower() in _STEPS and after and after.kind == "number":
                step = self._number(after)
                self._next(), self._next()
            else:
                break
        return _Range(found.low, found.high, found.text, log, points, step)

    def _split(self) -> list[_Token]:
        tokens: list[_Token] = []
        at, joined = 0, False
        while at < len(self._text):
            match = _TOKEN.match(self._text, at)
            if match is None:
                raise self._refusal(self._part_at(at))
            kind, at = str(match.lastgroup), match.end()
            if kind == "number" and joined:  # 1.2.3
                raise self._refusal(self._part_at(match.start()))
            joined = kind == "number"
            if kind != "gap":
                tokens.append(_Token(kind, match[0], at))
        return tokens

    def _part_at(self, at: int) -> str:
        """Return what stands around a place, up to the next gap on both sides."""
        before = re.split(r"[\s,;]", self._text[:at])[-1]
        return before + re.split(r"[\s,;]", self._text[at:])[0]

    def _refusal(self, seen: str) -> SweepError:
        return SweepError(f"“{seen[:40]}” is neither a value nor a range; write {self._example}")

    def _number(self, token: _Token) -> Decimal:
        number = Decimal(token.text)
        value = abs(float(number))
        if value > _LARGEST or (number and value < 1 / _LARGEST):
            raise self._refusal(token.text)
        return number

    def _peek(self, further: int = 0) -> _Token | None:
        at = self._at + further
        return self._tokens[at] if at < len(self._tokens) else None

    def _next(self) -> _Token | None:
        self._at += 1
        return self._tokens[self._at - 1] if self._at <= len(self._tokens) else None


def _expanded(part: _Range, field: Field) -> list[Decimal]:
    """Return the values of a range."""
    low, high = part.low, part.high
    if low > high:
        raise SweepError(f"{part.text} runs backwards; write {high}...{low}")
    if low == high:
        raise SweepError(f"{part.text} begins where it ends; write one number, or two ends")
    if part.log and low <= 0:
        raise SweepError(f"{part.text}: a logarithmic range begins above 0")
    if part.points is not None and part.step is not None:
        raise SweepError(f"{part.text} has a number of points and a step; leave one out")
    if part.step is not None:
        if part.log:
            raise SweepError(f"{part.text} is logarithmic: say how many points it has, not a step")
        return _by_steps(part, part.step)
    whole = field.type == "integer"
    for end in (low, high):
        if problem := _problem(end, field):
            raise SweepError(problem)
    if part.points is None and whole and not part.log:
        return _by_steps(part, Decimal(1))
    count = _count(part)
    if whole:
        ends = (math.floor(low), math.ceil(high))
        found = _spread(part, count, lambda value: min(max(round(value), ends[0]), ends[1]))
        return list(dict.fromkeys(found))
    found = _spread(part, count, lambda value: value)
    if len(set(map(float, found))) < count or found != sorted(found):
        raise SweepError(
            f"{part.text}: {count} values are the same with {rounding.DIGITS} digits; write "
            "fewer points, or a list"
        )
    return found


def _spread(part: _Range, count: int, fitted: Callable[[Decimal], Decimal | int]) -> list[Decimal]:
    spread = rounding.logarithmic if part.log else rounding.linear
    return [Decimal(fitted(value)) for value in spread(part.low, part.high, count)]


def _count(part: _Range) -> int:
    """Return how many values a range has."""
    points = Decimal(DEFAULT_POINTS) if part.points is None else part.points
    if points != points.to_integral_value() or points < FEWEST:
        raise SweepError(f"{part.text}: {points} points are not possible; write 2 or more")
    if points > MAX_VALUES:
        raise _too_many(part, int(points))
    return int(points)


def _by_steps(part: _Range, step: Decimal) -> list[Decimal]:
    if step <= 0:
        raise SweepError(f"{part.text}: a step of {step} leads nowhere; write one above 0")
    count = math.floor((part.high - part.low) / step) + 1
    if count > MAX_VALUES:
        raise _too_many(part, count)
    return [part.low + step * number for number in range(count)]


def _too_many(part: _Range, count: int) -> SweepError:
    shown = f"{count:,}" if count < 10**15 else "very many"
    return SweepError(f"{part.text} makes {shown} values; write fewer: {part.text}, 5 points")


def _problem(number: Decimal, field: Field) -> str:
    """Return why a number is no value of the setting, naming it; "" if it is one."""
    value = float(number)
    shown = number_text(value)
    if field.type == "integer" and number != number.to_integral_value():
        return f"{shown} is not a whole number, and “{field.title}” takes whole numbers"
    low, high = field.minimum, field.maximum
    if low is not None and (value < low or (value == low and low in field.excluded)):
        least = f"above {low:g}" if low in field.excluded else f"at least {low:g}"
        return f"{shown} is too small: “{field.title}” must be {least}"
    if high is not None and (value > high or (value == high and high in field.excluded)):
        most = f"below {high:g}" if high in field.excluded else f"at most {high:g}"
        return f"{shown} is too large: “{field.title}” must be {most}"
    return ""
