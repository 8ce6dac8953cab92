"""The arms that a sweep makes of one arm: one for each combination of values, each named by what
differs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from frontend.form.schema_fields import Form
from frontend.form.sweep.settings import (
    TRAINING,
    Arm,
    SweepSetting,
    Values,
    sweep_settings,
)
from frontend.form.sweep.values import SweepError, number_text

Swept = Mapping[str, Sequence[Any]]
"""Path of each swept setting -> its values."""
SEARCH: Final = "search"
"""Path, below an arm, of the settings that its tuning varies; what is swept is not tuned too."""
SWEEP: Final = "sweep"
"""Path, below an arm, of the settings of a sweep that has not become arms yet; their values lie
below it."""


@dataclass(frozen=True)
class SweptArm:
    """An arm that a sweep would make."""

    values: dict[str, Any]
    """The form's values of the arm, by their path below it."""
    chosen: dict[str, Any]
    """Path of each swept setting that has an effect in it -> its value."""


def check_count(swept: Swept, others: int, form: Form) -> None:
    """Refuse a sweep that makes more arms than a comparison may have.

    Args:
        swept: the values of each setting.
        others: arms that stay beside those of the sweep.
        form: the form.

    Raises:
        SweepError: the comparison would have too many.
    """
    made = math.prod(map(len, swept.values()))
    if made + others <= form.max_arms:
        return
    factors = " × ".join(str(len(values)) for values in swept.values())
    how = f"{factors} = {made:,} arms" if len(swept) > 1 else f"{made:,} arms"
    beside = f", {made + others:,} with the other {others}" if others else ""
    raise SweepError(
        f"this makes {how}{beside}; a comparison has at most {form.max_arms}. Leave out values"
        + (" or a setting" if len(swept) > 1 else "")
        + (", or remove other arms" if others else "")
    )


def swept_arms(
    arm: Arm, swept: Swept, shared: Values, form: Form, *, taken: Sequence[str]
) -> list[SweptArm]:
    """Return the arms of all combinations, in the order of the values, the last setting first.

    Combinations that differ only in settings without an effect, such as the momentum of Adam, make
    one arm.

    Args:
        arm: the arm that is swept.
        swept: the values of each setting, few enough.
        shared: the form's values.
        form: the form.
        taken: names of the arms that stay.

    Raises:
        SweepError: a search of the arm would have nothing left to vary.
    """
    if shared.get("tuning") and (searched := arm.get(SEARCH)) and set(searched) <= set(swept):
        raise SweepError(
            "the tuning searches this arm over nothing else; leave it a setting, or switch it off"
        )
    found: list[SweptArm] = []
    names = set(taken)
    prefix = str(arm.get("name", "")).strip() if taken else ""
    for values in product(*swept.values()):
        made = _with_values(arm, dict(zip(swept, values, strict=True)), shared, form)
        settings = sweep_settings(made, shared, form)
        chosen = {path: made[path] for path in swept if path in settings}
        if any(one.chosen == chosen for one in found):
            continue
        said = ", ".join(
            f"{settings[path].word} {value_text(settings[path], value)}"
            for path, value in chosen.items()
        )
        name = f"{prefix}, {said}" if prefix else said
        made["name"] = _free_name(name, prefix, said, names, form)
        names.add(made["name"])
        found.append(SweptArm(made, chosen))
    return found


def value_text(setting: SweepSetting, value: object) -> str:
    """Return a value as names and lists show it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number_text(value)
    return setting.labels.get(value, str(value).replace("_", " "))


def without_sweep(arm: Arm) -> dict[str, Any]:
    """Return an arm's values without a sweep that has not become arms."""
    return {
        path: value
        for path, value in arm.items()
        if path != SWEEP and not path.startswith(f"{SWEEP}.")
    }


def _with_values(arm: Arm, chosen: Mapping[str, Any], shared: Values, form: Form) -> dict[str, Any]:
    """Return an arm with these values; what it shared of a training setting becomes its own."""
    made = without_sweep(arm)
    if searched := made.get(SEARCH):
        made[SEARCH] = [path for path in searched if path not in chosen] or None
    for path in chosen:
        section, _, rest = path.partition(".")
        name = rest.partition(".")[0]
        if section == TRAINING and name not in made.get(TRAINING, ()):
            made |= own_copy(name, made, shared, form)
    return {**made, **chosen}


def own_copy(name: str, arm: Arm, shared: Values, form: Form) -> dict[str, Any]:
    """Return the values that give an arm a training setting of its own, equal to the shared one."""
    at = f"{TRAINING}.{name}"
    own = {*arm.get(TRAINING, ()), name}
    return {
        TRAINING: tuple(item.name for item in form.arm_training if item.name in own),
        **{
            path: value for path, value in shared.items() if path == at or path.startswith(f"{at}.")
        },
    }


def _free_name(wanted: str, prefix: str, said: str, taken: set[str], form: Form) -> str:
    """Return a name that no arm has; one that is too long loses a part of the arm's name first."""
    most = form.max_arm_name
    if len(wanted) > most:
        room = most - len(said) - 3
        wanted = f"{prefix[:room]}…, {said}" if room > 0 else f"{said[: most - 1]}…"
    name, number = wanted, 2
    while name in taken:
        end = f" {number}"
        name, number = f"{wanted[: most - len(end)]}{end}", number + 1
    return name
