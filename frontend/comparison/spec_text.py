"""A comparison's spec in words, and the settings in which its arms differ."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from frontend.comparison.tuning.texts import searched_texts, searched_title, spaces_of
from frontend.ui.numbers import short_number
from frontend.ui.plugin_losses import PARTS, loss_kind, shown_settings

Spec = Mapping[str, Any]
Catalogue = Mapping[str, Any]

AS_WRITTEN: Final = (
    "Values as they are written, and below them those that are searched. The final runs have the "
    "best settings, which stand under Tuning."
)
"""What is said below the settings of arms that are tuned."""


@dataclass(frozen=True)
class Fact:
    """One entry of a comparison's head."""

    name: str
    value: str


@dataclass(frozen=True)
class Setting:
    """One setting with its values in all arms."""

    name: str
    """Title of the setting in the catalogue."""
    values: tuple[str, ...]
    """One value an arm, in the spec's order; "" where the arm has no such setting."""
    losses: tuple[str, ...] = ()
    """Loss of each arm; given for the losses' own settings."""
    alike: frozenset[str] = frozenset()
    """Values that mean the same in arms of two different losses."""
    searched: tuple[str, ...] = ()
    """The values that an arm is tuned over, one text an arm; "" where it has the value as it is
    written. Given for settings that an arm is tuned over."""

    @property
    def is_tuned(self) -> bool:
        """Whether an arm is tuned over this setting."""
        return any(self.searched)

    @property
    def differs(self) -> bool:
        """Whether two arms that have this setting have different values; of one that is tuned,
        whether only some of them are tuned over it."""
        if self.is_tuned:
            tuned = {
                bool(space)
                for space, value in zip(self.searched, self.values, strict=True)
                if value
            }
            return len(tuned) > 1
        arms = zip(self.values, self.losses or [""] * len(self.values), strict=True)
        return any(
            value != other and not (loss != other_loss and {value, other} <= self.alike)
            for (value, loss), (other, other_loss) in combinations(
                [(value, loss) for value, loss in arms if value], 2
            )
        )


def shared_facts(
    spec: Spec, catalogue: Catalogue, upload: str = "", noun: str = "seed"
) -> list[Fact]:
    """Return what all arms share, the most important first.

    Args:
        spec: the comparison's spec.
        catalogue: the API's catalogue.
        upload: name of the uploaded data set, if the data are an upload.
        noun: what a replicate is called: seed, draw or split.
    """
    training = spec["training"]
    encoder = spec["encoder"]
    dimensions = f"{encoder['embedding_dim']} dimensions"
    scale = "L2-normalised" if encoder.get("normalize") else "not normalised"
    encoders = catalogue.get("encoders", ())
    visual = spec.get("visual_encoder")
    augmentation = training.get("augmentation", "none")
    precision = training.get("precision", "float32")
    bounds = spec.get("practical", {})
    tuned = set.intersection(*(set(spaces_of(arm)) for arm in spec["arms"]))
    size = "tuned" if "training.batch_size" in tuned else training["batch_size"]
    return [
        Fact("Data", _data_text(spec["data"], catalogue, upload)),
        Fact("Encoder", f"{_encoder_text(encoder, encoders)}, {dimensions}, {scale}"),
        *([Fact("Visual encoder", _encoder_text(visual, encoders))] if visual else []),
        Fact("Optimiser", _training_text("optimizer", training["optimizer"], catalogue, tuned)),
        Fact(
            "Batch", f"{size}, {_training_text('sampler', training['sampler'], catalogue, tuned)}"
        ),
        *([Fact("Augmentation", value_text(augmentation))] if augmentation != "none" else []),
        *([Fact("Precision", precision)] if precision != "float32" else []),
        Fact("Epochs", _epochs_text(spec, tuned)),
        Fact("Seeds", f"{_seeds_text(spec['seeds'])}{_VARIES[noun]}"),
        *([Fact("Tuning", _tuning_text(spec["tuning"]))] if spec.get("tuning") else []),
        *([Fact("Practical bounds", _bounds_text(bounds, catalogue))] if bounds else []),
    ]


def arm_settings(spec: Spec, catalogue: Catalogue) -> list[Setting]:
    """Return every setting of the arms' losses, then the training settings that an arm changes."""
    arms = spec["arms"]
    rows = [
        Setting("Loss", tuple(kind_label(catalogue.get("losses", ()), arm["loss"]) for arm in arms))
    ]
    losses = catalogue.get("losses", ())
    titled = [
        {
            (name, _setting_title(losses, arm["loss"], name), arm["loss"].get("name", "")): value
            for name, value in shown_settings(arm["loss"]).items()
            if _has_effect(losses, arm["loss"], name)
        }
        for arm in arms
    ]
    # Parameters of two plug-ins that have one name are two settings.
    for key in dict.fromkeys(key for own in titled for key in own if key[0] != "kind"):
        name, title, _ = key
        values = tuple(value_text(own.get(key)) for own in titled)
        alike = frozenset(
            value_text(value)
            for arm in arms
            for value in _schema_of(losses, arm["loss"], name).get("x-alike-across-losses", ())
        )
        spaces = tuple(
            space if key in own else ""
            for space, own in zip(searched_texts(arms, f"loss.{name}"), titled, strict=True)
        )
        rows.append(Setting(title, values, rows[0].values, alike, spaces))
    return [*rows, *_training_settings(spec, catalogue)]


def _training_settings(spec: Spec, catalogue: Catalogue) -> list[Setting]:
    """Return the training settings that an arm changes, and those that an arm is tuned over."""
    arms = spec["arms"]
    properties = catalogue.get("training", {}).get("properties", {})
    own = [{k: v for k, v in arm.get("training", {}).items() if v is not None} for arm in arms]
    rows, changed = [], dict.fromkeys(key for given in own for key in given)
    for name in changed:
        shared = spec["training"].get(name)
        values = tuple(
            _training_text(name, given.get(name, shared), catalogue, spaces_of(arm))
            for arm, given in zip(arms, own, strict=True)
        )
        title = properties.get(name, {}).get("title", _with_spaces(name))
        rows.append(Setting(title, values, searched=searched_texts(arms, f"training.{name}")))
    paths = dict.fromkeys(path for arm in arms for path in spaces_of(arm))
    for path in paths:
        section, *parts = path.split(".")
        if section != "training" or path.removeprefix("training.") in changed:
            continue
        values = tuple(_nested({**spec["training"], **given}, parts) for given in own)
        rows.append(
            Setting(
                searched_title(arms, path, catalogue), values, searched=searched_texts(arms, path)
            )
        )
    return rows


def difference_text(rows: Sequence[Setting]) -> str:
    """Say in one sentence in what the arms differ besides the loss; nothing, if it is fair."""
    if len(rows[0].values) == 1:
        return "One arm alone; duplicate it and add another loss to compare."
    names = [_name_of(row) for row in rows if row.differs and row.name != "Loss"]
    tuned = list(
        dict.fromkeys(row.name.lower() for row in rows if row.is_tuned and not row.differs)
    )
    if not names and tuned:
        return f"Besides the loss nothing differs but what is tuned: {_listed(tuned)}."
    if not names:
        return (
            "Besides the loss nothing differs: same data, initial weights and batches for a seed."
        )
    said = f"Besides the loss, the arms differ in {_listed(names)}."
    return f"{said} Tuned: {_listed(tuned)}." if tuned else said


def _name_of(row: Setting) -> str:
    name = row.name.lower()
    return f"{name} (tuned in some arms only)" if row.is_tuned else name


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def measured_data(spec: Spec, catalogue: Catalogue, *, fine_upload: bool | None) -> dict[str, Any]:
    """Return which properties of the data decide what is measured, as arguments of `live_data`.

    Args:
        spec: the comparison's spec.
        catalogue: the API's catalogue.
        fine_upload: whether the uploaded data set has labels within its classes; None if the data
            are not an upload.
    """
    data = spec["data"]
    row = next((row for row in catalogue["data"] if row["kind"] == data["kind"]), None)
    # Only workers can read a table that lies with them; a panel that stays empty does no harm.
    unknown = row is not None and row["source"] == "own" and "file" in data
    known = row is not None and row["fine_labels"]
    return {
        "fine_labels": (known or unknown) if fine_upload is None else fine_upload,
        "two_modalities": bool(spec.get("visual_encoder")),
        "class_disjoint": data.get("split") == "class",
        "shape": data_shape(spec, catalogue) or "",
    }


def data_shape(spec: Spec, catalogue: Catalogue) -> str | None:
    """Return the shape of data that come as tuples; None for data with classes."""
    data = spec["data"]
    row = next((row for row in catalogue["data"] if row["kind"] == data["kind"]), None)
    if row is None or row.get("shape") is None:
        return None
    return str(data.get("shape", row["shape"]))


def reductions_text(spec: Spec) -> str:
    """Return the reductions of the losses: "mean", or "mean (contrastive), sum (triplet)"; "its
    own" for a plug-in."""
    by_reduction: dict[str, list[str]] = {}
    for arm in spec["arms"]:
        reduction = value_text(arm["loss"].get("reduction", "its own"))
        by_reduction.setdefault(reduction, []).append(arm["name"])
    if len(by_reduction) == 1:
        return next(iter(by_reduction))
    return ", ".join(f"{reduction} ({', '.join(arms)})" for reduction, arms in by_reduction.items())


def kind_label(rows: Sequence[Mapping[str, Any]], section: Mapping[str, Any]) -> str:
    """Return the catalogue's label of a section's kind; the kind itself if it has none."""
    kind = loss_kind(section)
    return next((str(row["label"]) for row in rows if row["kind"] == kind), kind)


def value_text(value: object) -> str:
    """Return a setting's value as text; "" for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).replace("_", " ")


def _data_text(section: Mapping[str, Any], catalogue: Catalogue, upload: str) -> str:
    """Return the data set, its place if it is a team's own, and its split."""
    label = kind_label(catalogue.get("data", ()), section)
    place = upload or section.get("dataset") or section.get("folder") or section.get("file")
    split = f"split by {section['split']}" if "split" in section else ""
    split = "its own split" if section.get("split") == "given" else split
    return ", ".join(filter(None, (label, place, split)))


def _encoder_text(section: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return an encoder's label; for a backbone also its weights and which part trains."""
    label = kind_label(rows, section)
    if "tuning" not in section:
        return label
    tuning = {"frozen": "frozen", "head": "head trains", "full": "trains as a whole"}
    if "weights" not in section:  # of texts
        return f"{label} ({section.get('model') or 'bundled'}, {tuning[section['tuning']]})"
    return f"{label} ({section['weights']} weights, {tuning[section['tuning']]})"


def _training_text(
    name: str, value: object, catalogue: Catalogue, tuned: Collection[str] = ()
) -> str:
    """Return a training setting; a section as its label with its settings that are not zero, "Adam,
    lr 0.001".

    Args:
        name: of the setting.
        value: of it, or a section.
        catalogue: the API's catalogue.
        tuned: paths that are tuned, whose values as they are written say nothing: "Adam, lr tuned".
    """
    if not isinstance(value, Mapping):
        return value_text(value)
    rows = (*catalogue.get("optimizers", ()), *catalogue.get("samplers", ()))
    label = kind_label(rows, value)
    parts = ["kind tuned" if f"training.{name}.kind" in tuned else label]
    for key, one in value.items():
        if key != "kind" and f"training.{name}.{key}" in tuned:
            parts.append(f"{_with_spaces(key)} tuned")
        elif key != "kind" and one:
            parts.append(f"{'m =' if key == 'm' else _with_spaces(key)} {value_text(one)}")
    return ", ".join(parts)


def _epochs_text(spec: Spec, tuned: Collection[str]) -> str:
    """Return the number of epochs; after folds the final runs stop at the best epoch of those."""
    epochs = "tuned" if "training.epochs" in tuned else value_text(spec["training"]["epochs"])
    folds = (spec.get("tuning") or {}).get("folds", 1)
    return f"{epochs}, at most" if folds > 1 else epochs


def _nested(settings: Mapping[str, Any], parts: Sequence[str]) -> str:
    found: Any = settings
    for part in parts:
        found = found.get(part) if isinstance(found, Mapping) else None
    return value_text(found)


_VARIES: Final = {
    "seed": ", on one split",
    "draw": ", each with data of its own",
    "split": ", each with a split of its own",
}


def _tuning_text(tuning: Mapping[str, Any]) -> str:
    """Return the budget of each arm: "24 trials each, 4 folds"."""
    trials, folds = tuning["trials"], tuning["folds"]
    each = f"{trials} trial{'' if trials == 1 else 's'} each"
    return f"{each}, {folds} folds" if folds > 1 else each


def _bounds_text(bounds: Mapping[str, float], catalogue: Catalogue) -> str:
    """Return practical bounds with the labels of what they hold for: "Retrieval ±0.02, Mean norm
    ratio 1.1"."""
    families = {row["key"]: str(row["label"]) for row in catalogue.get("practical", ())}
    metrics = {row["key"]: row for row in catalogue.get("metrics", ())}
    parts = []
    for key, bound in bounds.items():
        metric = metrics.get(key)
        if metric is not None and metric["scale"] == "ratio":
            parts.append(f"{metric['label']} ratio {short_number(bound)}")
        elif key in families or metric is not None:
            label = families[key] if metric is None else metric["label"]
            parts.append(f"{label} ±{short_number(bound)}")
        else:  # of several kinds of metrics, such as "geometry."
            parts.append(f"{key.rstrip('.')} {short_number(bound)}")
    return ", ".join(parts)


def _seeds_text(seeds: Sequence[int]) -> str:
    if len(seeds) <= 6:
        return ", ".join(str(seed) for seed in seeds)
    return f"{len(seeds)} ({seeds[0]} … {seeds[-1]})"


def _setting_title(rows: Sequence[Mapping[str, Any]], section: Mapping[str, Any], name: str) -> str:
    """Return a setting's title in its own section: one name may mean different things in two."""
    plain = _with_spaces(name.rpartition(".")[2])
    return str(_schema_of(rows, section, name).get("title", plain))


def _has_effect(rows: Sequence[Mapping[str, Any]], section: Mapping[str, Any], name: str) -> bool:
    """Return whether a setting has an effect beside the others of its section."""
    needed = _schema_of(rows, section, name).get("x-shown-where", {})
    return all(section.get(other) == value for other, value in needed.items())


def _schema_of(
    rows: Sequence[Mapping[str, Any]], section: Mapping[str, Any], name: str
) -> Mapping[str, Any]:
    """Return a setting's schema in the catalogue; empty if it has none."""
    schema: Mapping[str, Any] = next(
        (row["schema"] for row in rows if row["kind"] == loss_kind(section)), {}
    )
    part, _, rest = name.partition(".")
    if part in PARTS and rest:  # of a plug-in
        chosen = section.get(part) or {"name": ""}
        schema = schema.get("$defs", {}).get(f"{part}.{chosen['name']}", {})
        name = rest
    found: Mapping[str, Any] = schema.get("properties", {}).get(name, {})
    return found


def _with_spaces(name: str) -> str:
    return name.replace("_", " ")
