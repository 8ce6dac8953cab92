"""A search in the form's values: read from a spec, and written into one.

`tuning` says whether the comparison is tuned. `arms.0.search` lists the paths that an arm searches,
or is None for the ready-made space, which follows the arm's loss and optimiser; below it lie the
fields of each space, as `arms.0.search.loss.margin.low`.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from frontend.form.schema_fields import Form, Problem
from frontend.form.tuning.settings import SearchSetting, chosen_value, effective, named
from frontend.ui.seeds import SeedsError, format_seeds, parse_seeds

Json = Mapping[str, Any]
Values = dict[str, Any]

ON: Final = "tuning"
"""Path of the switch."""
TRIAL_SEEDS: Final = "tuning.trial_seeds"
M: Final = "training.sampler.m"
"""Items a class in a batch."""
_UNREADABLE: Final = "is neither a range (low, high) nor a list of choices; it was ignored"


def search_path(index: int) -> str:
    """Return the path of an arm's search."""
    return f"arms.{index}.search"


def field_path(index: int, path: str, part: str = "") -> str:
    """Return the path of the space of a setting, or of a part of it: scale, low, high, choices."""
    return f"{search_path(index)}.{path}" + (f".{part}" if part else "")


def settings_of(form: Form, values: Json, index: int) -> tuple[SearchSetting, ...]:
    """Return what a search of an arm can vary."""
    option = form.loss.option(values.get(f"arms.{index}.loss.kind"))
    return form.searches.get(option.kind, ())


def ready_settings(form: Form, values: Json, index: int) -> tuple[SearchSetting, ...]:
    """Return the settings of the ready-made space of an arm, as the API fills it in: those that
    have an effect, with as many items a class as batches of these data allow."""
    return tuple(
        setting
        for setting in fitting_settings(form, values, index)
        if setting.space is not None
        and not (setting.path == M and len(setting.space["choices"]) == 1)
    )


def fitting_settings(form: Form, values: Json, index: int) -> tuple[SearchSetting, ...]:
    """Return the settings that have an effect in an arm, with items a class that fit the data; that
    of the arm as it is written, if no other does."""
    settings = effective(settings_of(form, values, index), values, f"arms.{index}")
    return tuple(
        replace(setting, space={"choices": _items_a_class(form, values, index, setting.space)})
        if setting.path == M and setting.space is not None
        else setting
        for setting in settings
    )


def _items_a_class(form: Form, values: Json, index: int, space: Json) -> list[int]:
    """Return those of the ready-made items a class that fit the data and the arm's batch size."""
    size, own = (chosen_value(values, f"arms.{index}", path) for path in ("training.batch_size", M))
    if type(size) is not int or type(own) is not int or own < 1:
        return list(space["choices"])  # an imported spec may have anything; the API will say so
    most = _batch_classes(form, values, as_written=size // own)
    return [m for m in space["choices"] if size % m == 0 and 2 <= size // m <= most] or [own]


def _batch_classes(form: Form, values: Json, as_written: int) -> int:
    """Return the most classes that a ready-made space puts into a batch.

    Args:
        form: the form.
        values: of the form.
        as_written: classes in a batch of the arm as it is written.
    """
    data = form.data.option(values.get("data.kind"))
    for name, counts in data.batch_classes_by.items():
        if (found := counts.get(str(values.get(f"data.{name}")))) is not None:
            return found
    if any(item.name == "classes" for item in data.items):  # synthetic data have as many as asked
        return int(values.get("data.classes", data.batch_classes))
    return as_written if data.batch_classes is None else data.batch_classes


def read_switch(raw: object, form: Form, values: Values) -> tuple[Json, list[Problem]]:
    """Put the values of the switch and of the trials' seeds into those of the form.

    Returns:
        The section for the other fields, and what could not be read.
    """
    is_section = isinstance(raw, Mapping)
    section: Json = raw if isinstance(raw, Mapping) else {}
    seeds = section.get("trial_seeds", list(form.trial_seeds))
    readable = isinstance(seeds, list) and all(type(seed) is int for seed in seeds)
    values |= {ON: is_section, TRIAL_SEEDS: format_seeds(seeds) if readable else str(seeds)}
    problems = []
    if raw is not None and not is_section:
        problems.append(
            Problem(ON, f"was {str(raw)[:40]!r}, which is not an object; it was ignored")
        )
    return {name: value for name, value in section.items() if name != "trial_seeds"}, problems


def read_search(raw: object, form: Form, values: Values, index: int) -> list[Problem]:
    """Put the values of an arm's search into those of the form. Returns what could not be read."""
    at = search_path(index)
    values[at] = None
    if raw is None or raw == {}:
        return []
    if not isinstance(raw, Mapping):
        return [Problem(at, f"was {str(raw)[:40]!r}, not an object of settings and spaces")]
    problems = [] if values.get(ON) else [Problem(ON, "an arm has a space, so it was switched on")]
    values[ON] = True
    settings, kept = settings_of(form, values, index), []
    for path, space in raw.items():
        setting = named(settings, values, f"arms.{index}", path)
        found = None if setting is None else space_values(space, setting)
        if setting is None:
            known = "no setting of this loss that can be searched; it was ignored"
            problems.append(Problem(field_path(index, path), known))
        elif found is None:
            problems.append(Problem(field_path(index, path), f"{setting.title} {_UNREADABLE}"))
        else:
            values |= {field_path(index, path, part): value for part, value in found.items()}
            kept.append(path)
    values[at] = kept or None
    return problems


def space_values(space: object, setting: SearchSetting) -> Values | None:
    """Return the fields of a space by part; None if it is none."""
    if not isinstance(space, Mapping):
        return None
    if "choices" in space:
        choices = space["choices"]
        if not isinstance(choices, list):
            return None
        if setting.choices:
            return {"choices": [one for one in choices if one in setting.choices]}
        return {"scale": "choices", "choices": ", ".join(_choice_text(one) for one in choices)}
    ends = [space.get(name) for name in ("low", "high")]
    if setting.choices or not all(map(_is_number, ends)):
        return None
    scale = "log" if space.get("log") else "linear"
    return {"scale": scale, "low": float(ends[0]), "high": float(ends[1])}  # type: ignore[arg-type]


def write_tuning(values: Values, form: Form) -> dict[str, Any] | None:
    """Return the section of the spec; None where the comparison is not tuned."""
    if not values.get(ON):
        return None
    settings = {item.name: values.get(f"{ON}.{item.name}", item.initial) for item in form.tuning}
    return {**settings, "trial_seeds": _written_seeds(values)}


def write_search(values: Values, form: Form, index: int) -> dict[str, Any] | None:
    """Return the space of an arm; None for the ready-made one, or where nothing is tuned."""
    paths = values.get(search_path(index))
    if not values.get(ON) or not paths:
        return None
    settings = settings_of(form, values, index)
    found = {path: named(settings, values, f"arms.{index}", path) for path in paths}
    return {
        path: _written_space(values, field_path(index, path), setting)
        for path, setting in found.items()
        if setting is not None
    }


def with_ready_spaces(values: Values, form: Form, spec: Json) -> dict[str, Any]:
    """Return a spec of the form with the ready-made space in each arm that leaves it to the API; a
    spec that is not tuned as it is."""
    arms = spec["arms"]
    if spec.get("tuning"):
        arms = [
            {
                "search": {one.path: one.space for one in ready_settings(form, values, index)},
                **arm,
            }
            for index, arm in enumerate(arms)
        ]
    return {**spec, "arms": arms}


def without_search(values: Values, index: int) -> Values:
    """Return the values with the ready-made space in an arm."""
    below = f"{search_path(index)}."
    kept = {path: value for path, value in values.items() if not path.startswith(below)}
    return {**kept, search_path(index): None}


def _written_space(values: Values, at: str, setting: SearchSetting) -> dict[str, Any]:
    scale, choices = values.get(f"{at}.scale"), values.get(f"{at}.choices")
    if setting.choices:
        return {"choices": list(choices or ())}
    if scale == "choices":
        return {"choices": [_choice(part) for part in re.split(r"[,;\s]+", choices or "") if part]}
    low, high = values.get(f"{at}.low"), values.get(f"{at}.high")
    return {"low": low, "high": high, "log": scale == "log"}


def _written_seeds(values: Values) -> Any:
    """Return the seeds of the trials; the text as it is where the API shall say what is wrong."""
    text = values.get(TRIAL_SEEDS, "")
    try:
        return parse_seeds(text)
    except SeedsError:
        return text


def _choice(text: str) -> int | float | str:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _choice_text(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _is_number(raw: object) -> bool:
    return isinstance(raw, int | float) and not isinstance(raw, bool) and math.isfinite(raw)
