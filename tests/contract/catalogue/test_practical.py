"""Practical bounds of a spec: which metrics they may name, and which values they may have."""

import math

import pytest

from contract.catalogue.practical import half_width, practical_problems
from contract.catalogue.presets import DEMO
from contract.comparison.problems import SpecError
from contract.comparison.spec import MAX_PRACTICAL, parse_spec


def said(**bounds: object) -> dict[str, str]:
    return dict(practical_problems({key.replace("__", "."): one for key, one in bounds.items()}))


def test_bounds_of_metrics_and_of_families_are_accepted() -> None:
    bounds = {"retrieval.": 0.02, "retrieval.map_at_r": 0.005, "geometry.intra": 1.5}
    assert practical_problems(bounds) == []
    spec = parse_spec({**DEMO, "practical": bounds})
    assert parse_spec(spec.model_dump(mode="json")) == spec
    assert half_width("test.retrieval.map_at_r", spec.practical) == 0.005
    assert half_width("test.last.retrieval.recall_at_1", spec.practical) == 0.02
    assert half_width("geometry.intra_class_variance.scale_free", spec.practical) == 1.5


def test_a_key_that_names_no_metric_is_told_with_similar_ones() -> None:
    [(path, message)] = practical_problems({"retrival.map_at_r": 0.1})
    assert path == "practical.retrival.map_at_r"
    assert "names no metric; did you mean retrieval.map_at_r" in message
    assert "names no metric" in said(zoo=0.1)["practical.zoo"]
    assert "names no metric" in practical_problems({"": 0.1})[0].message
    assert len(practical_problems({"x" * 10_000: 0.1})[0].path) < 200


@pytest.mark.parametrize("key", ["test.retrieval.map_at_r", "test.last.retrieval."])
def test_the_test_split_is_not_named(key: str) -> None:
    assert "without its `test.`" in practical_problems({key: 0.1})[0].message


@pytest.mark.parametrize("bound", [1, 0.8, 0.2, -1])
def test_a_ratio_is_above_one(bound: float) -> None:
    [(_, message)] = practical_problems({"geometry.intra_class_variance": bound})
    assert "must be above 1" in message


def test_ratios_and_differences_have_bounds_of_their_own() -> None:
    [(_, message)] = practical_problems({"geometry.": 1.25})
    assert "geometry.intra_class_variance" in message
    assert "give each its own bound" in message


def test_a_bound_as_wide_as_the_whole_range_is_a_per_cent_by_mistake() -> None:
    for bound in (1, 5.0, True):
        [(_, message)] = practical_problems({"classification.": bound})
        assert "one per cent is 0.01" in message
    [(_, message)] = practical_problems({"geometry.alignment": 4})
    assert "at least the whole range of geometry.alignment, 0 to 4" in message
    assert "per cent" not in message


def test_what_is_counted_has_no_bound() -> None:
    assert "leave its bound out" in said(dynamics__half_life=2)["practical.dynamics.half_life"]


@pytest.mark.parametrize("bound", [0, -0.01, math.inf, math.nan, "wide", 10**400])
def test_a_bound_is_a_finite_number_above_zero(bound: object) -> None:
    practical_problems({"retrieval.": bound})  # whatever it is, no other error
    with pytest.raises(SpecError) as caught:
        parse_spec({**DEMO, "practical": {"retrieval.": bound}})
    assert [path for path, _ in caught.value.problems] == ["practical.retrieval."]


def test_too_many_bounds_are_refused_and_none_is_dropped_in_silence() -> None:
    many = {f"retrieval.{number}": 0.1 for number in range(500)}
    with pytest.raises(SpecError) as caught:
        parse_spec({**DEMO, "practical": many})
    assert f"at most {MAX_PRACTICAL}" in str(caught.value)


@pytest.mark.parametrize("given", [None, 3, "retrieval.", [0.1]])
def test_what_is_no_object_is_left_to_the_spec(given: object) -> None:
    assert practical_problems(given) == []
