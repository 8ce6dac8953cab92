"""Practical bounds as text, and what the form says of replicates."""

import pytest

from frontend.form.draft import Draft
from frontend.form.practical import BoundsError, format_bounds, parse_bounds
from frontend.form.replicates import GIVEN, count_text, replicate_text
from frontend.form.schema_fields import Problem, problem_field
from tests.support.form_fields import FORM, filled


def test_bounds_are_read_as_they_are_written() -> None:
    bounds = {"retrieval.map_at_r": 0.005, "geometry.mean_norm": 1.1, "detail.": 1e-06}
    assert parse_bounds(format_bounds(bounds)) == bounds
    text = "retrieval. = 0.02; geometry.mean_norm: 1.1\n\n detail. .5 "
    assert parse_bounds(text) == {"retrieval.": 0.02, "geometry.mean_norm": 1.1, "detail.": 0.5}
    assert parse_bounds("") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("retrieval.", "“retrieval.” is not a bound"),
        ("retrieval. = wide", "write metric = number"),
        ("retrieval. = nan", "is not a bound"),
        ("retrieval. = 0.1 0.2", "is not a bound"),
        ("= 0.1", "is not a bound"),
        ("a = 1; a = 2", "a has two bounds"),
    ],
)
def test_what_is_no_bound_is_told(text: str, said: str) -> None:
    with pytest.raises(BoundsError, match=said):
        parse_bounds(text)


def test_a_problem_of_a_bound_is_shown_at_its_field_or_at_the_others() -> None:
    shown = {"practical", "practical.retrieval."}
    for path, at in (
        ("practical.retrieval.", "practical.retrieval."),
        ("practical.geometry.mean_norm", "practical"),
        ("practical", "practical"),
    ):
        assert problem_field(Problem(path, "wrong"), shown) == at


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"kind": "synthetic"}, "draws new data"),
        ({"kind": "digits"}, "makes a new split of the data"),
        ({"kind": "mnist"}, "official test part stays the same"),
        ({"kind": "image_folder", "folder": "/a", "split": "given"}, GIVEN),
        ({"kind": "image_folder", "folder": "/a", "split": "class"}, "which classes train"),
    ],
)
def test_what_each_seed_draws_anew_is_said_of_the_data(data: dict[str, str], said: str) -> None:
    draft = Draft(FORM)
    draft.values = {**filled(), **{f"data.{name}": value for name, value in data.items()}}
    draft.values["replicate"] = "split"
    assert said in replicate_text(draft)
    draft.values["replicate"] = "seed"
    assert "on one split" in replicate_text(draft)


def test_few_seeds_are_told_what_they_cannot_decide() -> None:
    for exact in (True, False):
        assert "A verdict needs three seeds" in count_text(2, exact=exact)
        assert count_text(9, exact=exact) == ""
    assert "that takes nine" in count_text(3, exact=True)
    assert "that takes nine" in count_text(8, exact=True)
    assert count_text(3, exact=False) == "", "splits that share items have another test"
