"""Fill the form from a spec: a preset, an existing comparison or a pasted one."""

import math
from collections.abc import Mapping
from typing import Any, Final

from frontend.form.practical import format_bounds
from frontend.form.schema_fields import (
    BOUND_PATH,
    BOUNDS,
    Choice,
    Field,
    Form,
    Items,
    Problem,
)
from frontend.form.to_spec import Values
from frontend.form.tuning.values import ON, read_search, read_switch
from frontend.ui.plugin_losses import OWN_SOURCE, flat_loss
from frontend.ui.seeds import format_seeds
from frontend.ui.tags import format_tags

Json = Mapping[str, Any]

DEFAULT_SEEDS: Final = list(range(10))
"""Seeds of a spec that names none: enough for p after Holm's correction to fall below 0.05."""
MAX_BOUND: Final = 1e300
"""Larger numbers are taken for none."""
REPLICATES: Final = ("seed", "split")
"""What may differ between the runs of an arm; first what a spec without the key means."""

_KNOWN_KEYS: Final = {
    "": {
        *("name", "tags", "notes", "data", "encoder", "visual_encoder"),
        *("training", "measure", "arms", "seeds", "replicate", "practical", "tuning"),
    },
    "arm": {"name", "loss", "training", "search"},
}


def read_spec(spec: object, form: Form) -> tuple[Values, list[Problem]]:
    """Return the form's values for a spec; what the spec leaves out gets its default.

    Returns:
        The values, and a problem for everything that had to be changed or left out.
    """
    if not isinstance(spec, Mapping):
        return read_spec({}, form)[0], [Problem("", "the spec must be a JSON object: {…}")]
    # Stored specs have a key that only those of trials' runs have a value for.
    given = {key: value for key, value in spec.items() if key != "trial" or value is not None}
    problems = _unknown_keys(given, _KNOWN_KEYS[""], "")
    values: Values = {
        "name": _text(spec.get("name", ""), "name", problems),
        "notes": _text(spec.get("notes", ""), "notes", problems),
    }
    tags, seeds = spec.get("tags", []), spec.get("seeds", DEFAULT_SEEDS)
    values["tags"] = format_tags(list(map(str, tags))) if isinstance(tags, list) else str(tags)
    readable = isinstance(seeds, list) and all(type(seed) is int for seed in seeds)
    values["seeds"] = format_seeds(seeds) if readable else str(seeds)
    values["replicate"] = _read_replicate(spec.get("replicate", REPLICATES[0]), problems)
    values |= _read_bounds(spec.get("practical", {}), form, problems)
    _read_choice(spec.get("data"), form.data, "data", values, problems)
    data = form.data.option(values["data.kind"])
    for name, choice, items in (
        ("encoder", form.encoder, data.holds[0]),
        ("visual_encoder", form.visual_encoder, data.holds[-1]),
    ):
        fallback = {"kind": choice.default_encoder(data, items).kind}
        _read_choice(spec.get(name) or fallback, choice, name, values, problems)
    _read_items(spec.get("training", {}), form.training, "training", values, problems)
    _read_items(spec.get("measure", {}), form.measure, "measure", values, problems)
    tuning, unread = read_switch(spec.get("tuning"), form, values)
    problems += unread
    _read_items(tuning, form.tuning, ON, values, problems)
    arms = spec.get("arms")
    if not isinstance(arms, list) or not arms:
        arms = [
            {"name": option.kind, "loss": {"kind": option.kind}}
            for option in form.loss.options
            if option.source in {"", OWN_SOURCE} and option.classes
        ]
    for index, arm in enumerate(arms):
        path = f"arms.{index}"
        section = _mapping(arm)
        problems += _unknown_keys(section, _KNOWN_KEYS["arm"], path)
        values[f"{path}.name"] = _text(section.get("name", ""), f"{path}.name", problems)
        _read_own_training(section.get("training"), form, f"{path}.training", values, problems)
        loss = flat_loss(_mapping(section.get("loss")))
        _read_choice(loss, form.loss, f"{path}.loss", values, problems)
        problems += read_search(section.get("search"), form, values, index)
    return values, problems


def fit_value(field: Field, raw: object) -> tuple[Any, str]:
    """Return the value as the field's widget can hold it, and what was wrong with it or ""."""
    if field.type == "choice":
        if raw in field.options:
            return raw, ""
        listed = ", ".join(str(option) for option in field.options)
        return field.default, f"was {raw!r}, known are {listed}; set to {field.default}"
    if field.type == "boolean":
        return (
            (raw, "")
            if isinstance(raw, bool)
            else (field.default, f"was {raw!r}, not true or false")
        )
    if field.type == "text":
        return str(raw), ""
    return _fit_number(field, raw)


def _fit_number(field: Field, raw: object) -> tuple[int | float | None, str]:
    whole = field.type == "integer"
    if raw is None and field.optional:
        return None, ""
    default = "empty" if field.default is None else f"{field.default:g}"
    if isinstance(raw, bool) or not isinstance(raw, int if whole else int | float):
        kind = "a whole number" if whole else "a number"
        return field.default, f"was {raw!r}, which is not {kind}; set to {default}"
    if isinstance(raw, float) and not math.isfinite(raw):
        return field.default, f"was {raw}, which is not a finite number; set to {default}"
    low = raw if field.minimum is None else max(raw, field.minimum)
    kept = low if field.maximum is None else min(low, field.maximum)
    wrong = (
        "" if kept == raw else f"was {str(raw)[:20]}; set to {kept:g}, the nearest that is allowed"
    )
    return (int(kept) if whole else float(kept)), wrong


def _read_choice(
    raw: object, choice: Choice, path: str, values: Values, problems: list[Problem]
) -> None:
    section = _mapping(raw)
    option = choice.option(section.get("kind"))
    if section.get("kind", option.kind) != option.kind:
        seen = section["kind"]
        problems.append(Problem(f"{path}.kind", f"was {seen!r}, unknown; set to {option.label}"))
    values[f"{path}.kind"] = option.kind
    _read_items(section, option.items, path, values, problems)


def _read_items(
    raw: object, items: Items, path: str, values: Values, problems: list[Problem]
) -> None:
    section = _mapping(raw)
    problems += _unknown_keys(section, {"kind", *(item.name for item in items)}, path)
    for item in items:
        at = f"{path}.{item.name}"
        if isinstance(item, Choice):
            _read_choice(section.get(item.name), item, at, values, problems)
            continue
        values[at], wrong = fit_value(item, section.get(item.name, item.default))
        if wrong:
            problems.append(Problem(at, wrong))


def _read_own_training(
    raw: object, form: Form, path: str, values: Values, problems: list[Problem]
) -> None:
    """Read the training settings that an arm has of its own; those it shares are not there, or
    null."""
    given = {name: value for name, value in _mapping(raw).items() if value is not None}
    items = tuple(item for item in form.arm_training if item.name in given)
    values[path] = tuple(item.name for item in items)
    _read_items(given, items, path, values, problems)


def _read_replicate(raw: object, problems: list[Problem]) -> str:
    if raw in REPLICATES:
        return str(raw)
    seen = f"was {str(raw)[:40]!r}, known are {', '.join(REPLICATES)}; set to {REPLICATES[0]}"
    problems.append(Problem("replicate", seen))
    return REPLICATES[0]


def _read_bounds(raw: object, form: Form, problems: list[Problem]) -> Values:
    """Return the values of the fields of bounds: a number, or None for the default, and a text with
    all that have no field of their own."""
    given = _mapping(raw)
    if given is not raw:
        problems.append(
            Problem(BOUNDS, f"was {str(raw)[:40]!r}, not an object of metrics and numbers")
        )
    numbers = {key: bound for key, bound in given.items() if _is_number(bound)}
    for key in given.keys() - numbers.keys():
        seen = f"was {str(given[key])[:40]!r}, which is not a number; it was ignored"
        problems.append(Problem(f"{BOUND_PATH}{key}", seen))
    fields = {bound.key for bound in form.bounds}
    others = {key: bound for key, bound in numbers.items() if key not in fields}
    return {
        **{f"{BOUND_PATH}{key}": float(numbers[key]) if key in numbers else None for key in fields},
        BOUNDS: format_bounds(others),
    }


def _is_number(raw: object) -> bool:
    return isinstance(raw, int | float) and not isinstance(raw, bool) and abs(raw) < MAX_BOUND


def _mapping(raw: object) -> Json:
    """Return the section; an empty one if it is missing or not an object."""
    return raw if isinstance(raw, Mapping) else {}


def _unknown_keys(section: Json, known: set[str], path: str) -> list[Problem]:
    return [
        Problem(f"{path}.{key}".lstrip("."), "unknown key in the spec; it was ignored")
        for key in section
        if key not in known
    ]


def _text(raw: object, path: str, problems: list[Problem]) -> str:
    if not isinstance(raw, str):
        problems.append(Problem(path, f"was {raw!r}, which is not text"))
        return ""
    return raw
