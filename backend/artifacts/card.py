"""The model card of a trained model, in Markdown with front matter as Hugging Face has it."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from backend.artifacts import script
from backend.db.models import Run
from backend.verdict.leaderboard_schemas import Leaderboard
from contract.comparison.loss import stored_loss_name
from contract.metrics import METRICS, TEST_PREFIX

TITLES: Final = {
    "mlp": "multi-layer perceptron",
    "convnet": "small convolutional network",
    "audio_convnet": "small convolutional network for spectrograms",
    "resnet18": "ResNet-18",
    "resnet50": "ResNet-50",
    "vit_b_32": "ViT-B/32",
    "efficientnet_lite0": "EfficientNet-Lite0",
    "static_text": "static model of texts",
    "transformer_text": "transformer for texts",
}
TRAINED: Final = {
    "frozen": "frozen, with a head that has trained on its features",
    "head": "not trained, with a head that has",
    "full": "trained whole, with a head",
}
ABSENT: Final = {
    "imagenet": "the script fetches its published weights",
    "random": "the script makes its random weights anew",
    "file": "name the file with its weights to the script, `--backbone FILE`",
}
"""Weights of a backbone that has not trained -> where they come from."""
BUNDLED_TEXT: Final = "the script reads it from the package wordllama, and its tokenizer too"
OWN_TEXT: Final = "name its folder to the script, `--backbone FOLDER`"
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()<>#+!|~$-])")


@dataclass(frozen=True)
class CardFacts:
    """What a card says of a model besides its description."""

    run: Run
    leaderboard: Leaderboard
    advice: str
    """Which arms to use for what."""
    caveats: Sequence[str]
    """What limits the verdict on the comparison."""
    replicates: str
    """What the runs of an arm replicate, and how many there are."""
    dataset_name: str
    """Of the upload that it was trained on; empty without one, or once it is deleted."""


def model_card(description: Mapping[str, Any], facts: CardFacts) -> str:
    """Return the card.

    Args:
        description: of the model, as its weights' file has it.
        facts: of its run and its comparison.
    """
    arm, seed = plain(description["arm"]), description["seed"]
    lines = [
        *_front_matter(description),
        f"# {plain(description['comparison'])}: {arm}, seed {seed}",
        "",
        _what_it_is(description),
        "",
        "## How to use it",
        "",
        "```sh",
        f"pip install {' '.join(script.needs(description))}",
        f"python {script.FILE} INPUT embeddings.npz",
        "```",
        "",
        f"`{script.FILE}` is plain PyTorch: it builds the network from `model.json` and loads "
        "`model.safetensors` strictly. INPUT is "
        + " or ".join(script.INPUTS[kind] for kind in _kinds(description))
        + ". Items are prepared as in training; compare embeddings by their Euclidean distance"
        + (", or by their cosine: they have length 1." if description["normalize"] else "."),
        "",
        "## Data",
        "",
        *([f"- name: {plain(facts.dataset_name)}"] if facts.dataset_name else []),
        *_settings(description["data"]),
        *_splits(facts.run, description),
        "",
        "## Training",
        "",
        *_settings({"loss": description["loss"], **description["training"]}),
        f"- weights: those after step {description['measured']['step']:,}"
        + _chosen(description["measured"]),
        "",
        "## Results on the test split",
        "",
        *_results(description, facts),
        "",
        "## What limits this",
        "",
        *_limits(description, facts),
        "",
        "## Versions",
        "",
        *(f"- {name}: {version}" for name, version in description["versions"].items()),
    ]
    return "\n".join(lines) + "\n"


def plain(text: object) -> str:
    """Return text of users without any effect in Markdown, in one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def _front_matter(description: Mapping[str, Any]) -> list[str]:
    tags = ["metric-learning", "embeddings", stored_loss_name(description["loss"])]
    return [
        "---",
        "library_name: pytorch",
        "pipeline_tag: feature-extraction",
        f"tags: {json.dumps(tags)}",
        "---",
        "",
    ]


def _what_it_is(description: Mapping[str, Any]) -> str:
    parts = []
    for one in description["encoders"]:
        network = one["network"]
        title = TITLES.get(network["kind"], network["kind"])
        trained = TRAINED.get(network.get("tuning", ""), "")
        of = f" of the modality {one['modality']}" if one["modality"] else ""
        parts.append(f"a {title}{of}" + (f" ({trained})" if trained else ""))
    unit = "of length 1" if description["normalize"] else "not normalised"
    return (
        f"An encoder trained with the loss `{stored_loss_name(description['loss'])}`: "
        f"{' and '.join(parts)}. "
        f"Its embeddings have {description['embedding_dim']} numbers, {unit}; "
        f"{description['parameters']:,} parameters were trained."
    )


def _kinds(description: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(one["input"]["kind"] for one in description["encoders"]))


def _settings(settings: Mapping[str, Any]) -> list[str]:
    return [f"- {_name(name)}: {_value(value)}" for name, value in settings.items() if value != ""]


def _name(key: str) -> str:
    return plain(key.replace("_", " "))


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        kind = [_value(value["kind"])] if "kind" in value else []
        own = [f"{_name(name)} {_value(one)}" for name, one in value.items() if name != "kind"]
        return ", ".join([*kind, *own])
    return plain("none" if value is None else value)


def _splits(run: Run, description: Mapping[str, Any]) -> Iterable[str]:
    if run.splits:
        sizes = ", ".join(f"{name} {size:,}" for name, size in run.splits.items())
        yield f"- items: {sizes}"
    if description["classes"]:
        yield f"- classes in the data: {len(description['classes']):,}"
    else:
        yield "- the data come as tuples, without classes"


def _chosen(measured: Mapping[str, Any]) -> str:
    if measured["validation"] is None:
        return ""
    label = METRICS[measured["objective"]].label
    return f", {label} {measured['validation']:.3f} on the validation split"


def _results(description: Mapping[str, Any], facts: CardFacts) -> list[str]:
    own = description["measured"]["test"]
    rows: list[list[str]] = []
    intervals: list[str] = []
    for metric in facts.leaderboard.metrics:
        found = next((arm for arm in metric.arms if arm.arm == facts.run.arm), None)
        value = own.get(metric.key.removeprefix(TEST_PREFIX))
        if value is None or found is None or found.mean is None:
            continue
        label = metric.label.removesuffix(" (test)")
        rows.append([label, f"{value:.3f}", f"{found.mean:.3f}", str(found.n)])
        intervals.append("" if found.low is None else f"{found.low:.3f} to {found.high:.3f}")
    if not rows:
        return ["Nothing is measured yet."]
    heads = ["metric", "this model", "mean of its arm", facts.replicates]
    said = f"There is no interval of the mean: that takes three {facts.replicates} or more."
    if any(intervals):
        heads.insert(-1, "95 % interval")
        for row, interval in zip(rows, intervals, strict=True):
            row.insert(-1, interval or "none")
        said = "The intervals of the mean hold for all arms of the comparison at once."
    return [
        _table_row(heads),
        f"|{'--|' * len(heads)}",
        *map(_table_row, rows),
        "",
        f"Expect the mean of the arm, not the value of this one model. {said}",
    ]


def _kind_of_text(network: Mapping[str, Any]) -> bool:
    return str(network["kind"]) in script.TEXT_ENCODERS


def _absent(network: Mapping[str, Any]) -> str:
    """Return where the weights of a backbone that has not trained come from."""
    if _kind_of_text(network):
        return OWN_TEXT if network["model"] else BUNDLED_TEXT
    return ABSENT[network["weights"]]


def _table_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _limits(description: Mapping[str, Any], facts: CardFacts) -> list[str]:
    lines = []
    if facts.advice:
        lines.append(f"- {plain(facts.advice)}")
    lines += [f"- {plain(caveat)}" for caveat in facts.caveats]
    if facts.run.states:
        lines += [f"- This run: {plain(state['message'])}" for state in facts.run.states]
    networks = [one["network"] for one in description["encoders"]]
    begun = {_absent(one) for one in networks if one.get("tuning") in {"frozen", "head"}}
    lines += [f"- The backbone is not in the download: {one}." for one in sorted(begun)]
    if any(_kind_of_text(one) and one["tuning"] == "full" for one in networks):
        own = any(one.get("model") for one in networks)
        where = OWN_TEXT if own else "the script reads it from the package wordllama"
        lines.append(f"- The tokenizer is not in the download: {where}.")
    lines.append("- What it learnt holds for items like those of its data; measure it on your own.")
    return lines
