"""A spec as it is posted: every problem of it is told at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import Body
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from backend.datasets.requirements import upload_problems
from backend.db.database import Database
from backend.http.dependencies import from_state
from backend.plugins.repository import known
from contract.catalogue.practical import practical_problems
from contract.comparison.checks import name_problems
from contract.comparison.plugins import (
    Plugins,
    names_plugins,
    plugin_problems,
    with_defaults,
)
from contract.comparison.problems import SpecError
from contract.comparison.spec import ComparisonSpec, parse_spec, shorten
from contract.comparison.tuples import tuple_problems
from contract.comparison.worker_paths import path_problems
from contract.tuning.problems import budget_problems, tuning_problems
from contract.tuning.spaces import completed

Roots = Annotated[Sequence[Path], from_state("data_roots")]
"""The folders in which paths of specs must lie; none for anywhere."""


class SpecSchema:
    """Document a body as a spec in the OpenAPI document, without validating it.

    The contract validates it, because it finds all problems at once.
    """

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema()

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(ComparisonSpec.__pydantic_core_schema__)


PostedSpec = Annotated[Any, SpecSchema(), Body()]
"""The body of a request: a spec, not yet checked."""


def parse_posted(
    raw: object, database: Database, data_roots: Sequence[Path], most: int
) -> ComparisonSpec:
    """Parse a spec; arms of a comparison that is tuned get the ready-made space of their loss where
    they declare none.

    Raises:
        SpecError: the spec has problems, the uploaded data set that it names does not fit, it names
            a path outside the folders for data or a loss that no worker has, or its search has more
            than `most` runs.
    """
    short = shorten(raw).value
    plugins = _plugins_of(short, database)
    others = path_problems(raw, data_roots)
    if isinstance(short, Mapping):
        others += [
            *name_problems(short),
            *tuple_problems(short),
            *practical_problems(short.get("practical")),
            *plugin_problems(short, plugins),
            *tuning_problems(short, plugins),
            *budget_problems(short, most),
        ]
    try:
        spec = parse_spec(raw)
        if not others:
            return completed(with_defaults(spec, plugins), plugins)
        problems, total = others, len(others)
    except SpecError as error:
        problems, total = [*error.problems, *others], error.total + len(others)
    with database.read() as session:
        of_upload = upload_problems(session, short)
    raise SpecError([*problems, *of_upload], total + len(of_upload))


def _plugins_of(raw: object, database: Database) -> Plugins:
    """Return what is known of plug-ins, if the spec names any."""
    if not isinstance(raw, Mapping) or not names_plugins(raw):
        return {}
    with database.read() as session:
        return known(session)
