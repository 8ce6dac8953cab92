"""What a spec says survives the form: duplicated, it is the same spec."""

from typing import Any

from hypothesis import HealthCheck, given, settings

from contract.comparison.spec import parse_spec
from frontend.form.from_spec import read_spec
from frontend.form.to_spec import write_spec
from tests.support.any_spec import any_spec
from tests.support.form_fields import FORM


@given(any_spec())
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_any_valid_spec_comes_out_of_the_form_as_it_went_in(raw: dict[str, Any]) -> None:
    values, problems = read_spec(raw, FORM)
    assert problems == []
    assert parse_spec(write_spec(values, FORM)) == parse_spec(raw)
    stored = parse_spec(raw).model_dump(mode="json")
    values, problems = read_spec(stored, FORM)
    assert problems == []
    assert parse_spec(write_spec(values, FORM)) == parse_spec(raw)
