"""The form's flat values, path -> value, and the spec that they make; pure functions.

The values remember more than the spec has: settings of a kind that is not chosen now stay, so that
choosing it again brings them back.

Adding, copying and removing arms in the form's values; pure functions.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from frontend.form.schema_fields import Choice, Form, Items
from frontend.ui.seeds import parse_seeds

Values = dict[str, Any]


def write_spec(values: Values, form: Form) -> dict[str, Any]:
    """The spec that the values make, with every setting written out.

    Raises:
        SeedsError: the seeds cannot be read.
    """
    arms = []
    for index in range(arm_count(values)):
        path = f"arms.{index}"
        loss = write_choice(values, form.loss, f"{path}.loss")
        arm = {"name": values[f"{path}.name"], "loss": loss}
        if values.get(f"{path}.training"):
            arm["training"] = values[f"{path}.training"]
        arms.append(arm)
    data = form.data.option(values.get("data.kind"))
    two = len(data.holds) > 1
    training = _write_items(values, form.training, "training")
    if "images" not in data.holds:
        training["augmentation"] = "none"
    return {
        "name": values["name"],
        "tags": [tag for tag in (part.strip() for part in values["tags"].split(",")) if tag],
        "notes": values["notes"],
        "data": _write_data(values, form),
        "encoder": _write_encoder(values, form.encoder),
        **({"visual_encoder": _write_visual_encoder(values, form)} if two else {}),
        "training": training,
        "measure": _write_items(values, form.measure, "measure"),
        "arms": arms,
        "seeds": parse_seeds(values["seeds"]),
    }


SHARED: Final = ("embedding_dim", "normalize")
"""Settings of the encoder that the visual encoder follows: both map into one space."""
SOURCES: Final = ("dataset", "folder", "file")
"""Settings of a team's own data of which one says where they are."""


def _write_data(values: Values, form: Form) -> dict[str, Any]:
    """The data; a path that was typed before an upload was chosen does not count."""
    written = write_choice(values, form.data, "data")
    if written.get("dataset"):
        written |= {name: "" for name in SOURCES[1:] if name in written}
    return written


def _write_encoder(values: Values, choice: Choice) -> dict[str, Any]:
    """A network; a file of weights that is not taken does not count."""
    written = write_choice(values, choice, choice.name)
    if "weights_file" in written and written["weights"] != "file":
        written["weights_file"] = ""
    return written


def _write_visual_encoder(values: Values, form: Form) -> dict[str, Any]:
    shared = {name: values[f"encoder.{name}"] for name in SHARED}
    return {**_write_encoder(values, form.visual_encoder), **shared}


def write_choice(values: Values, choice: Choice, path: str) -> dict[str, Any]:
    """One section of several kinds: its kind and that kind's settings."""
    option = choice.option(values.get(f"{path}.kind"))
    return {"kind": option.kind, **_write_items(values, option.items, path)}


def arm_count(values: Values) -> int:
    """How many arms there are."""
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
            found[item.name] = values.get(at, item.default)
    return found


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
