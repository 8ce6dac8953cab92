"""Rules between sections of a spec; each rule takes only what it needs, so all can be checked."""

from collections.abc import Mapping, Sequence
from typing import Any

from contract.comparison.data import Data, OwnData, class_count, modalities, training_items
from contract.comparison.encoder import TAKES, BackboneEncoder, Encoder, TransformerTextEncoder
from contract.comparison.problems import Problem
from contract.comparison.training import MPerClassSampler, Training
from contract.names import ONE_LINE, has_control_character


def source_problems(data: Data) -> list[Problem]:
    """Check that a team's own data name an upload or a path, but not both."""
    if isinstance(data, OwnData) and bool(data.dataset) == bool(data.path):
        seen = "both" if data.dataset else "neither"
        message = (
            f"needs the id of an uploaded data set or a path on the workers' machine; got {seen}"
        )
        return [Problem("data.dataset", message)]
    return []


def encoder_problems(data: Data, encoder: Encoder, visual_encoder: Encoder | None) -> list[Problem]:
    """Check that each modality has an encoder that fits, and that both map into one space."""
    held = modalities(data)
    problems = _fit_problems(data, held.items, encoder, "encoder")
    if held.visual is None:
        if visual_encoder is not None:
            message = f"'{data.kind}' has one modality; leave it out"
            problems.append(Problem("visual_encoder", message))
        return problems
    if visual_encoder is None:
        message = f"required, but missing: '{data.kind}' has two modalities"
        return [*problems, Problem("visual_encoder", message)]
    problems += _fit_problems(data, held.visual, visual_encoder, "visual_encoder")
    for name in ("embedding_dim", "normalize"):
        first, second = getattr(encoder, name), getattr(visual_encoder, name)
        if first != second:
            message = f"{second} is not the encoder's {first}; both map into one space"
            problems.append(Problem(f"visual_encoder.{name}", message))
    return problems


def _fit_problems(data: Data, items: str, encoder: Encoder, path: str) -> list[Problem]:
    problems = []
    if items not in TAKES[encoder.kind]:
        fitting = ", ".join(f"'{kind}'" for kind, takes in TAKES.items() if items in takes)
        message = f"'{encoder.kind}' cannot take the {items} of '{data.kind}'; take {fitting}"
        problems.append(Problem(f"{path}.kind", message))
    if isinstance(encoder, BackboneEncoder) and (encoder.weights == "file") != bool(
        encoder.weights_file
    ):
        seen = repr(encoder.weights_file) if encoder.weights_file else "nothing"
        message = f"goes with weights 'file'; got {seen} with weights '{encoder.weights}'"
        problems.append(Problem(f"{path}.weights_file", message))
    if isinstance(encoder, TransformerTextEncoder) and not encoder.model:
        message = (
            "required, but empty: the name of the model's folder, below one of the folders of "
            "LOSSBOARD_MODEL_ROOTS"
        )
        problems.append(Problem(f"{path}.model", message))
    return problems


def augmentation_problems(
    data: Data, encoder: Encoder, visual_encoder: Encoder | None, training: Training
) -> list[Problem]:
    """Check that augmentation has images to change whose features are not computed in advance."""
    if training.augmentation == "none":
        return []
    held = modalities(data)
    of_images = [
        own
        for items, own in ((held.items, encoder), (held.visual, visual_encoder))
        if items == "images"
    ]
    path = "training.augmentation"
    if not of_images:
        return [Problem(path, f"'{training.augmentation}' is for images; '{data.kind}' has none")]
    if any(isinstance(own, BackboneEncoder) and own.tuning == "frozen" for own in of_images):
        message = (
            f"'{training.augmentation}' cannot change the features of a frozen backbone, which "
            "are computed once; take the training 'head' or 'full'"
        )
        return [Problem(path, message)]
    return []


def batch_problems(data: Data, training: Training, path: str) -> list[Problem]:
    """Check that a batch fits into the training split and divides evenly among its classes, as far
    as these are known before the data are read."""
    size, sampler = training.batch_size, training.sampler
    items, classes = training_items(data), class_count(data)
    problems: list[Problem] = []
    if items is not None and size > items:
        problems.append(
            Problem(
                f"{path}.batch_size",
                f"{size} is more than the {items} training items of '{data.kind}'",
            )
        )
    if isinstance(sampler, MPerClassSampler):
        if size % sampler.m:
            problems.append(
                Problem(
                    f"{path}.batch_size",
                    f"{size} is not divisible by the sampler's m = {sampler.m}",
                )
            )
        elif classes is not None and size // sampler.m > classes:
            problems.append(
                Problem(
                    f"{path}.sampler.m",
                    f"{size} / {sampler.m} = {size // sampler.m} classes a batch, but "
                    f"'{data.kind}' has {classes}; raise m or lower the batch size",
                )
            )
    return problems


def duplicate_problems(values: Sequence[object], path: str, field: str = "") -> list[Problem]:
    """Check that no value, such as the name of an arm or a seed, is used twice."""
    seen: set[object] = set()
    problems: list[Problem] = []
    for index, value in enumerate(values):
        if value is not None and value in seen:
            problems.append(Problem(f"{path}[{index}]{field}", f"{value!r} is used twice"))
        seen.add(value)
    return problems


def name_problems(raw: Mapping[str, Any]) -> list[Problem]:
    """Check that the names and tags of a new spec are one line each.

    A stored spec is not checked: it may be of a version that allowed more.
    """
    named: list[tuple[str, object]] = [("name", raw.get("name"))]
    tags, arms = raw.get("tags"), raw.get("arms")
    if isinstance(tags, list):
        named += [(f"tags[{index}]", tag) for index, tag in enumerate(tags)]
    if isinstance(arms, list):
        named += [
            (f"arms[{index}].name", arm.get("name"))
            for index, arm in enumerate(arms)
            if isinstance(arm, Mapping)
        ]
    return [
        Problem(path, ONE_LINE)
        for path, name in named
        if isinstance(name, str) and has_control_character(name.strip())
    ]
