"""Evaluation of a training: measures on held-out items, the best epoch, and reference values.

Measures run on the validation split during training, and after it on the test split, with the
weights of the best and of the last epoch. References show what the results are worth: the untrained
encoder, a frozen backbone without a head, and chance.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from contract.metrics import BACKBONE_PREFIX, CHANCE_PREFIX, OBJECTIVE, TEST_PREFIX
from worker import measure
from worker.data import Dataset, Split
from worker.errors import NotFiniteError
from worker.losses import Loss
from worker.reporting import signs_of_life
from worker.torch_utils import stream_generator
from worker.trainer.divergence import Lengths
from worker.trainer.inputs import Inputs
from worker.trainer.model import Model, compute_loss

VALIDATION_ITEMS: Final = 5_000
"""Validation items that are measured during training, at most."""
GALLERY_ITEMS: Final = 10_000
"""Training items in the kNN gallery during training, at most."""
EMBED_BATCH: Final = {"cpu": 256, "cuda": 1024}
"""Items embedded at a time, by type of device: the caches of a CPU hold fewer."""
MAX_BATCH_NUMBERS: Final = 16_000_000
"""Numbers in all items of an embedded batch, at most: large images go in smaller batches."""


class Evaluation:
    """Measures one model on one data set.

    During training it uses at most 5,000 items of the validation split, with at most 10,000
    training items as the kNN gallery. The test split is measured whole, with the whole training
    split as the gallery. The data's seed decides which items are left out, so they are the same for
    every arm and seed.
    """

    def __init__(
        self, data: Dataset, model: Model, *, data_seed: int, normalize: bool = False
    ) -> None:
        """Args:
        data: all splits.
        model: the model that is measured, as it is at each call.
        data_seed: of the spec's data.
        normalize: whether the model brings every embedding to length 1.
        """
        self._data = data
        self._normalize = normalize
        self._model = model
        self._validation = _at_most(VALIDATION_ITEMS, data.validation, data_seed)
        self._gallery = _at_most(GALLERY_ITEMS, data.train, data_seed)

    @property
    def caveats(self) -> list[str]:
        """Lines for the run's log that say what is left out of the measures."""
        lines = [
            f"during training {len(kept)} of {len(whole)} {name} are used"
            for name, kept, whole in (
                ("validation items", self._validation, self._data.validation),
                ("training items, as the kNN gallery,", self._gallery, self._data.train),
            )
            if len(kept) < len(whole)
        ]
        if self._data.class_disjoint:
            lines.append(
                "no tested class is trained on: kNN is leave-one-out within the held-out items, "
                "and there is no linear probe"
            )
        for name, split in (("validation", self._validation), ("test", self._data.test)):
            for kind, labels in (("class", split.labels), ("fine class", split.fine)):
                alone = 0 if labels is None else measure.left_out(labels)
                if alone and split.visual is None:
                    lines.append(
                        f"{alone} of {len(split)} {name} items are the only ones of their "
                        f"{kind} and no queries: nothing else could be found for them"
                    )
        return lines

    def validation(self) -> dict[str, float]:
        """Return all measures on the validation split, by metric key.

        Raises:
            NotFiniteError: float32 cannot hold the model's embeddings or their lengths.
        """
        return self._measure(self._validation, self._gallery)

    def test(self) -> dict[str, float]:
        """Return all measures on the test split, by metric key without a prefix.

        Raises:
            NotFiniteError: as `validation`.
        """
        return self._measure(self._data.test, self._data.train)

    def _measure(self, held_out: Split, gallery: Split) -> dict[str, float]:
        embeddings = embed(self._model, held_out)
        lengths = Lengths(normalize=self._normalize)
        lengths.see(embeddings)
        if problem := lengths.problem():
            raise NotFiniteError(problem)
        points, labels = _join(embeddings, held_out.labels)
        values = {
            **measure.geometry(points, labels),
            **measure.retrieval(points, labels),
            **measure.clustering(points, labels),
        }
        if self._data.class_disjoint:
            values |= measure.knn_leave_one_out(points, labels)
        else:
            known = _join(embed(self._model, gallery), gallery.labels)
            values |= measure.classification(*known, points, labels)
        if held_out.fine is not None and measure.left_out(held_out.fine) < len(held_out.fine):
            values |= measure.detail(embeddings[0], held_out.fine)
        if len(embeddings) > 1:
            values |= _between_modalities(embeddings, held_out.labels)
        return values


def _between_modalities(embeddings: Sequence[Tensor], labels: Tensor) -> dict[str, float]:
    """Measure what only paired data have: retrieval between modalities, and each one's geometry."""
    audio, visual = embeddings
    values = measure.cross_modal(audio, labels, visual, labels)
    for name, points in (("audio", audio), ("visual", visual)):
        geometry = measure.geometry(points, labels)
        values |= {f"{name}.{key}": value for key, value in geometry.items()}
    return values


def embedding_batch_size(numbers: int, device: torch.device) -> int:
    """Return how many items of `numbers` numbers each are embedded at a time."""
    return max(1, min(EMBED_BATCH[device.type], MAX_BATCH_NUMBERS // numbers))


@torch.no_grad()
def embed(model: Model, split: Split) -> tuple[Tensor, ...]:
    """Return embeddings [N, D] of each modality, computed in evaluation mode, batch by batch."""
    was_training = model.training
    model.eval()
    places = torch.arange(len(split), device=split.labels.device)
    size = embedding_batch_size(split.items[0].numel(), places.device)
    parts = []
    for batch in torch.split(places, size):
        parts.append(model(split.take(batch)))
        signs_of_life.sign()
    model.train(was_training)
    return tuple(torch.cat(batches) for batches in zip(*parts, strict=True))


def embed_as_points(model: Model, split: Split) -> Tensor:
    """Return the items of all modalities as points [N, D] of their common space, one modality after
    the other."""
    return torch.cat(embed(model, split))


def _join(embeddings: Iterable[Tensor], labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the embeddings of all modalities as points of their common space, with labels."""
    of_modalities = tuple(embeddings)
    return torch.cat(of_modalities), labels.repeat(len(of_modalities))


def _at_most(count: int, split: Split, seed: int) -> Split:
    """Return `count` items of a split, drawn by the seed; the split itself if it has no more."""
    if len(split) <= count:
        return split
    order = torch.randperm(len(split), generator=stream_generator(seed, "subsets"))
    return split.take(order[:count].sort().values)


class BestEpoch:
    """The weights of the epoch with the highest validation MAP@R: the earliest of equal ones, and
    never epoch 0."""

    def __init__(self) -> None:
        self.step = 0
        """Optimiser steps done at the end of that epoch."""
        self._score = float("-inf")
        self._weights: dict[str, Tensor] = {}

    def offer(self, values: Mapping[str, float], step: int, model: nn.Module) -> None:
        """Keep the model's weights if its validation values are better than all before."""
        score = values.get(OBJECTIVE, float("-inf"))
        if score > self._score or not self._weights:
            self._score, self.step = score, step
            self._weights = {
                name: weight.detach().clone() for name, weight in model.state_dict().items()
            }

    def state_dict(self) -> dict[str, Any]:
        """The best epoch so far, with its weights."""
        return {"step": self.step, "score": self._score, "weights": self._weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from that epoch."""
        self.step, self._score, self._weights = state["step"], state["score"], state["weights"]

    def restore(self, model: nn.Module) -> None:
        """Load the best weights into the model."""
        model.load_state_dict(self._weights)


def reference_values(inputs: Inputs) -> dict[str, float]:
    """Return values by metric key with the prefix of the reference; of both splits, because nothing
    is chosen by them."""
    return {**_chance(inputs.data), **(_raw_backbone(inputs.data) if inputs.raw_backbone else {})}


def _raw_backbone(data: Dataset) -> dict[str, float]:
    """Measure the L2-normalised features of a frozen backbone as if they were embeddings."""
    return {
        f"{BACKBONE_PREFIX}{prefix}{key}": value
        for prefix, split in (("", data.validation), (TEST_PREFIX, data.test))
        for key, value in _measure_features(split).items()
    }


def _measure_features(split: Split) -> dict[str, float]:
    features = functional.normalize(split.items, dim=1)
    values = {
        **measure.geometry(features, split.labels),
        **measure.retrieval(features, split.labels),
    }
    if split.fine is not None and measure.left_out(split.fine) < len(split.fine):
        values |= measure.detail(features, split.fine)
    return values


def _chance(data: Dataset) -> dict[str, float]:
    """Return the values that a random ranking of the other modality would have."""
    return {
        f"{CHANCE_PREFIX}{prefix}{key}": value
        for prefix, split in (("", data.validation), (TEST_PREFIX, data.test))
        if split.visual is not None
        for key, value in measure.chance(split.labels, split.labels).items()
    }


@torch.no_grad()
def untrained_values(
    model: Model,
    loss: Loss,
    train: Split,
    batches: Iterable[Tensor],
    generator: torch.Generator,
) -> dict[str, float]:
    """Return the mean loss over all valid tuples of an epoch before any step, and the active share.

    They are the values of step 0, with which later losses are compared. A copy of the model is
    used, so that the running statistics of the real one do not change.
    """
    model = copy.deepcopy(model)
    seen = torch.zeros(3, dtype=torch.float64, device=train.labels.device)
    for batch in batches:
        part = train.take(batch)
        output = compute_loss(loss, model(part), part.labels, generator)
        totals = [part.total.to(torch.float64) for part in output.parts.values()]
        seen += torch.stack([torch.stack(totals).sum(), output.active, output.valid])
        signs_of_life.sign()
    total, active, valid = seen.tolist()
    if not valid:
        return {}
    return {"dynamics.loss": total / valid, "dynamics.active_ratio": active / valid}
