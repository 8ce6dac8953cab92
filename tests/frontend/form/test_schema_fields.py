"""The form's fields and problems, from the real catalogue."""

import pytest

from frontend.errors import FieldProblem
from frontend.form.schema_fields import (
    Choice,
    Field,
    Problem,
    form_path,
    path_text,
    problem_field,
    problems_from_api,
    read_items,
)
from tests.support.form_fields import FORM, field, named


class TestFields:
    def test_titles_helps_bounds_and_defaults_are_the_schemas(self) -> None:
        margin = field(FORM.loss.options[0].items, "margin")
        assert (margin.title, margin.type, margin.default) == ("Margin", "number", 1.0)
        assert (margin.minimum, margin.maximum) == (0, 1000)
        assert "classes" in margin.help

    def test_a_whole_number_keeps_off_an_excluded_bound(self) -> None:
        assert field(FORM.data.options[0].items, "seed").maximum == 2**31 - 1

    def test_a_setting_without_a_choice_is_not_asked(self) -> None:
        [only] = read_items({"properties": {"way": {"const": "one", "title": "Way"}}})
        assert isinstance(only, Field)
        assert not only.asked
        items = FORM.loss.options[0].items
        assert field(items, "distance").asked
        assert field(items, "reduction").options == ("mean", "sum", "mean_active", "balanced")
        assert field(FORM.loss.option("triplet").items, "reduction").options[-1] == "mean_active"

    def test_a_field_knows_where_it_has_an_effect(self) -> None:
        items = FORM.loss.options[0].items
        assert field(items, "pull_weight").shown_where == (("reduction", "balanced"),)
        optimizer = named(FORM.training, "optimizer")
        assert isinstance(optimizer, Choice)
        own = field(optimizer.options[0].items, "loss_lr")
        assert own.shown_with_losses == ("arcface", "center_contrastive")
        assert (own.type, own.optional, own.default, own.maximum) == ("number", True, None, 100)
        assert not field(items, "margin").optional

    def test_unions_become_choices_with_the_catalogues_labels(self) -> None:
        sampler = named(FORM.training, "sampler")
        assert isinstance(sampler, Choice)
        assert [option.label for option in sampler.options] == ["Shuffle", "m per class"]
        assert [item.name for item in sampler.option("m_per_class").items] == ["m"]

    def test_a_step_suits_the_defaults_magnitude(self) -> None:
        optimizer = named(FORM.training, "optimizer")
        assert isinstance(optimizer, Choice)
        items = optimizer.option("sgd").items
        assert field(items, "lr").step == 0.0001
        assert field(items, "momentum").step == 0.01
        assert field(items, "weight_decay").step == 0.01
        assert field(FORM.training, "epochs").step == 1

    def test_reads_types_that_the_catalogue_has_not_yet(self) -> None:
        schema = {"properties": {"flag": {"type": "boolean"}, "some_text": {"type": "string"}}}
        flag, text = read_items(schema)
        assert isinstance(flag, Field)
        assert isinstance(text, Field)
        assert (flag.type, flag.default) == ("boolean", False)
        assert (text.type, text.title, text.default) == ("text", "Some text", "")


class TestProblems:
    def test_takes_the_apis_paths(self) -> None:
        fields = [FieldProblem("arms[0].loss.margin", "too big")]
        assert problems_from_api(fields) == [Problem("arms.0.loss.margin", "too big")]
        assert form_path("seeds[11]") == "seeds.11"

    @pytest.mark.parametrize(
        ("path", "at"),
        [
            ("seeds.1", "seeds"),
            ("seeds", "seeds"),
            ("arms.0.loss.margin", "arms.0.loss.margin"),
            ("arms.1.loss.margin", None),
            ("", None),
            ("colour", None),
        ],
    )
    def test_places_a_problem_at_its_field(self, path: str, at: str | None) -> None:
        assert problem_field(Problem(path, "!"), {"seeds", "arms.0.loss.margin"}) == at

    def test_names_a_place_in_words(self) -> None:
        titles = {"arms.1.loss.margin": "Margin"}
        assert path_text("arms.1.loss.margin", titles) == "Arm 2, Margin"
        assert path_text("spec", {}) == "spec"
