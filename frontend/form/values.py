"""The form's flat values, path -> value, and the spec that they make; pure functions.

The values remember more than the spec has: settings of a kind that is not chosen now stay, so that
choosing it again brings them back.
"""

from typing import Any, Final

from frontend.form.fields import Choice, Form, Items
from frontend.form.seeds import parse_seeds

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
    visual = has_two_modalities(values, form)
    return {
        "name": values["name"],
        "tags": [tag for tag in (part.strip() for part in values["tags"].split(",")) if tag],
        "notes": values["notes"],
        "data": write_choice(values, form.data, "data"),
        "encoder": write_choice(values, form.encoder, "encoder"),
        **({"visual_encoder": _visual_encoder(values, form)} if visual else {}),
        "training": _write_items(values, form.training, "training"),
        "measure": _write_items(values, form.measure, "measure"),
        "arms": arms,
        "seeds": parse_seeds(values["seeds"]),
    }


SHARED: Final = ("embedding_dim", "normalize")
"""Settings of the encoder that the visual encoder follows: both map into one space."""


def has_two_modalities(values: Values, form: Form) -> bool:
    """Whether the chosen data have visual items beside their first ones."""
    return len(form.data.option(values.get("data.kind")).holds) > 1


def _visual_encoder(values: Values, form: Form) -> dict[str, Any]:
    written = write_choice(values, form.visual_encoder, "visual_encoder")
    return {**written, **{name: values[f"encoder.{name}"] for name in SHARED}}


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
