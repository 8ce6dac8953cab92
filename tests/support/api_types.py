"""Generate `frontend/api/types.py`, the types of the API's answers, from the OpenAPI document.

`make types`, or `python -m tests.support.api_types`, writes the file anew; a test compares it with
what the API says today. It lies outside frontend/, which may not import the backend.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from datamodel_code_generator import InputFileType, LiteralType, generate
from datamodel_code_generator.enums import DataModelType
from datamodel_code_generator.format import Formatter, PythonVersion

from backend.app import create_app
from backend.http.openapi import referred_schemas
from backend.settings import Settings

ROOT: Final = Path(__file__).resolve().parents[2]
FILE: Final = ROOT / "frontend/api/types.py"

HEADER: Final = '''"""The API's answers as types; docs/API.md says what each field means.

Generated from the API's OpenAPI document by `make types`. Do not edit: change the backend's
models and generate it again.
"""'''

PUBLIC: Final = "/api/v1/"
SUFFIX: Final = "Out"
"""What the backend's classes of answers may end in where a plain name is taken there."""

REF: Final = "#/components/schemas/"
OPEN: Final = frozenset({"ComparisonSpec"})
"""Schemas that pages read as plain mappings: stored specs of older versions may lack keys."""


def generated() -> str:
    """Return the text of the module as it should be."""
    return _classes(_answers(_document()))


def _document() -> dict[str, Any]:
    """Return the OpenAPI document; neither a database nor a broker is needed for it."""
    nowhere = Path("nowhere")
    settings = Settings(nowhere, f"sqlite:///{nowhere}", "redis://127.0.0.1:1/0", "token")
    return create_app(settings).openapi()


def _answers(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with only the schemas of good answers to pages, under the pages' names.

    Raises:
        ValueError: two schemas would have one name.
    """
    schemas = document["components"]["schemas"]
    names: set[str] = set()
    new = {
        name
        for path, operations in document["paths"].items()
        if path.startswith(PUBLIC)
        for operation in operations.values()
        for status, response in operation["responses"].items()
        if status.startswith("2")
        for name in {*referred_schemas(response)} - OPEN
    }
    while new:
        names |= new
        new = {name for known in new for name in referred_schemas(schemas[known])} - names
    renamed = {name: name.removesuffix(SUFFIX) for name in sorted(names)}
    if len(set(renamed.values())) < len(renamed):
        raise ValueError(f"two schemas of one name among {sorted(renamed)}")
    components = {renamed[name]: _renamed(schemas[name], renamed) for name in renamed}
    return {
        "openapi": document["openapi"],
        "info": document["info"],
        "paths": {},
        "components": {"schemas": components},
    }


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    """Return a part of the document that refers to the schemas by their new names."""
    if isinstance(part, dict):
        return {
            key: REF + names[value.removeprefix(REF)] if key == "$ref" else _renamed(value, names)
            for key, value in part.items()
        }
    return [_renamed(value, names) for value in part] if isinstance(part, list) else part


def _classes(document: Mapping[str, Any]) -> str:
    """Return the module's code: a TypedDict for each schema, those that others need first."""
    code = generate(
        json.dumps(document),
        input_file_type=InputFileType.OpenAPI,
        output_model_type=DataModelType.TypingTypedDict,
        target_python_version=PythonVersion.PY_311,
        enum_field_as_literal=LiteralType.All,
        use_closed_typed_dict=False,  # mypy does not know PEP 728
        use_tuple_for_fixed_items=True,
        use_schema_description=True,
        use_single_line_docstring=True,
        # With it `NotRequired` is a mere string when a class is made, and every key required.
        disable_future_imports=True,
        custom_file_header=HEADER,
        formatters=[Formatter.RUFF_CHECK, Formatter.RUFF_FORMAT],
        settings_path=ROOT,
    )
    if not isinstance(code, str):
        raise TypeError("one module was expected")
    return f"{code}\n"


def main() -> None:
    """Write the module anew."""
    FILE.write_text(generated(), encoding="utf-8")
    print(f"Wrote {FILE.relative_to(ROOT)}.", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
