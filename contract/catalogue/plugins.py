"""The rows of the catalogue for losses that workers have reported, as the form needs them.

A row is like that of one of our own losses: its kind is the plug-in's name, and its schema has a
property `params.NAME` for each parameter and a union for miner and distance.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from contract.catalogue.tuning import training_rows
from contract.comparison.plugins import (
    PluginEntry,
    Schema,
    bounds_of,
    type_of,
)
from contract.comparison.training import SHOWN_WITH_LOSSES
from contract.comparison.tuning import Space
from contract.tuning.paths import parameter_setting
from contract.tuning.spaces import plugin_space

NO_PART: Final = "none"
"""Kind of a miner or distance that is not chosen."""
_PART_TITLES: Final = {"miner": "Miner", "distance": "Distance"}


def loss_rows(entries: Iterable[PluginEntry]) -> list[dict[str, Any]]:
    """Return the rows of the plug-ins that can be used, for the catalogue's losses."""
    return [_loss_row(entry) for entry in entries if entry.usable]


def listed_plugins(entries: Iterable[PluginEntry]) -> list[dict[str, Any]]:
    """Return what was found of each plug-in, also of those that cannot be used."""
    kept = {"name", "label", "source", "version", "digest", "counts", "notes", "problem"}
    return [entry.model_dump(mode="json", include=kept) for entry in entries]


def search_rows(entry: PluginEntry) -> list[dict[str, Any]]:
    """Return what a search can vary of an arm with a plug-in, with its ready-made space."""
    space = plugin_space(entry)
    rows = _parameter_rows("loss.params", entry.parameters, {}, space)
    for part, known in (("miner", entry.miners), ("distance", entry.distances)):
        for name, schemas in known.items():
            where = {f"loss.{part}.kind": [name]}
            rows += _parameter_rows(f"loss.{part}.params", schemas, where, {})
    return rows + training_rows(
        lambda optimizer: plugin_space(entry, optimizer=optimizer), trainable=entry.trainable
    )


def _loss_row(entry: PluginEntry) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "kind": {"const": entry.name},
        **{f"params.{name}": _titled(name, one) for name, one in entry.parameters.items()},
    }
    definitions: dict[str, Any] = {}
    for part, known in (("distance", entry.distances), ("miner", entry.miners)):
        if known:
            branches = {NO_PART: {}, **known}
            definitions |= {f"{part}.{name}": _part(name, one) for name, one in branches.items()}
            references = [{"$ref": f"#/$defs/{part}.{name}"} for name in branches]
            properties[part] = {"title": _PART_TITLES[part], "oneOf": references}
    notes = " ".join(entry.notes)
    return {
        "kind": entry.name,
        "label": entry.label or entry.name,
        "idea": " ".join(filter(None, (entry.idea, notes))),
        "formula": "",
        "paper": entry.paper,
        "url": entry.url,
        "source": entry.source,
        "schema": {"type": "object", "properties": properties, "$defs": definitions},
    }


def _part(name: str, schemas: Mapping[str, Schema]) -> dict[str, Any]:
    own = {f"params.{one}": _titled(one, schema) for one, schema in schemas.items()}
    return {"type": "object", "properties": {"kind": {"const": name}, **own}}


def _titled(name: str, schema: Schema) -> dict[str, Any]:
    return {"title": title_of(name, schema), **schema}


def title_of(name: str, schema: Schema) -> str:
    """Return what a parameter is called: its title, or its name as words."""
    words = name.replace("_", " ")
    return str(schema.get("title") or f"{words[:1].upper()}{words[1:]}")


def _parameter_rows(
    path: str, schemas: Mapping[str, Schema], where: Mapping[str, Any], space: Mapping[str, Space]
) -> list[dict[str, Any]]:
    rows = []
    for name, schema in schemas.items():
        setting = parameter_setting(schema)
        if setting is None:
            continue
        at = f"{path}.{name}"
        own = space.get(at)
        rows.append(
            {
                "path": at,
                "title": title_of(name, schema),
                "description": str(bounds_of(schema).get("description", "")),
                "type": "choice" if setting.choices else type_of(schema),
                "choices": list(setting.choices),
                "space": None if own is None else own.model_dump(mode="json"),
                "where": dict(where),
            }
        )
    return rows


def with_trainable(schemas: Any, names: Sequence[str]) -> Any:
    """Return JSON schemas in which settings for losses with parameters of their own name these
    plug-ins too."""
    if isinstance(schemas, Mapping):
        return {
            key: [*value, *names] if key == SHOWN_WITH_LOSSES else with_trainable(value, names)
            for key, value in schemas.items()
        }
    if isinstance(schemas, list):
        return [with_trainable(one, names) for one in schemas]
    return schemas
