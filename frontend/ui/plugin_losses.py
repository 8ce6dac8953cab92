"""Losses that workers bring, as the catalogue lists them: like ours, by a kind that is their name.

A spec nests their parameters; the form and the lists of settings have them flat, as
`params.alpha` and `miner.params.epsilon`, so that all else treats them like those of our losses.
"""

from collections.abc import Mapping
from typing import Any, Final

Json = Mapping[str, Any]

PLUGIN: Final = "plugin"
"""Kind of such a loss in a spec."""
OWN_SOURCE: Final = "lossboard"
"""Source of our own losses in the catalogue."""
NO_PART: Final = "none"
"""Kind of a miner, or a distance, that is not chosen."""
_PARAMS: Final = "params."
PARTS: Final = ("miner", "distance")


def loss_kind(loss: Json) -> str:
    """Return the kind by which the catalogue lists a loss of a spec."""
    return str(loss.get("name") if loss.get("kind") == PLUGIN else loss.get("kind"))


def flat_loss(loss: Json) -> dict[str, Any]:
    """Return a loss section of a spec as the form has it; one of our own as it is."""
    if loss.get("kind") != PLUGIN:
        return dict(loss)
    parts = {part: _flat_part(loss[part]) for part in PARTS if isinstance(loss.get(part), Mapping)}
    return {"kind": loss_kind(loss), **_flat(loss.get("params")), **parts}


def nested_loss(section: Json, source: str) -> dict[str, Any]:
    """Return a loss section of the form as a spec has it.

    Args:
        section: of the form.
        source: of the loss in the catalogue.
    """
    if source in {"", OWN_SOURCE}:
        return dict(section)
    parts = {part: _nested_part(section[part]) for part in PARTS if part in section}
    return {"kind": PLUGIN, "name": section["kind"], "params": _nested(section), **parts}


def shown_settings(loss: Json) -> dict[str, Any]:
    """Return the settings of a loss of a spec by path, as lists show them: those of a miner below
    its name."""
    if loss.get("kind") != PLUGIN:
        return {name: value for name, value in loss.items() if name != "kind"}
    found = _flat(loss.get("params"))
    for part in PARTS:
        chosen = loss.get(part)
        if isinstance(chosen, Mapping):
            found[part] = chosen.get("name")
            own = _flat(chosen.get("params"))
            found |= {f"{part}.{name}": value for name, value in own.items()}
    return found


def _flat(params: object) -> dict[str, Any]:
    given = params if isinstance(params, Mapping) else {}
    return {f"{_PARAMS}{name}": value for name, value in given.items()}


def _flat_part(part: Json) -> dict[str, Any]:
    return {"kind": part.get("name", NO_PART), **_flat(part.get("params"))}


def _nested(section: Json) -> dict[str, Any]:
    return {
        name.removeprefix(_PARAMS): value
        for name, value in section.items()
        if name.startswith(_PARAMS)
    }


def _nested_part(section: Json) -> dict[str, Any] | None:
    if section["kind"] == NO_PART:
        return None
    return {"name": section["kind"], "params": _nested(section)}
