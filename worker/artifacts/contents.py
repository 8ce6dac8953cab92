"""The contents of the blobs that are kept of a trained model."""

import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from contract.artifacts import (
    DESCRIPTION,
    FACTS,
    MAX_CONFUSIONS,
    ArtifactKind,
    Confusion,
    EmbeddingFacts,
    KeepWeights,
    WeightsFacts,
)
from contract.comparison.data import shape_of
from contract.comparison.encoder import Encoder
from contract.comparison.spec import Arm, ComparisonSpec
from contract.metrics import objective_of
from contract.metrics.versions import run_versions
from worker import measure
from worker.artifacts.exported import (
    count_parameters,
    exported_weights,
    is_whole_backbone,
    own_backbone,
)
from worker.artifacts.origin import MODALITIES, Origin
from worker.data import Split

FORMAT: Final = 1
"""Version of the description; count it up when a script that reads the older one would be wrong."""


@dataclass(frozen=True)
class TrainedModel:
    """A model with the weights that its test values were measured with."""

    spec: ComparisonSpec
    arm: Arm
    seed: int
    encoders: tuple[torch.nn.Module, ...]
    """One for each modality."""
    origin: Origin
    test: Split
    embeddings: tuple[Tensor, ...]
    """[N, D] of the test split, of each modality."""
    step: int
    """Optimiser steps after which these weights were taken."""
    score: float | None
    """The objective on the validation split at that step."""
    values: Mapping[str, float]
    """What was measured on the test split, by metric key without a prefix."""

    @property
    def points(self) -> Tensor:
        """[P, D] the embeddings of all modalities, on the CPU."""
        return torch.cat([part.detach().to("cpu", torch.float32) for part in self.embeddings])

    @cached_property
    def nearest(self) -> Tensor:
        """[P] the nearest other point of each point."""
        return measure.nearest_others(torch.cat(self.embeddings)).cpu()

    @property
    def labels(self) -> Tensor:
        """[P] their labels."""
        return self.test.labels.cpu().repeat(len(self.embeddings))


class Made(NamedTuple):
    """The content of a blob, and what the backend is told of it."""

    content: bytes
    facts: dict[str, Any]


def make(kind: ArtifactKind, of: TrainedModel, keep: KeepWeights = "all") -> Made:
    """Return the content of a blob of a model.

    Args:
        kind: which blob.
        of: the model.
        keep: what the run was told to keep.
    """
    if kind == "weights":
        return _weights(of, keep)
    return _embeddings(of) if kind == "embeddings" else _confusion(of)


def _weights(of: TrainedModel, keep: KeepWeights) -> Made:
    """Return a safetensors file whose metadata say how the network is built."""
    described = []
    tensors: dict[str, Tensor] = {}
    specs = (of.spec.encoder, of.spec.visual_encoder)
    parameters, whole = 0, False
    for at, encoder in enumerate(of.encoders):
        spec = specs[at]
        assert spec is not None, "an encoder for each modality"
        prefix = f"{MODALITIES[at]}." if len(of.encoders) > 1 else ""
        own = exported_weights(encoder, spec)
        parameters += count_parameters(encoder, spec)
        whole = whole or is_whole_backbone(encoder, spec)
        tensors |= {f"{prefix}{name}": weight for name, weight in own.items()}
        described.append(_described(of, at, encoder, spec, prefix))
    tensors |= {name: tensor.contiguous() for name, tensor in of.origin.constants.items()}
    facts = WeightsFacts(
        encoder=of.spec.encoder.kind,
        whole_backbone=whole,
        keep=keep,
        parameters=parameters,
        step=of.step,
        score=of.score,
    )
    description = {
        "format": FORMAT,
        "comparison": of.spec.name,
        "arm": of.arm.name,
        "seed": of.seed,
        "embedding_dim": of.spec.encoder.embedding_dim,
        "normalize": of.spec.encoder.normalize,
        "precision": of.spec.training.precision,
        "encoders": described,
        "parameters": parameters,
        # Of data that come as tuples there are as many groups as tuples, and none is a class.
        "classes": [] if of.test.rows is not None else list(of.origin.classes),
        "loss": of.arm.loss.model_dump(mode="json"),
        "training": of.spec.training_of(of.arm).model_dump(mode="json"),
        "data": of.spec.data_of(of.seed).model_dump(mode="json"),
        "measured": {
            "step": of.step,
            "objective": objective_of(shape_of(of.spec.data)),
            "validation": of.score,
            "test": {key: value for key, value in of.values.items() if math.isfinite(value)},
        },
        "versions": {**run_versions(), "torch": torch.__version__, "numpy": np.__version__},
    }
    text = json.dumps(description, ensure_ascii=False, allow_nan=False)
    return Made(save(tensors, {DESCRIPTION: text}), facts.model_dump())


def _described(
    of: TrainedModel, at: int, encoder: torch.nn.Module, spec: Encoder, prefix: str
) -> dict[str, Any]:
    """Return how one encoder is built, as JSON."""
    frozen = of.origin.backbones[at] if at < len(of.origin.backbones) else None
    backbone = frozen or own_backbone(encoder)
    network = spec.model_dump(mode="json", exclude={"weights_file"})
    return {
        "modality": prefix.removesuffix(".") or None,
        "prefix": prefix,
        "network": network,
        "backbone": None if backbone is None else asdict(backbone),
        "input": dict(of.origin.inputs[at]),
    }


def _embeddings(of: TrainedModel) -> Made:
    """Return an npz file with the embeddings of the test split, row by row."""
    count, parts = len(of.test), len(of.embeddings)
    facts = EmbeddingFacts(
        classes=list(of.origin.classes),
        modalities=list(MODALITIES) if parts > 1 else None,
        files=None if of.origin.files is None else list(of.origin.files),
        texts=None if of.origin.texts is None else list(of.origin.texts),
        fine=None if of.origin.fine is None else list(of.origin.fine),
    )
    arrays = {
        "embeddings": of.points.numpy(),
        "labels": of.labels.numpy(),
        "ids": of.origin.ids.repeat(parts).numpy(),
        "modality": np.repeat(np.arange(parts, dtype=np.int64), count),
        "nearest": of.nearest.numpy(),
        FACTS: np.frombuffer(facts.model_dump_json().encode(), dtype=np.uint8),
    }
    if of.test.fine is not None and parts == 1:
        arrays["fine"] = of.test.fine.cpu().numpy()
    written = io.BytesIO()
    np.savez(written, allow_pickle=False, **arrays)
    rows, dim = of.points.shape
    return Made(written.getvalue(), {"rows": rows, "dim": dim})


def _confusion(of: TrainedModel) -> Made:
    found = measure.confusions(of.labels, of.nearest)
    names = of.origin.classes
    own = found.pairs[:, 0] == found.pairs[:, 1]
    right = torch.zeros(len(found.labels), dtype=torch.int64)
    right[found.pairs[own, 0]] = found.pairs[own, 2]
    wrong = found.pairs[~own]
    wrong = wrong[wrong[:, 2].argsort(descending=True, stable=True)]
    named = wrong[:MAX_CONFUSIONS]
    content = Confusion(
        classes=[names[label] for label in found.labels.tolist()],
        items=found.items.tolist(),
        right=right.tolist(),
        pairs=[(int(a), int(b), int(n)) for a, b, n in named.tolist()],
        others=int(wrong[MAX_CONFUSIONS:, 2].sum()),
    )
    return Made(content.model_dump_json().encode(), {"classes": len(content.classes)})
