"""Which settings of an arm a search may vary, and whether a space lies within their bounds."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from contract.comparison.loss import (
    KINDS_WITH_PARAMETERS,
    PLUGIN,
    SHOWN_WHERE,
    Loss,
    PluginLoss,
    loss_name,
)
from contract.comparison.plugins import (
    PluginEntry,
    Schema,
    bounds_of,
    is_optional,
    parameters_of,
    type_of,
)
from contract.comparison.problems import Problem
from contract.comparison.spec import Arm
from contract.comparison.training import MPerClassSampler, Optimizer, Training
from contract.comparison.tuning import Choices, Range, Space, Value
from contract.tuning.draws import WHOLE

OPTIMIZER_KIND: Final = "training.optimizer.kind"
_LOSS_LR: Final = "training.optimizer.loss_lr"
_LONGEST: Final = 60
"""Characters of a path or value that a problem shows."""


class Setting(NamedTuple):
    """A setting that a search may vary."""

    check: TypeAdapter[Any]
    """Whether a value lies within its bounds."""
    choices: tuple[str, ...]
    """Its values, for one that is no number; else empty."""
    listed: bool = False
    """Whether a space names its values one by one: of a plug-in's whole numbers."""


def settings_of(
    arm: Arm,
    training: Training,
    kinds: Iterable[str] = (),
    plugin: PluginEntry | None = None,
) -> dict[str, Setting]:
    """Return what a search of an arm may vary, by path: numbers and choices of its loss, of its
    optimiser and of its sampler, its batch size and its epochs.

    Args:
        arm: of the spec.
        training: its training settings.
        kinds: of optimisers that the search chooses from; by default that of the arm.
        plugin: what is known of its loss, where that is a plug-in.
    """
    chosen = [kind for kind in kinds if kind in OPTIMIZERS] or [training.optimizer.kind]
    # A setting that only some of the optimisers have cannot be drawn with the others.
    missing = {
        f"training.optimizer.{name}"
        for kind in OPTIMIZERS
        for name in _settings(OPTIMIZERS[kind])
        if any(name not in OPTIMIZERS[one].model_fields for one in chosen)
    }
    if not isinstance(training.sampler, MPerClassSampler):
        missing.add("training.sampler.m")
    if isinstance(arm.loss, PluginLoss):
        found = {} if plugin is None else plugin_settings(plugin, arm.loss)
        found |= training_settings(trainable=plugin is not None and plugin.trainable)
    else:
        found = {f"loss.{name}": one for name, one in loss_settings(type(arm.loss)).items()}
        found |= training_settings(trainable=arm.loss.kind in KINDS_WITH_PARAMETERS)
    return {path: one for path, one in found.items() if path not in missing}


def loss_settings(loss: type[BaseModel]) -> dict[str, Setting]:
    """Return what a search can vary of a loss, by name."""
    return _settings(loss)


def plugin_settings(entry: PluginEntry, loss: PluginLoss) -> dict[str, Setting]:
    """Return what a search can vary of an arm's plug-in, by path: numbers and choices."""
    found = {}
    for path, schema in parameters_of(entry, loss).items():
        if (setting := parameter_setting(schema)) is not None:
            found[f"loss.{path}"] = setting
    return found


def parameter_setting(schema: Schema) -> Setting | None:
    """Return a plug-in's parameter as a setting of a search; None if it is none."""
    if "enum" in schema:
        known = schema["enum"]
        return Setting(TypeAdapter(str), tuple(known)) if _are_texts(known) else None
    numbers: dict[str, type[float] | type[int]] = {"number": float, "integer": int}
    kind = numbers.get(type_of(schema))
    if kind is None or (is_optional(schema) and schema.get("default") is None):
        return None
    bounds = bounds_of(schema)
    limits = {short: bounds[key] for key, short in _LIMITS.items() if key in bounds}
    check: TypeAdapter[Any] = TypeAdapter(Annotated[kind, Field(**limits)])  # type: ignore[arg-type]
    return Setting(check, (), kind is int)


_LIMITS: Final = {
    "minimum": "ge",
    "exclusiveMinimum": "gt",
    "maximum": "le",
    "exclusiveMaximum": "lt",
}
"""Bound of a JSON schema -> the same of a field."""


def _are_texts(values: Iterable[object]) -> bool:
    return all(isinstance(one, str) for one in values)


def training_settings(*, trainable: bool) -> dict[str, Setting]:
    """Return what a search can vary of the training of arms, by path, whatever their optimiser and
    sampler.

    Args:
        trainable: whether the loss has parameters that are trained.
    """
    shared = _settings(Training)
    found = {f"training.{name}": shared[name] for name in ("epochs", "batch_size")}
    found["training.sampler.m"] = _settings(MPerClassSampler)["m"]
    found[OPTIMIZER_KIND] = Setting(TypeAdapter(str), tuple(OPTIMIZERS))
    for section in OPTIMIZERS.values():
        found |= {f"training.optimizer.{name}": one for name, one in _settings(section).items()}
    if not trainable:
        del found[_LOSS_LR]
    return found


def path_problem(
    path: str,
    arm: Arm,
    training: Training,
    search: Mapping[str, object],
    plugin: PluginEntry | None = None,
) -> str:
    """Return why a search cannot vary the setting at a path; empty if it can.

    Args:
        path: as it was given.
        arm: of the spec.
        training: its training settings.
        search: the spaces of the arm, by path; each a space, or anything that is none.
        plugin: what is known of its loss, where that is a plug-in.
    """
    kinds = strings_of(search.get(OPTIMIZER_KIND))
    known = settings_of(arm, training, kinds, plugin)
    if path in known:
        return _without_effect(path, arm, search)
    return _why_unknown(path, arm, training) or _unlike(path, known)


def space_problems(path: str, space: Space, setting: Setting) -> list[Problem]:
    """Return what is wrong with the values of a space; paths are relative to it.

    Args:
        path: of the setting.
        space: its values.
        setting: what they must be.
    """
    if isinstance(space, Range):
        return _range_problems(path, space, setting)
    return _choices_problems(path, space, setting)


def strings_of(space: object) -> list[str]:
    """Return the strings among the choices of a space, which may be of any type."""
    return [c for c in space.choices if isinstance(c, str)] if isinstance(space, Choices) else []


def _without_effect(path: str, arm: Arm, search: Mapping[str, object]) -> str:
    """Return why a setting has no effect under the values of others of its section."""
    section, _, name = path.rpartition(".")
    if section != "loss" or isinstance(arm.loss, PluginLoss):
        return ""
    extra = type(arm.loss).model_fields[name].json_schema_extra
    shown = extra.get(SHOWN_WHERE) if isinstance(extra, dict) else None
    if not isinstance(shown, dict):
        return ""
    for other, needed in shown.items():
        space = search.get(f"loss.{other}")
        if space is not None and needed in strings_of(space):
            continue
        if space is not None or getattr(arm.loss, other) != needed:
            return f"has an effect only with the {other} {needed!r}; take that, or leave it out"
    return ""


def _why_unknown(path: str, arm: Arm, training: Training) -> str:
    """Return what a path names that cannot be varied here; empty if it is nothing known."""
    section, _, name = path.partition(".")
    if section == "loss":
        return _why_not_of_loss(name, arm)
    if section == "training":
        return _why_not_of_training(name, arm, training)
    if section in {"data", "encoder", "visual_encoder", "measure"}:
        return "is the same for all arms; a search varies settings of the loss and the training"
    return ""


def _why_not_of_loss(name: str, arm: Arm) -> str:
    if name == "kind":
        return "is what arms are compared by; give each loss an arm of its own"
    if isinstance(arm.loss, PluginLoss):
        return ""
    others = [repr(kind) for kind, model in LOSSES.items() if name in model.model_fields]
    if others:
        return f"is not a setting of the loss {arm.loss.kind!r}, but of {', '.join(others)}"
    return ""


def _why_not_of_training(name: str, arm: Arm, training: Training) -> str:
    section, _, of = name.rpartition(".")
    kinds = [repr(kind) for kind, model in OPTIMIZERS.items() if of in model.model_fields]
    message = ""
    if f"training.{name}" == _LOSS_LR:
        message = (
            f"has no effect with the loss {loss_name(arm.loss)!r}, which has no parameters; only "
            f"{' and '.join(map(repr, KINDS_WITH_PARAMETERS))} have some"
        )
    elif name == "sampler.m":
        kind = training.sampler.kind
        message = f"is not a setting of the sampler {kind!r}; take the sampler 'm_per_class'"
    elif name == "sampler.kind":
        message = "is the same for all trials of an arm; choose it in the arm"
    elif section == "optimizer" and kinds:
        message = f"is a setting of the optimiser {' and '.join(kinds)} only"
    elif not section and name in Training.model_fields:
        message = "is the same for all trials; set it in the training section"
    return message


def _unlike(path: str, known: Iterable[str]) -> str:
    paths = sorted(known)
    close = get_close_matches(path[:_LONGEST], paths, n=3)
    listed = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(paths)}"
    return f"names no setting that a search can vary; {listed}"


def _range_problems(path: str, space: Range, setting: Setting) -> list[Problem]:
    if setting.choices:
        return [Problem("", f"takes choices, not a range: {', '.join(map(repr, setting.choices))}")]
    if setting.listed:
        return [Problem("", "takes choices, not a range, as it is a whole number: [1, 2, 4]")]
    problems = []
    for name, value in (("low", space.low), ("high", space.high)):
        if path in WHOLE and not value.is_integer():
            problems.append(Problem(name, f"must be a whole number; got {value:g}"))
        elif problem := _value_problem(value, setting):
            problems.append(Problem(name, problem))
    return problems


def _choices_problems(path: str, space: Choices, setting: Setting) -> list[Problem]:
    problems = []
    seen: set[Value] = set()
    for index, value in enumerate(space.choices):
        where = f"choices[{index}]"
        if problem := _choice_problem(path, value, setting):
            problems.append(Problem(where, problem))
        elif value in seen:
            problems.append(Problem(where, f"{value!r} is used twice"))
        seen.add(value)
    return problems


def _choice_problem(path: str, value: Value, setting: Setting) -> str:
    if setting.choices:
        known = ", ".join(map(repr, setting.choices))
        return "" if value in setting.choices else f"must be one of {known}; got {_shown(value)}"
    if isinstance(value, str):
        return f"must be a number; got {_shown(value)}"
    if (path in WHOLE or setting.listed) and not float(value).is_integer():
        return f"must be a whole number; got {value:g}"
    return _value_problem(value, setting)


def _value_problem(value: float, setting: Setting) -> str:
    try:
        setting.check.validate_python(int(value) if float(value).is_integer() else value)
    except ValidationError as error:
        message = error.errors(include_url=False, include_context=False)[0]["msg"]
        return f"{message[0].lower()}{message[1:]}; got {value:g}"
    return ""


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."


@cache
def _settings(section: type[BaseModel]) -> dict[str, Setting]:
    """Return the settings of a section that a search can vary, by name."""
    found = {}
    for name, field in section.model_fields.items():
        if name != "kind" and (setting := _setting(field)) is not None:
            found[name] = setting
    return found


def _setting(field: FieldInfo) -> Setting | None:
    kind: Any = field.annotation
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    kinds = set(get_args(kind) or (kind,)) - {type(None)}
    if not choices and not kinds <= {int, float}:
        return None
    return Setting(TypeAdapter(Annotated[kind, field]), choices)


def _kinds(union: Any) -> dict[str, type[BaseModel]]:
    """Return the sections of a union by their kind."""
    sections = get_args(get_args(union)[0])
    return {str(section.model_fields["kind"].default): section for section in sections}


LOSSES: Final = {kind: section for kind, section in _kinds(Loss).items() if kind != PLUGIN}
"""Kind of loss -> its settings; of our own losses."""
OPTIMIZERS: Final = _kinds(Optimizer)
"""Kind of optimiser -> its settings."""
