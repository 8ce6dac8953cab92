"""Write a spec from the form's values, and add, copy and remove arms in them.

The values are flat, path -> value. They hold more than the spec: the settings of a kind that is not
chosen now stay, so that choosing it again brings them back.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from frontend.form.practical import parse_bounds
from frontend.form.schema_fields import BOUND_PATH, BOUNDS, Choice, Form, Items
from frontend.form.sweep.arms import without_sweep
from frontend.form.tuning.values import write_search, write_tuning
from frontend.ui.plugin_losses import nested_loss
from frontend.ui.seeds import parse_seeds
from frontend.ui.tags import parse_tags

Values = dict[str, Any]


def write_spec(values: Values, form: Form) -> dict[str, Any]:
    """Return the spec of the values, with every setting written out.

    Raises:
        SeedsError: the seeds cannot be parsed.
        BoundsError: the practical bounds cannot be parsed.
    """
    arms = []
    for index in range(arm_count(values)):
        path = f"arms.{index}"
        source = form.loss.option(values.get(f"{path}.loss.kind")).source
        loss = nested_loss(write_choice(values, form.loss, f"{path}.loss"), source)
        arm = {"name": values[f"{path}.name"], "loss": loss}
        own = own_training(values, form, index)
        if own:
            arm["training"] = _write_items(values, own, f"{path}.training")
        if search := write_search(values, form, index):
            arm["search"] = search
        arms.append(arm)
    data = form.data.option(values.get("data.kind"))
    two = len(data.holds) > 1
    training = _write_items(values, form.training, "training")
    if "images" not in data.holds:
        training["augmentation"] = "none"
    tuning = write_tuning(values, form)
    return {
        "name": values["name"],
        "tags": parse_tags(values["tags"]),
        "notes": values["notes"],
        "data": _write_data(values, form),
        "encoder": _write_encoder(values, form.encoder),
        **({"visual_encoder": _write_visual_encoder(values, form)} if two else {}),
        "training": training,
        "measure": _write_items(values, form.measure, "measure"),
        "arms": arms,
        "seeds": parse_seeds(values["seeds"]),
        "replicate": values.get("replicate", "seed"),
        "practical": _write_bounds(values, form),
        **({} if tuning is None else {"tuning": tuning}),
    }


SHARED_SETTINGS: Final = ("embedding_dim", "normalize")
"""Settings that the visual encoder takes from the encoder, as both embed into one space."""
SOURCE_SETTINGS: Final = ("dataset", "folder", "file")
"""Settings of a team's own data that name their place; exactly one of them is set."""


def _write_data(values: Values, form: Form) -> dict[str, Any]:
    """Return the data section, without a path that was typed before an upload was chosen."""
    written = write_choice(values, form.data, "data")
    if written.get("dataset"):
        written |= {name: "" for name in SOURCE_SETTINGS[1:] if name in written}
    return written


def _write_encoder(values: Values, choice: Choice) -> dict[str, Any]:
    """Return an encoder section, without a weights file that is not used."""
    written = write_choice(values, choice, choice.name)
    if "weights_file" in written and written["weights"] != "file":
        written["weights_file"] = ""
    return written


def _write_visual_encoder(values: Values, form: Form) -> dict[str, Any]:
    shared = {name: values[f"encoder.{name}"] for name in SHARED_SETTINGS}
    return {**_write_encoder(values, form.visual_encoder), **shared}


def _write_bounds(values: Values, form: Form) -> dict[str, float]:
    """Return the bounds that are given, first those with a field of their own."""
    fields = {bound.key: values.get(f"{BOUND_PATH}{bound.key}") for bound in form.bounds}
    others = parse_bounds(values.get(BOUNDS, ""))
    return {**{key: bound for key, bound in fields.items() if bound is not None}, **others}


def write_choice(values: Values, choice: Choice, path: str) -> dict[str, Any]:
    """Return a section of several kinds: its kind and the settings of that kind."""
    option = choice.option(values.get(f"{path}.kind"))
    return {"kind": option.kind, **_write_items(values, option.items, path)}


def own_training(values: Values, form: Form, index: int) -> Items:
    """Return the training settings that an arm has of its own: `arms.0.training` lists their names,
    and their values lie below it as those of all arms lie below `training`."""
    names = values.get(f"arms.{index}.training") or ()
    return tuple(item for item in form.arm_training if item.name in names)


def arm_count(values: Values) -> int:
    """Return the number of arms."""
    count = 0
    while f"arms.{count}.name" in values:
        count += 1
    return count


def _write_items(values: Values, items: Items, path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        at = f"{path}.{item.name}"
        if isinstance(item, Choice):
            found[item.name] = write_choice(values, item, at)
        else:
            found[item.name] = values.get(at, item.initial)
    return found


def arm_values(values: Values, index: int) -> dict[str, Any]:
    """Return the values of one arm by their path within the arm."""
    prefix = f"arms.{index}."
    return {
        path.removeprefix(prefix): value
        for path, value in values.items()
        if path.startswith(prefix)
    }


def add_arm(values: Values, loss: Choice) -> Values:
    """Return the values with one more arm: the first loss that no arm has, with its defaults."""
    used = {values.get(f"arms.{index}.loss.kind") for index in range(arm_count(values))}
    option = next((one for one in loss.options if one.kind not in used), loss.options[0])
    arm: dict[str, Any] = {
        "name": free_name(values, option.kind),
        "training": (),
        "loss.kind": option.kind,
    }
    return with_arms(values, [*all_arms(values), arm])


def copy_arm(values: Values, index: int) -> Values:
    """Return the values with a copy of an arm at the end, so that others keep their colours."""
    arm = without_sweep(arm_values(values, index))
    return with_arms(values, [*all_arms(values), {**arm, "name": free_name(values, arm["name"])}])


def put_arms(
    values: Values, index: int, arms: Sequence[Mapping[str, Any]], *, keep: bool
) -> Values:
    """Return the values with arms in the place of one; or behind it, where it is kept."""
    before = all_arms(values)
    kept = [without_sweep(before[index])] if keep else []
    return with_arms(values, [*before[:index], *kept, *arms, *before[index + 1 :]])


def remove_arm(values: Values, index: int) -> Values:
    """Return the values without an arm; later arms move up."""
    arms = all_arms(values)
    return with_arms(values, [*arms[:index], *arms[index + 1 :]])


def identical_arms(arms: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Return pairs of arms, counted from 1, that differ in nothing but the name."""
    settings = [{key: value for key, value in arm.items() if key != "name"} for arm in arms]
    firsts = [settings.index(one) for one in settings]
    return [(first + 1, at + 1) for at, first in enumerate(firsts) if first != at]


def free_name(values: Values, wanted: str) -> str:
    """Return the wanted name, with a number after it if another arm has it."""
    taken = {values[f"arms.{index}.name"] for index in range(arm_count(values))}
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted} {number}", number + 1
    return name


def all_arms(values: Values) -> list[dict[str, Any]]:
    """Return the values of every arm by their path within the arm."""
    return [arm_values(values, index) for index in range(arm_count(values))]


def with_arms(values: Values, arms: Sequence[Mapping[str, Any]]) -> Values:
    """Return the values with these arms and no others."""
    shared = {path: value for path, value in values.items() if not path.startswith("arms.")}
    own = {
        f"arms.{index}.{path}": value
        for index, arm in enumerate(arms)
        for path, value in arm.items()
    }
    return {**shared, **own}
