"""Losses from outside: what workers report of each plug-in, and whether an arm fits that.

The API never imports a plug-in. It knows of each what a worker has found: its name, the JSON schema
of its parameters, and a digest of its code. Pure functions.
"""

import math
import operator
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contract.comparison.data import modalities
from contract.comparison.loss import (
    MAX_PARAMETERS,
    MAX_PLUGIN_NAME,
    PLUGIN,
    NamedPart,
    Parameters,
    PluginLoss,
)
from contract.comparison.problems import Problem
from contract.comparison.spec import Arm, ComparisonSpec, valid_sections

Schema = Mapping[str, Any]
"""JSON schema of one parameter, or of an object of parameters."""
SEARCH: Final = "x-search"
"""Key in a parameter's schema: its ready-made search space."""
MAX_PLUGINS: Final = 300
"""Plug-ins that one worker may report."""
_LONGEST: Final = 60
"""Characters of a name that a problem shows."""
_TYPES: Final = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}

_Short = Field("", max_length=300)
_Long = Field("", max_length=2000)


class PluginEntry(BaseModel):
    """What a worker reports of one plug-in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=MAX_PLUGIN_NAME)
    """By which specs name it. Of one that cannot be used it may be a file or folder."""
    source: str = Field(min_length=1, max_length=300)
    """Where it comes from: `pml`, `entry_points`, or a folder."""
    label: str = _Short
    """For people: `MultiSimilarityLoss (pml)`."""
    version: str = _Short
    """Of the package that it comes from; empty for a file."""
    digest: str = Field("", max_length=64)
    """Of its code; empty where it could not be read."""
    idea: str = _Long
    paper: str = _Short
    url: str = _Short
    parameters: dict[str, Any] = Field(default_factory=dict, max_length=MAX_PARAMETERS)
    """Name -> JSON schema of a number, a truth value, a text or a choice, with its default."""
    miners: dict[str, dict[str, Any]] = Field(default_factory=dict, max_length=MAX_PARAMETERS)
    """Miner that it works with -> the miner's parameters in the same form."""
    distances: dict[str, dict[str, Any]] = Field(default_factory=dict, max_length=MAX_PARAMETERS)
    """The same of distances."""
    trainable: bool = False
    """Whether it has parameters of its own that are trained."""
    two_modalities: bool = False
    """Whether it compares items with others of another modality."""
    counts: Literal["terms", "value"] = "value"
    """What is measured of its tuples: their losses, or nothing."""
    notes: list[str] = Field(default_factory=list, max_length=20)
    """What its check found odd, for people."""
    problem: str = _Long
    """Why it cannot be used; empty if it can."""

    @property
    def usable(self) -> bool:
        """Whether arms may name it."""
        return not self.problem


Plugins = Mapping[str, PluginEntry]
"""Name -> the plug-in, as it was reported last."""


def plugin_problems(raw: Mapping[str, Any], plugins: Plugins) -> list[Problem]:
    """Return what is wrong with the plug-ins that a new spec names; other parts may be invalid.

    A stored spec is not checked: its plug-ins may be gone.
    """
    data, _, arms = valid_sections(raw)
    two = data is not None and modalities(data).visual is not None
    return [
        problem
        for index, arm in enumerate(arms)
        if arm is not None and isinstance(arm.loss, PluginLoss)
        for problem in _problems_of(arm.loss, plugins, f"arms[{index}].loss", two=two)
    ]


def names_plugins(raw: Mapping[str, Any]) -> bool:
    """Return whether an arm of a posted spec has a plug-in, whatever else is wrong with it."""
    arms = raw.get("arms")
    losses = (
        [arm.get("loss") for arm in arms if isinstance(arm, Mapping)]
        if isinstance(arms, list)
        else []
    )
    return any(isinstance(loss, Mapping) and loss.get("kind") == PLUGIN for loss in losses)


def entry_of(arm: Arm, plugins: Plugins) -> PluginEntry | None:
    """Return what is known of an arm's plug-in; None for another loss, or if nothing is."""
    return plugins.get(arm.loss.name) if isinstance(arm.loss, PluginLoss) else None


def with_defaults(spec: ComparisonSpec, plugins: Plugins) -> ComparisonSpec:
    """Return a spec whose plug-ins have all their parameters written out, so that the stored spec
    says all; any other spec as it is."""
    if not any(isinstance(arm.loss, PluginLoss) for arm in spec.arms):
        return spec
    arms = [arm.model_copy(update={"loss": _completed(arm, plugins)}) for arm in spec.arms]
    return spec.model_copy(update={"arms": arms})


def parameters_of(entry: PluginEntry, loss: PluginLoss) -> dict[str, Schema]:
    """Return the schema of each parameter that an arm has, by its path in the loss section."""
    found = {f"params.{name}": schema for name, schema in entry.parameters.items()}
    for part, chosen, known in (
        ("miner", loss.miner, entry.miners),
        ("distance", loss.distance, entry.distances),
    ):
        if chosen is not None:
            schemas = known.get(chosen.name, {})
            found |= {f"{part}.params.{name}": schema for name, schema in schemas.items()}
    return found


def value_problem(schema: Schema, value: object) -> str:
    """Return why a value does not fit the schema of a parameter; empty if it does."""
    if value is None:
        return "" if is_optional(schema) else f"must be {_wanted(schema)}; got null"
    if "enum" in schema:
        known = schema["enum"]
        fits = any(value == one and type(value) is type(one) for one in known)
        return "" if fits else f"must be one of {', '.join(map(repr, known))}; got {_shown(value)}"
    if not _has_type(value, type_of(schema)):
        return f"must be {_wanted(schema)}; got {_shown(value)}"
    return _bound_problem(schema, value) if isinstance(value, int | float) else ""


def type_of(schema: Schema) -> str:
    """Return the type of a parameter besides null: integer, number, boolean or string."""
    branches = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return str((branches[0] if branches else schema).get("type", "string"))


def is_optional(schema: Schema) -> bool:
    """Return whether a parameter may be null."""
    return any(one.get("type") == "null" for one in schema.get("anyOf", ()))


def bounds_of(schema: Schema) -> Schema:
    """Return the schema without the null that it may also be."""
    branches = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return branches[0] if branches else schema


def _problems_of(loss: PluginLoss, plugins: Plugins, path: str, *, two: bool) -> list[Problem]:
    entry = plugins.get(loss.name)
    if entry is None:
        return [Problem(f"{path}.name", _unknown(loss.name, plugins))]
    if not entry.usable:
        message = f"{loss.name!r} cannot be used: {entry.problem}"
        return [Problem(f"{path}.name", message)]
    problems = _parameter_problems(entry.parameters, loss.params, f"{path}.params")
    for part, chosen, known in (
        ("miner", loss.miner, entry.miners),
        ("distance", loss.distance, entry.distances),
    ):
        problems += _part_problems(loss.name, part, chosen, known, f"{path}.{part}")
    if two and not entry.two_modalities:
        message = (
            f"{loss.name!r} compares items of one modality, and these data have two; take another "
            "loss"
        )
        problems.append(Problem(f"{path}.name", message))
    return problems


def _unknown(name: str, plugins: Plugins) -> str:
    shown = name[:_LONGEST]
    usable = sorted(one for one, entry in plugins.items() if entry.usable)
    if not usable:
        return (
            f"no worker has reported a loss {shown!r}, or any other plug-in; LOSSBOARD_LOSSES of "
            "the workers names them"
        )
    close = get_close_matches(shown, usable, n=3, cutoff=0.5)
    hint = (
        f"did you mean {' or '.join(close)}?" if close else "GET /catalogue lists those there are"
    )
    return f"no worker has reported a loss {shown!r}; {hint}"


def _part_problems(
    loss: str,
    part: str,
    chosen: NamedPart | None,
    known: Mapping[str, Schema],
    path: str,
) -> list[Problem]:
    if chosen is None:
        return []
    if chosen.name in known:
        return _parameter_problems(known[chosen.name], chosen.params, f"{path}.params")
    shown = chosen.name[:_LONGEST]
    if not known:
        return [Problem(path, f"{loss!r} takes no {part}; leave it out")]
    return [Problem(f"{path}.name", f"{loss!r} takes {', '.join(known)}; got {shown!r}")]


def _parameter_problems(schemas: Schema, values: Parameters, path: str) -> list[Problem]:
    problems = []
    for name, value in values.items():
        shown = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}..."
        where = f"{path}.{shown}"
        if name not in schemas:
            known = ", ".join(schemas) or "none"
            problems.append(Problem(where, f"unknown parameter; known are {known}"))
        elif message := value_problem(schemas[name], value):
            problems.append(Problem(where, message))
    problems += [
        Problem(f"{path}.{name}", "required, but missing")
        for name, schema in schemas.items()
        if "default" not in schema and name not in values
    ]
    return problems


def _completed(arm: Arm, plugins: Plugins) -> Any:
    entry, loss = entry_of(arm, plugins), arm.loss
    if entry is None or not isinstance(loss, PluginLoss):
        return loss
    update: dict[str, Any] = {"params": _filled(entry.parameters, loss.params)}
    for part, chosen, known in (
        ("miner", loss.miner, entry.miners),
        ("distance", loss.distance, entry.distances),
    ):
        if chosen is not None:
            params = _filled(known[chosen.name], chosen.params)
            update[part] = chosen.model_copy(update={"params": params})
    return loss.model_copy(update=update)


def _filled(schemas: Schema, values: Parameters) -> dict[str, Any]:
    """Return all parameters; numbers that may have a fraction as such, so that 2 and 2.0 are one
    setting."""
    given = {name: values.get(name, schema.get("default")) for name, schema in schemas.items()}
    return {
        name: float(value) if type_of(schemas[name]) == "number" and type(value) is int else value
        for name, value in given.items()
    }


def _bound_problem(schema: Schema, value: float) -> str:
    bounds = bounds_of(schema)
    if not math.isfinite(value):
        return f"must be a finite number; got {value}"
    checks = (
        ("minimum", "at least", operator.ge),
        ("exclusiveMinimum", "above", operator.gt),
        ("maximum", "at most", operator.le),
        ("exclusiveMaximum", "below", operator.lt),
    )
    for key, word, holds in checks:
        if key in bounds and not holds(value, bounds[key]):
            return f"must be {word} {bounds[key]:g}; got {value:g}"
    return ""


def _has_type(value: object, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def _wanted(schema: Schema) -> str:
    wanted = _TYPES.get(type_of(schema), "a text")
    return f"{wanted} or null" if is_optional(schema) else wanted


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."
