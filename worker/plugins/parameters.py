"""The parameters of a plug-in, from its signature: their JSON schemas, by pydantic, and the search
spaces that are ready-made for them."""

import inspect
from collections.abc import Mapping
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo

from contract.comparison.plugins import SEARCH, bounds_of, is_optional, type_of, value_problem
from contract.comparison.tuning import Space
from worker.errors import InputError

OF_CLASSES: Final = ("classes", "num_classes")
OF_DIM: Final = ("dim", "embedding_size", "embedding_dim")
"""Parameters that the trainer gives: the number of training classes, and the size of embeddings."""
TIMES: Final = 10.0
"""By which factor a ready-made space reaches below and above a default without bounds."""
LOG_FROM: Final = 100.0
"""Ratio of two bounds from which a ready-made space between them is logarithmic."""
_KEPT: Final = {
    *("type", "anyOf", "enum", "default", "title", "description", SEARCH),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}
_TYPES: Final = {"integer", "number", "boolean", "string"}
_SPACE: Final[TypeAdapter[Space]] = TypeAdapter(Space)


class Parameters:
    """The parameters of one class.

    Attributes:
        schemas: JSON schema of each parameter that an arm can set, by name.
        given: those that the trainer gives.
    """

    def __init__(self, module: type) -> None:
        """Read the signature.

        Raises:
            InputError: a parameter cannot be set and has no default; says which.
        """
        self.given: tuple[str, ...] = ()
        fields: dict[str, Any] = {}
        hints = _hints(module)
        for name, parameter in inspect.signature(module).parameters.items():
            if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
                continue
            if name in (*OF_CLASSES, *OF_DIM):
                self.given = (*self.given, name)
            else:
                fields[name] = _field(name, parameter, hints.get(name))
        self._model = _model(module.__name__, fields)
        self.schemas: dict[str, Any] = {}
        for name, raw in self._model.model_json_schema()["properties"].items():
            schema = _cleaned(raw)
            if schema is not None:
                self.schemas[name] = with_search(schema)

    def arguments(self, params: Mapping[str, Any], *, classes: int, dim: int) -> dict[str, Any]:
        """Return the arguments of the class for the parameters of an arm; the others get their
        defaults.

        Raises:
            InputError: a parameter is unknown, or its value does not fit.
        """
        unknown = [name for name in params if name not in self.schemas]
        if unknown:
            raise InputError(f"params.{unknown[0]}: unknown; known are {', '.join(self.schemas)}")
        try:
            read = self._model.model_validate(dict(params))
        except ValidationError as error:
            [first, *_] = error.errors(include_url=False)
            where = ".".join(map(str, first["loc"]))
            raise InputError(f"params.{where}: {first['msg']}; got {first['input']!r}") from error
        amounts = {**dict.fromkeys(OF_CLASSES, classes), **dict.fromkeys(OF_DIM, dim)}
        own = {name: getattr(read, name) for name in type(read).model_fields}
        return {**own, **{name: amounts[name] for name in self.given}}


def with_search(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter's schema with its ready-made search space, if it has one.

    Between two bounds it is all that lies between them. Around a default above 0 without such
    bounds it reaches a tenth and ten times of it, on a logarithmic scale. Whole numbers, choices
    and a default of 0 are searched only on request.

    Raises:
        InputError: the space that it declares is none.
    """
    if SEARCH in schema:
        try:
            space = _SPACE.validate_python(schema[SEARCH])
        except ValidationError as error:
            raise InputError(f"{SEARCH}: {error.errors()[0]['msg']}") from error
        return {**schema, SEARCH: space.model_dump(mode="json")}
    default, bounds = schema.get("default"), bounds_of(schema)
    if type_of(schema) != "number" or "enum" in schema or not isinstance(default, int | float):
        return schema
    low, high = bounds.get("minimum"), bounds.get("maximum")
    if low is not None and high is not None and low < high:
        log = low > 0 and high / low >= LOG_FROM
        return {**schema, SEARCH: {"low": float(low), "high": float(high), "log": log}}
    if default <= 0:
        return schema
    ends = [_inside(schema, default * factor, default) for factor in (1 / TIMES, TIMES)]
    if ends[0] >= ends[1]:
        return schema
    return {**schema, SEARCH: {"low": ends[0], "high": ends[1], "log": True}}


def _inside(schema: Mapping[str, Any], wanted: float, default: float) -> float:
    """Return the value between a wanted one and the default that is nearest to the wanted one and
    within the bounds."""
    bounds = bounds_of(schema)
    for end in ("minimum", "maximum"):
        if end in bounds and value_problem(schema, wanted):
            return float(bounds[end])
    return float(f"{wanted:.6g}") if not value_problem(schema, wanted) else default


def _hints(module: type) -> dict[str, Any]:
    try:
        return get_type_hints(vars(module)["__init__"], include_extras=True)
    except (KeyError, NameError, TypeError):  # inherited, or a name that only a type checker knows
        return {}


def _field(name: str, parameter: inspect.Parameter, hint: Any) -> Any:
    """Return a parameter as a field of a pydantic model."""
    default = parameter.default
    if hint is None:
        if default is parameter.empty:
            raise InputError(f"its parameter {name!r} has neither a type nor a default")
        hint = type(default) if isinstance(default, bool | int | float | str) else Any
    if default is parameter.empty and not _has_default(hint):
        raise InputError(f"its parameter {name!r} has no default; give it one")
    return hint if default is parameter.empty else (hint, default)


def _has_default(hint: Any) -> bool:
    """Return whether a field within the annotation gives a default."""
    if get_origin(hint) is not Annotated:
        return False
    return any(isinstance(one, FieldInfo) and not one.is_required() for one in get_args(hint)[1:])


def _model(name: str, fields: Mapping[str, Any]) -> type[BaseModel]:
    config = ConfigDict(
        arbitrary_types_allowed=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )

    def made(of: Mapping[str, Any]) -> type[BaseModel]:
        found: type[BaseModel] = create_model(name, __config__=config, **of)
        found.model_json_schema()
        return found

    try:
        return made(fields)
    except PydanticUserError:
        # A type without a JSON schema; such parameters keep their defaults.
        return made({key: _opened(one) for key, one in fields.items()})


def _opened(field: Any) -> Any:
    """Return a field whose type has no JSON schema as one of any type."""
    hint: Any = field[0] if isinstance(field, tuple) else field
    try:
        TypeAdapter(hint).json_schema()
    except PydanticUserError:
        return (Any, Field(default=field[1] if isinstance(field, tuple) else ...))
    return field


def _cleaned(raw: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a schema as arms and forms understand it; None for a parameter that they cannot set,
    which keeps its default."""
    schema = {key: value for key, value in raw.items() if key in _KEPT}
    if "const" in raw:
        schema["enum"] = [raw["const"]]
    if "enum" in schema:
        is_named = all(isinstance(one, str) for one in schema["enum"])
        return schema if is_named else None
    branches = schema.get("anyOf")
    if branches is not None:
        kinds = [one.get("type") for one in branches]
        if len(branches) != 2 or "null" not in kinds or not _TYPES.intersection(kinds):
            return None
        own = bounds_of(schema)
        cleaned = [{"type": "null"}, {key: own[key] for key in own if key in _KEPT}]
        return {**schema, "anyOf": cleaned}
    if schema.get("type") not in _TYPES or (schema.get("default") is None and not is_optional(raw)):
        return None
    return schema
