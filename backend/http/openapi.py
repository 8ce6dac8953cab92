"""The OpenAPI document: for clients without the calls of workers, or whole."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from contract.names import API_PREFIX

INTERNAL: Final = f"{API_PREFIX}/internal/"
"""The start of the paths of workers' calls."""
_REFERENCE: Final = "#/components/schemas/"

TEXT: Final[dict[str, Any]] = {"schema": {"type": "string"}}
BINARY: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
"""What a body of text or of bytes says of itself in the document."""


class DocumentedApp(FastAPI):
    """An app whose OpenAPI document names public calls only."""

    def openapi(self) -> dict[str, Any]:
        """Return the document that /openapi.json serves."""
        if self.openapi_schema is None:
            self.openapi_schema = public_document(self)
        return self.openapi_schema


def operation_id(route: APIRoute) -> str:
    """Return the name of a call in generated clients: that of its handler, which no other has."""
    return route.name


def whole_document(app: FastAPI) -> dict[str, Any]:
    """Return the document of all calls, those of workers included."""
    return get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        routes=app.routes,
        separate_input_output_schemas=app.separate_input_output_schemas,
    )


def public_document(app: FastAPI) -> dict[str, Any]:
    """Return the document without the calls of workers, and without what only they refer to."""
    document = whole_document(app)
    paths = {path: calls for path, calls in document["paths"].items() if INTERNAL not in path}
    components = document["components"]
    schemes = {
        name
        for calls in paths.values()
        for call in calls.values()
        for need in call.get("security", ())
        for name in need
    }
    return {
        **document,
        "paths": paths,
        "components": {
            **components,
            "schemas": _with_referred(components["schemas"], paths),
            "securitySchemes": {
                name: scheme
                for name, scheme in components["securitySchemes"].items()
                if name in schemes
            },
        },
    }


def _with_referred(schemas: Mapping[str, Any], part: Any) -> dict[str, Any]:
    """Return those of the schemas that a part of the document refers to, directly or not."""
    names: set[str] = set()
    new = set(referred_schemas(part))
    while new:
        names |= new
        new = {found for name in new for found in referred_schemas(schemas[name])} - names
    return {name: schema for name, schema in schemas.items() if name in names}


def referred_schemas(part: Any) -> Iterator[str]:
    """Yield the names of the schemas that a part of a document refers to itself."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value.removeprefix(_REFERENCE)
            else:
                yield from referred_schemas(value)
    elif isinstance(part, list):
        for value in part:
            yield from referred_schemas(value)
