"""The form of the catalogue, its fields by name, and its values for a spec."""

from typing import Any

from contract.catalogue.catalogue import catalogue
from contract.catalogue.presets import DEMO
from frontend.form.from_spec import read_spec
from frontend.form.schema_fields import Choice, Field, Items, read_form

FORM = read_form(catalogue())


def named(items: Items, name: str) -> Field | Choice:
    """Return the field or choice of this name."""
    return next(item for item in items if item.name == name)


def field(items: Items, name: str) -> Field:
    """Return the field of this name."""
    found = named(items, name)
    assert isinstance(found, Field)
    return found


def filled(spec: object = None) -> dict[str, Any]:
    """Return the form's values for a spec, by default the demo's."""
    values, problems = read_spec(DEMO if spec is None else spec, FORM)
    assert not problems
    return values
