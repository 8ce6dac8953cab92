"""What a comparison's spec says in words, and in what its arms differ; pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Spec = Mapping[str, Any]
Catalogue = Mapping[str, Any]


@dataclass(frozen=True)
class Fact:
    """One line of a comparison's head."""

    name: str
    value: str


@dataclass(frozen=True)
class Setting:
    """One setting of the arms."""

    name: str
    """As the catalogue titles it."""
    values: tuple[str, ...]
    """For each arm, in the spec's order; "" where the arm has no such setting."""

    @property
    def differs(self) -> bool:
        """Whether two arms that have this setting have it differently."""
        return len({value for value in self.values if value}) > 1


def facts(spec: Spec, catalogue: Catalogue) -> list[Fact]:
    """What all arms share, in the order people ask."""
    training = spec["training"]
    encoder = spec["encoder"]
    dimensions = f"{encoder['embedding_dim']} dimensions"
    scale = "L2-normalised" if encoder.get("normalize") else "not normalised"
    sampler = _choice(training["sampler"], catalogue.get("samplers", ()))
    return [
        Fact("Data", label_of(catalogue.get("data", ()), spec["data"])),
        Fact(
            "Encoder", f"{label_of(catalogue.get('encoders', ()), encoder)}, {dimensions}, {scale}"
        ),
        Fact("Optimiser", _choice(training["optimizer"], catalogue.get("optimizers", ()))),
        Fact("Batch", f"{training['batch_size']}, {sampler}"),
        Fact("Epochs", plain(training["epochs"])),
        Fact("Seeds", _seeds(spec["seeds"])),
    ]


def settings(spec: Spec, catalogue: Catalogue) -> list[Setting]:
    """Every setting of the arms' losses, then the training settings in which an arm departs."""
    arms = spec["arms"]
    rows = [
        Setting("Loss", tuple(label_of(catalogue.get("losses", ()), arm["loss"]) for arm in arms))
    ]
    titles = _titles(catalogue.get("losses", ()))
    for name in dict.fromkeys(key for arm in arms for key in arm["loss"] if key != "kind"):
        values = tuple(plain(arm["loss"].get(name)) for arm in arms)
        rows.append(Setting(titles.get(name, _spaced(name)), values))
    properties = catalogue.get("training", {}).get("properties", {})
    own = [{k: v for k, v in arm.get("training", {}).items() if v is not None} for arm in arms]
    for name in dict.fromkeys(key for settings_of_arm in own for key in settings_of_arm):
        shared = spec["training"].get(name)
        values = tuple(_training_value(given.get(name, shared), catalogue) for given in own)
        rows.append(Setting(properties.get(name, {}).get("title", _spaced(name)), values))
    return rows


def difference(rows: Sequence[Setting]) -> str:
    """One sentence: in what the arms differ besides the loss; a fair comparison has nothing."""
    names = [row.name.lower() for row in rows if row.differs and row.name != "Loss"]
    if not names:
        return (
            "Besides the loss nothing differs: same data, initial weights and batches for a seed."
        )
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"Besides the loss, the arms differ in {listed}."


def label_of(rows: Sequence[Mapping[str, Any]], section: Mapping[str, Any]) -> str:
    """The catalogue's label of a section's kind; the kind itself if it has none."""
    kind = str(section["kind"])
    return next((str(row["label"]) for row in rows if row["kind"] == kind), kind)


def plain(value: object) -> str:
    """A setting's value as text; "" for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).replace("_", " ")


def _choice(section: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """A section as its label and the settings that are not zero: "Adam, lr 0.001"."""
    short = {"lr": "lr", "weight_decay": "weight decay", "m": "m ="}
    parts = [
        f"{short.get(key, _spaced(key))} {plain(value)}"
        for key, value in section.items()
        if key != "kind" and value
    ]
    return ", ".join([label_of(rows, section), *parts])


def _training_value(value: object, catalogue: Catalogue) -> str:
    if isinstance(value, Mapping):
        rows = (*catalogue.get("optimizers", ()), *catalogue.get("samplers", ()))
        return _choice(value, rows)
    return plain(value)


def _seeds(seeds: Sequence[int]) -> str:
    if len(seeds) <= 6:
        return ", ".join(str(seed) for seed in seeds)
    return f"{len(seeds)} ({seeds[0]} … {seeds[-1]})"


def _titles(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {
        name: str(schema.get("title", _spaced(name)))
        for row in rows
        for name, schema in row.get("schema", {}).get("properties", {}).items()
    }


def _spaced(name: str) -> str:
    return name.replace("_", " ")
