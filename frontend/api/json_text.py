"""JSON that people write: a key that is given twice, NaN and Infinity are told with their path."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from frontend.errors import FieldProblem


class JsonTextError(ValueError):
    """A text is no JSON, or JSON on which two readers could differ; the message says where."""


class _Repeating(dict[str, Any]):
    """An object in which keys were given more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs)
        self.repeated = [name for name, count in counts.items() if count > 1]


class _NotFinite(str):
    """The word NaN, Infinity or -Infinity where a value should stand."""


def read_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        JsonTextError: it is no JSON, or has a key twice or NaN; it names each place.
    """
    try:
        value = json.loads(text, object_pairs_hook=_to_object, parse_constant=_NotFinite)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise JsonTextError(f"{error.msg} at {place}") from error
    except UnicodeDecodeError as error:
        raise JsonTextError("it is not UTF-8 text; save it as JSON in UTF-8") from error
    except RecursionError as error:
        raise JsonTextError("it is nested too deeply") from error
    except ValueError as error:  # a whole number of thousands of digits
        raise JsonTextError(f"it has a value that cannot be read: {error}") from error
    if problems := list(_problems(value)):
        raise JsonTextError("; ".join(f"{one.path or 'spec'}: {one.message}" for one in problems))
    return value


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Repeating(pairs)


def _problems(value: Any) -> Iterator[FieldProblem]:
    """Yield what is wrong inside a value, in its order."""
    left = [("", value)]
    while left:
        path, one = left.pop()
        if isinstance(one, _NotFinite):
            yield FieldProblem(path, f"{one} is not a number; give a finite one, or null")
        elif isinstance(one, list):
            left += [(f"{path}[{at}]", item) for at, item in enumerate(one)][::-1]
        elif isinstance(one, dict):
            inner = [(f"{path}.{name}" if path else name, item) for name, item in one.items()]
            if isinstance(one, _Repeating):
                for name in one.repeated:
                    place = f"{path}.{name}" if path else name
                    yield FieldProblem(place, "the key is given more than once; give it once")
            left += inner[::-1]
