"""Where the items of a run came from, and how one of them is read: what a stored model tells of its
data, so that new items can be prepared alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import Tensor

from contract.comparison.data import modalities
from contract.comparison.encoder import BackboneEncoder, Encoder
from contract.comparison.spec import ComparisonSpec
from worker.data import ImageFiles, Items, Pool, Scale, Texts
from worker.encoders.networks import Backbone
from worker.encoders.text.model import TextModel

MODALITIES = ("audio", "visual")
"""Names of the modalities of paired data, whatever they are; prefixes of their tensors."""


@dataclass(frozen=True)
class BackboneFacts:
    """A pretrained network whose weights do not train, and so are not among those that are kept."""

    resize: int
    crop: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    features: int
    words: tuple[str, ...]
    """What the digest covers before the weights."""
    digest: str
    """SHA-256 of the words and of all its weights; empty where they are kept."""


@dataclass(frozen=True)
class TextModelFacts:
    """A model for texts: how its tokenizer and its pooling are used, and which weights it has."""

    model: str
    """Name of its folder; empty for the bundled one."""
    tokenizer: str
    """SHA-256 of the tokenizer's file."""
    max_tokens: int
    normalize: bool
    pooling: str
    without: int | None
    features: int
    words: tuple[str, ...]
    """What the digest covers before the weights."""
    digest: str
    """SHA-256 of the words and of all its weights; empty where they are kept."""


ModelFacts = BackboneFacts | TextModelFacts


@dataclass(frozen=True)
class Origin:
    """What is known of the data of a run."""

    classes: tuple[str, ...]
    """Names of the labels 0, 1, 2, ..."""
    ids: Tensor
    """[N] places of the test items in the data set as it was read."""
    files: tuple[str, ...] | None = None
    """Folder and name of each test item's image file."""
    texts: tuple[str, ...] | None = None
    """Beginnings of the test items' texts."""
    fine: tuple[str, ...] | None = None
    """Names of the fine labels, where they have names."""
    inputs: tuple[Mapping[str, Any], ...] = ()
    """For each modality how an item is read, as JSON."""
    constants: Mapping[str, Tensor] = field(default_factory=dict)
    """Tensors that reading needs, by their names among the weights."""
    backbones: tuple[ModelFacts | None, ...] = ()
    """For each modality the backbone whose features the items are; None where they are none."""


def model_facts(backbone: Backbone | TextModel, *, digest: bool) -> ModelFacts:
    """Describe a backbone, of images or of texts.

    Args:
        backbone: with its weights.
        digest: whether to compute the digest of its weights.
    """
    if isinstance(backbone, TextModel):
        known = backbone.facts
        return TextModelFacts(
            model=known.model,
            tokenizer=known.tokenizer,
            max_tokens=known.max_tokens,
            normalize=known.normalize,
            pooling=known.pooling,
            without=known.without,
            features=backbone.features,
            words=tuple(known.words),
            digest=backbone.digest if digest else "",
        )
    own = backbone.preparation
    return BackboneFacts(
        resize=own.resize,
        crop=own.crop,
        mean=own.mean,
        std=own.std,
        features=backbone.features,
        words=tuple(backbone.words),
        digest=backbone.digest if digest else "",
    )


def origin_of(pool: Pool, spec: ComparisonSpec, backbones: Sequence[ModelFacts | None]) -> Origin:
    """Describe the data of a run.

    Args:
        pool: all items of the data set.
        spec: of the comparison.
        backbones: for each modality the frozen backbone whose features its encoder takes.
    """
    parts: list[tuple[Items, Encoder]] = [(pool.items, spec.encoder)]
    if pool.visual is not None and spec.visual_encoder is not None:
        parts.append((pool.visual, spec.visual_encoder))
    kinds = modalities(spec.data)
    inputs: list[dict[str, Any]] = []
    constants: dict[str, Tensor] = {}
    for at, (items, encoder) in enumerate(parts):
        scale = pool.scales[at] if at < len(pool.scales) else None
        kind = kinds.items if at == 0 else kinds.visual
        described, own = _input(kind or "vectors", items, encoder, spec, scale)
        inputs.append(described)
        prefix = f"{MODALITIES[at]}." if len(parts) > 1 else ""
        constants |= {f"{prefix}input.{name}": tensor for name, tensor in own.items()}
    test = np.ascontiguousarray(pool.indices.test)
    return Origin(
        classes=_class_names(pool),
        ids=torch.from_numpy(test),
        files=_file_names(pool.items, test),
        texts=pool.items.take(test).beginnings if isinstance(pool.items, Texts) else None,
        fine=pool.fine_names,
        inputs=tuple(inputs),
        constants=constants,
        backbones=tuple(backbones),
    )


def _class_names(pool: Pool) -> tuple[str, ...]:
    if pool.class_names is not None:
        return pool.class_names
    return tuple(str(label) for label in range(int(pool.labels.max()) + 1))


def _file_names(items: Items, places: np.ndarray) -> tuple[str, ...] | None:
    if not isinstance(items, ImageFiles):
        return None
    return tuple(f"{path.parent.name}/{path.name}" for path in items.take(places).paths)


def _input(
    kind: str, items: Items, encoder: Encoder, spec: ComparisonSpec, scale: Scale | None
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return how an item is read, and the tensors that this needs."""
    if kind == "texts":
        return {"kind": kind}, {}
    if kind == "vectors":
        assert isinstance(items, Tensor)
        found: dict[str, Any] = {
            "kind": kind,
            "shape": list(items.shape[1:]),
            "standardized": scale is not None,
        }
        constants = {} if scale is None else {"mean": scale.mean, "deviation": scale.deviation}
        return found, constants
    if kind == "spectrograms":
        assert isinstance(items, Tensor)
        assert scale is not None
        return _spectrogram(items, scale)
    if isinstance(items, ImageFiles):
        # A backbone's own preparation says to which size its images are scaled and cut.
        side = None if isinstance(encoder, BackboneEncoder) else getattr(spec.data, "image_size")  # noqa: B009
        return {
            "kind": kind,
            "channels": 3,
            "resize": side,
            "crop": side,
            "background": items.background,
        }, {}
    assert isinstance(items, Tensor)
    channels, height, width = items.shape[1:]
    return {"kind": kind, "channels": channels, "size": [height, width]}, {}


def _spectrogram(items: Tensor, scale: Scale) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return how a recording becomes a spectrogram, with the mel filters."""
    # Imported when there are recordings: its libraries take a second to load.
    audio = import_module("worker.data.formats.audio")
    bands, frames = items.shape[-2:]
    found = {
        "kind": "spectrograms",
        "shape": list(items.shape[1:]),
        "sample_rate": audio.SAMPLE_RATE,
        "window": audio.WINDOW,
        "hop": audio.HOP,
        "floor": audio.POWER_FLOOR,
        "mean": float(scale.mean),
        "deviation": float(scale.deviation),
        "frames": frames,
    }
    return found, {"filters": torch.from_numpy(audio.mel_filters(bands))}
