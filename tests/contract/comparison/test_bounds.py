"""Specs with far too much of something: the first problems, the number of all, and quickly."""

from typing import Any

import pytest

from contract.comparison.bounds import MAX_DEPTH, MAX_ITEMS, ShortList
from contract.comparison.problems import MAX_PROBLEMS, Problem, SpecError
from contract.comparison.spec import ComparisonSpec, parse_spec, shorten
from tests.support.specs import small

MANY = 120_000


def refused(spec: object) -> SpecError:
    with pytest.raises(SpecError) as raised:
        parse_spec(spec)
    return raised.value


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [{"a": value}]
    return value


@pytest.mark.parametrize("section", ["spec", "loss"])
def test_unknown_keys_are_counted_and_the_first_are_told(section: str) -> None:
    spec = small()
    where = spec if section == "spec" else spec["arms"][0]["loss"]
    own = dict(where)
    where.clear()
    where.update({f"k{at}": 1 for at in range(MANY)})
    where.update(own)  # what is known comes last, and is read all the same
    error = refused(spec)
    assert error.total == MANY
    assert len(error.problems) == MAX_PROBLEMS
    prefix = "" if section == "spec" else "arms[0].loss."
    assert error.problems[0].path == f"{prefix}k0"
    assert "119,900 more" in str(error)


@pytest.mark.parametrize(
    ("key", "items", "says"),
    [
        ("arms", small()["arms"] * MANY, "at most 20 items after validation, not 120000; got"),
        ("arms", [0] * MANY, "at most 20 items after validation, not 120000; got"),
        ("seeds", list(range(MANY)), "at most 100 items after validation, not 120000; got"),
        ("tags", ["a"] * MANY, "at most 20 items after validation, not 120000; got"),
        ("name", [0] * MANY, "valid string; got [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ... "),
        (
            "data",
            {"kind": [0] * MANY},
            "unknown kind [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ... ",
        ),
    ],
)
def test_long_lists_are_told_with_their_length(key: str, items: object, says: str) -> None:
    error = refused(small(**{key: items}))
    [first, *_] = [problem for problem in error.problems if problem.path == key]
    assert says in first.message
    assert len(first.message) < 500


def test_long_texts_are_told_with_their_start() -> None:
    error = refused(small(name="n" * 1_000_000, **{"x" * 1_000_000: 1}))
    by_path = {problem.path: problem.message for problem in error.problems}
    assert "(1000000 items)" in by_path["name"]
    assert f"{'x' * 60}..." in by_path
    assert all(len(path) + len(message) < 300 for path, message in by_path.items())


@pytest.mark.parametrize("levels", [MAX_DEPTH // 2, 400])
def test_deep_values_are_told(levels: int) -> None:
    error = refused(small(tags=nested(levels), notes=nested(levels), other=nested(levels)))
    assert {problem.path for problem in error.problems} == {"tags[0]", "notes", "other"}


def test_what_is_kept_of_a_list_is_more_than_any_valid_list_has() -> None:
    limits = list(list_limits(ComparisonSpec.model_json_schema()))
    assert len(limits) == 5
    assert max(limits) < MAX_ITEMS


def list_limits(schema: Any) -> Any:
    if isinstance(schema, dict):
        if schema.get("type") == "array":
            yield schema["maxItems"]
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from list_limits(part)


def test_a_valid_spec_stays_as_it_is() -> None:
    seeds = list(range(100))
    assert shorten(small(seeds=seeds)).value == small(seeds=seeds)
    assert parse_spec(small(seeds=seeds)).seeds == seeds
    assert isinstance(shorten(list(range(MAX_ITEMS + 1))).value, ShortList)


def test_an_error_of_many_problems_holds_the_first() -> None:
    error = SpecError([Problem("a", str(at)) for at in range(MAX_PROBLEMS + 1)])
    assert (len(error.problems), error.total) == (MAX_PROBLEMS, MAX_PROBLEMS + 1)
