"""What a sweep can vary in an arm: those settings of its loss and training that have an effect."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from frontend.form.schema_fields import Choice, Field, Form, Items

Arm = Mapping[str, Any]
"""The form's values of one arm, by their path below it: `name`, `loss.margin`."""
Values = Mapping[str, Any]

_LOSS: Final = "loss"
TRAINING: Final = "training"


@dataclass(frozen=True)
class SweepSetting:
    """A setting of an arm that can be swept."""

    path: str
    """As in an arm of the spec: `loss.margin`, `training.optimizer.kind`."""
    item: Field
    labels: Mapping[Any, str] = field(default_factory=dict)
    """What values are called, where they have names."""

    @property
    def title(self) -> str:
        """What the form calls it."""
        return self.item.title

    @property
    def word(self) -> str:
        """What names of arms call it: `margin`, `lr`, `optimizer`."""
        *_, section, name = self.path.split(".")
        return (section if name == "kind" else name).replace("_", " ")


def sweep_settings(arm: Arm, shared: Values, form: Form) -> dict[str, SweepSetting]:
    """Return the settings that have an effect in an arm, by path: first those of its loss.

    Args:
        arm: its values.
        shared: the form's values, for the training settings that are not the arm's own.
        form: the form.
    """
    loss = form.loss.option(arm.get("loss.kind"))
    found = [
        *_settings(loss.items, _LOSS, arm, shared),
        *_settings(form.arm_training, TRAINING, arm, shared),
    ]
    return {setting.path: setting for setting in found}


def arm_value(arm: Arm, shared: Values, path: str) -> Any:
    """Return the value of a setting in an arm: its own, or the one that all arms share."""
    section, _, rest = path.partition(".")
    own = section == _LOSS or rest.partition(".")[0] in arm.get(TRAINING, ())
    return (arm if own else shared).get(path)


def _settings(items: Items, path: str, arm: Arm, shared: Values) -> Iterator[SweepSetting]:
    for item in items:
        at = f"{path}.{item.name}"
        if isinstance(item, Choice):
            yield from _of_choice(item, at, arm, shared)
        elif item.asked and item.type != "text" and _has_effect(item, path, arm, shared):
            yield SweepSetting(at, item)


def _of_choice(choice: Choice, path: str, arm: Arm, shared: Values) -> Iterator[SweepSetting]:
    option = choice.option(arm_value(arm, shared, f"{path}.kind"))
    if len(choice.options) > 1:
        kinds = {one.kind: one.label for one in choice.options}
        kind = Field("kind", choice.title, "choice", option.kind, options=tuple(kinds))
        yield SweepSetting(f"{path}.kind", kind, kinds)
    yield from _settings(option.items, path, arm, shared)


def _has_effect(item: Field, path: str, arm: Arm, shared: Values) -> bool:
    if item.shown_with_losses and arm.get("loss.kind") not in item.shown_with_losses:
        return False
    return all(
        arm_value(arm, shared, f"{path}.{name}") == value for name, value in item.shown_where
    )
