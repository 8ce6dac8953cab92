"""Adding, copying and removing arms in the form's values; pure functions."""

from collections.abc import Mapping, Sequence
from typing import Any

from frontend.form.schema_fields import Choice
from frontend.form.to_spec import Values, arm_count


def arm_values(values: Values, index: int) -> dict[str, Any]:
    """One arm's values by their path within the arm."""
    prefix = f"arms.{index}."
    return {
        path.removeprefix(prefix): value
        for path, value in values.items()
        if path.startswith(prefix)
    }


def added(values: Values, loss: Choice) -> Values:
    """With one more arm: the first loss that no arm has yet, at its defaults."""
    used = {values.get(f"arms.{index}.loss.kind") for index in range(arm_count(values))}
    option = next((one for one in loss.options if one.kind not in used), loss.options[0])
    arm: dict[str, Any] = {
        "name": free_name(values, option.kind),
        "training": {},
        "loss.kind": option.kind,
    }
    return _with(values, [*_all(values), arm])


def copied(values: Values, index: int) -> Values:
    """With a copy of an arm at the end, so that the others keep their colours."""
    arm = arm_values(values, index)
    return _with(values, [*_all(values), {**arm, "name": free_name(values, arm["name"])}])


def removed(values: Values, index: int) -> Values:
    """Without an arm; those behind it move up."""
    arms = _all(values)
    return _with(values, [*arms[:index], *arms[index + 1 :]])


def twins(arms: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Each arm of a spec that repeats an earlier one, with that one, counted from 1."""
    settings = [{key: value for key, value in arm.items() if key != "name"} for arm in arms]
    firsts = [settings.index(one) for one in settings]
    return [(first + 1, at + 1) for at, first in enumerate(firsts) if first != at]


def free_name(values: Values, wanted: str) -> str:
    """The wanted name, with a number behind it where it is taken."""
    taken = {values[f"arms.{index}.name"] for index in range(arm_count(values))}
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted} {number}", number + 1
    return name


def _all(values: Values) -> list[dict[str, Any]]:
    return [arm_values(values, index) for index in range(arm_count(values))]


def _with(values: Values, arms: list[dict[str, Any]]) -> Values:
    shared = {path: value for path, value in values.items() if not path.startswith("arms.")}
    own = {
        f"arms.{index}.{path}": value
        for index, arm in enumerate(arms)
        for path, value in arm.items()
    }
    return {**shared, **own}
