"""The settings in which the arms of a comparison differ, apart from the kind of loss."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from contract.comparison.loss import (
    ALIKE_ACROSS_LOSSES,
    PLUGIN,
    SHOWN_WHERE,
    Loss,
    NamedPart,
    PluginLoss,
    loss_name,
)
from contract.comparison.spec import Arm, ComparisonSpec
from contract.comparison.training import SHOWN_WITH_LOSSES

BATCH_SETTINGS: Final = ("training.batch_size", "training.sampler.kind", "training.sampler.m")
"""Arms that differ in one of these do not see the same batches."""
_SECTION_WORDS: Final = {"optimizer": "optimiser"}


@dataclass(frozen=True)
class Difference:
    """One setting that is not the same in all arms that have it."""

    setting: str
    """For example `loss.margin` or `training.optimizer.lr`."""
    words: str
    """What it is called in a sentence: margin, learning rate."""
    values: Mapping[str, Any]
    """Value by name of the arm; an arm whose loss, sampler or optimiser lacks the setting is left
    out."""


def differences(spec: ComparisonSpec, arms: tuple[str, ...] = ()) -> list[Difference]:
    """Return every setting in which arms differ, apart from name and kind of loss, in the order of
    the spec.

    A setting that only some losses have is no difference. Neither is one that has the same name in
    two losses but another meaning, such as the margin of ArcFace, an angle, and that of a distance,
    nor one without an effect, such as a pull weight beside the reduction mean, nor values that mean
    the same in two losses, such as the reductions balanced and mean.

    Args:
        spec: the comparison; data, encoder and measures are the same for all its arms.
        arms: names of the arms to compare; all by default.

    Raises:
        KeyError: the spec has no arm of such a name.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for arm in map(spec.arm, arms) if arms else spec.arms:
        for name, meaning, value in _settings(spec, arm):
            found.setdefault((name, meaning), {})[arm.name] = value
    return [
        Difference(name, setting_words(name, title), values)
        for (name, title), values in found.items()
        if any(_differ(spec, name, one, other) for one, other in combinations(values.items(), 2))
    ]


def setting_words(path: str, title: str) -> str:
    """Return what a setting is called in a sentence.

    Args:
        path: such as `loss.margin`.
        title: of its field.
    """
    *_, section, name = path.split(".")
    if name == "kind":  # the section itself is what is chosen
        return _SECTION_WORDS.get(section, section)
    return title[:1].lower() + title[1:].replace("_", " ")


def _differ(
    spec: ComparisonSpec, setting: str, one: tuple[str, Any], other: tuple[str, Any]
) -> bool:
    """Return whether two arms, each with its value of a setting, differ in it."""
    (name, value), (other_name, other_value) = one, other
    losses = [spec.arm(arm).loss for arm in (name, other_name)]
    if loss_name(losses[0]) != loss_name(losses[1]):
        for alike in (_alike(loss, setting) for loss in losses):
            if value in alike and other_value in alike:
                return False
    return bool(value != other_value)


def _alike(loss: Loss, setting: str) -> Sequence[Any]:
    """Return the values of a setting of this loss that mean the same in arms of another loss."""
    section, _, name = setting.partition(".")
    field = type(loss).model_fields.get(name) if section == "loss" else None
    facts = field.json_schema_extra if field else None
    found = facts.get(ALIKE_ACROSS_LOSSES) if isinstance(facts, Mapping) else None
    return found if isinstance(found, Sequence) else ()


def _settings(spec: ComparisonSpec, arm: Arm) -> Iterator[tuple[str, str, Any]]:
    for name, meaning, value in iterate_settings("loss", arm.loss, arm.loss.kind):
        if name not in {"loss.kind", "loss.name"}:
            yield name, meaning, value
    yield from iterate_settings("training", spec.training_of(arm), arm.loss.kind)


def iterate_settings(
    path: str, section: BaseModel, loss_kind: str = ""
) -> Iterator[tuple[str, str, Any]]:
    """Yield (path, title, value) of every setting of a section and of the sections within it.

    Args:
        path: of the section.
        section: of a spec.
        loss_kind: of the arm; with it, settings without an effect are left out.
    """
    if isinstance(section, PluginLoss):
        yield from _plugin_settings(path, section)
        return
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from iterate_settings(f"{path}.{name}", value, loss_kind)
        elif not loss_kind or _has_effect(field, section, loss_kind):
            yield f"{path}.{name}", field.title or name, value


def _plugin_settings(path: str, loss: PluginLoss) -> Iterator[tuple[str, str, Any]]:
    """Yield the same of a plug-in. What a parameter means only the plug-in itself knows, so that
    those of two plug-ins that have one name are two settings."""
    yield f"{path}.kind", "kind", loss.kind
    yield f"{path}.name", "name", loss.name
    for name, value in loss.params.items():
        yield f"{path}.params.{name}", f"{name} of {loss.name}", value
    for part in ("miner", "distance"):
        chosen: NamedPart | None = getattr(loss, part)
        yield f"{path}.{part}.name", f"{part} of {loss.name}", chosen and chosen.name
        for name, value in {} if chosen is None else chosen.params.items():
            yield f"{path}.{part}.params.{name}", f"{name} of {chosen and chosen.name}", value


def _has_effect(field: FieldInfo, section: BaseModel, loss_kind: str) -> bool:
    """Return whether a setting has an effect beside the others of its section and this loss."""
    facts = field.json_schema_extra
    if not isinstance(facts, Mapping):
        return True
    needed, kinds = facts.get(SHOWN_WHERE), facts.get(SHOWN_WITH_LOSSES)
    if isinstance(needed, Mapping) and any(
        getattr(section, other) != value for other, value in needed.items()
    ):
        return False
    return not isinstance(kinds, Sequence) or loss_kind in {*kinds, PLUGIN}
