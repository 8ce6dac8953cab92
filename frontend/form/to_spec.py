"""The form's flat values, path -> value, and the spec that they make; pure functions.

The values remember more than the spec has: settings of a kind that is not chosen now stay, so that
choosing it again brings them back.
"""

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
