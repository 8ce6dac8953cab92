"""What a search can vary, as the catalogue lists it for each kind of loss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Json = Mapping[str, Any]
Scale = Literal["linear", "log", "choices"]

SCALES: Final[tuple[Scale, ...]] = ("linear", "log", "choices")
"""How the values of a number are given: all between two, equal differences or equal ratios equally
likely; or a few."""


@dataclass(frozen=True)
class SearchSetting:
    """A setting of an arm that a search can vary."""

    path: str
    """As in the spec: `loss.margin`."""
    title: str
    help: str
    type: Literal["number", "integer", "choice"]
    choices: tuple[str, ...]
    """All values of a setting that is no number."""
    space: Mapping[str, Any] | None
    """The ready-made space; None for a setting that is searched only on request."""
    where: Mapping[str, tuple[str, ...]]
    """Path of another setting -> its values under which this one has an effect."""

    def has_effect(self, values: Json, arm: str) -> bool:
        """Return whether the setting has an effect in an arm as it is now.

        Args:
            values: of the form.
            arm: path of the arm in them.
        """
        return all(chosen_value(values, arm, path) in known for path, known in self.where.items())


def read_settings(rows: Sequence[Json]) -> tuple[SearchSetting, ...]:
    """Read the catalogue's rows of one kind of loss."""
    return tuple(
        SearchSetting(
            path=row["path"],
            title=row["title"],
            help=row["description"],
            type=row["type"],
            choices=tuple(row["choices"]),
            space=row["space"],
            where={path: tuple(known) for path, known in row["where"].items()},
        )
        for row in rows
    )


def chosen_value(values: Json, arm: str, path: str) -> Any:
    """Return the value of a setting in an arm: its own, or the one that all arms share; None if it
    has none."""
    section, _, name = path.partition(".")
    if section == "loss":
        return values.get(f"{arm}.{path}")
    own = name.partition(".")[0] in (values.get(f"{arm}.training") or ())
    return values.get(f"{arm}.{path}" if own else path)


def effective(
    settings: Sequence[SearchSetting], values: Json, arm: str
) -> tuple[SearchSetting, ...]:
    """Return the settings that have an effect in an arm, each once."""
    found: dict[str, SearchSetting] = {}
    for setting in settings:
        if setting.has_effect(values, arm):
            found.setdefault(setting.path, setting)
    return tuple(found.values())


def named(
    settings: Sequence[SearchSetting], values: Json, arm: str, path: str
) -> SearchSetting | None:
    """Return the setting of a path, that which has an effect first; None if the loss has none."""
    own = [setting for setting in settings if setting.path == path]
    return next((one for one in own if one.has_effect(values, arm)), own[0] if own else None)


def first_space(setting: SearchSetting, value: Any) -> Mapping[str, Any]:
    """Return the space that a setting begins with when it is added.

    Args:
        setting: the setting.
        value: its value in the arm as it is written.
    """
    if setting.space is not None:
        return setting.space
    if setting.choices:
        return {"choices": list(setting.choices)}
    size = float(value) if isinstance(value, int | float) and value > 0 else 1.0
    if setting.type == "integer" and setting.path.startswith("loss."):  # of a plug-in
        whole = max(1, int(size))
        return {"choices": sorted({max(1, whole // 2), whole, 2 * whole})}
    if setting.type == "integer":
        return {"low": max(1, int(size) // 2), "high": max(2, 2 * int(size))}
    return {"low": size / 2, "high": 2 * size}
