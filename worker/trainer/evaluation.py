"""Evaluation of a training: measures on held-out items, and the best epoch.

Measures run on the validation split during training, and after it on the test split, with the
weights of the best and of the last epoch.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn

from contract.metrics import OBJECTIVE
from worker import measure
from worker.data import Dataset, Split
from worker.errors import NotFiniteError
from worker.reporting import signs_of_life
from worker.torch_utils import stream_generator
from worker.trainer.divergence import Lengths
from worker.trainer.families import ALL, Family
from worker.trainer.model import Model
from worker.trainer.tuple_evaluation import (
    at_most_items,
    tuple_subset,
    tuple_values,
    tuple_verification,
)

VALIDATION_ITEMS: Final = 5_000
"""Validation items that are measured during training, at most."""
GALLERY_ITEMS: Final = 10_000
"""Training items in the kNN gallery during training, at most."""
EMBED_BATCH: Final = {"cpu": 256, "cuda": 1024}
"""Items embedded at a time, by type of device: the caches of a CPU hold fewer."""
MAX_BATCH_NUMBERS: Final = 16_000_000
"""Numbers in all items of an embedded batch, at most: large images go in smaller batches."""


class Measured(NamedTuple):
    """The measures of one split, and the embeddings that they were taken of."""

    values: dict[str, float]
    """By metric key without a prefix."""
    embeddings: tuple[Tensor, ...]
    """[N, D] of each modality."""


class Evaluation:
    """Measures a model on one data set.

    During training it uses at most 5,000 items of the validation split, with at most 10,000
    training items as the kNN gallery. The test split is measured whole, with the whole training
    split as the gallery. The data's seed decides which items are left out, so they are the same for
    every arm and seed.
    """

    def __init__(
        self, data: Dataset, model: Model | None = None, *, data_seed: int, normalize: bool = False
    ) -> None:
        """Args:
        data: all splits.
        model: the model that is measured, as it is at each call; see also `of`.
        data_seed: of the spec's data.
        normalize: whether the model brings every embedding to length 1.
        """
        self._data = data
        self._normalize = normalize
        self._model = model
        self._validation = _at_most(VALIDATION_ITEMS, data.validation, data_seed)
        self._gallery = _at_most(GALLERY_ITEMS, data.train, data_seed)

    def of(self, model: Model) -> "Evaluation":
        """Return the same evaluation of another model; both share the items."""
        other = copy.copy(self)
        other._model = model
        return other

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
        if self._data.class_disjoint and self._data.train.rows is None:
            lines.append(
                "no tested class is trained on: kNN is leave-one-out within the held-out items, "
                "and there is no linear probe"
            )
        for name, split in (("validation", self._validation), ("test", self._data.test)):
            if not len(split) or split.rows is not None:  # a trial has no test split
                continue
            for kind, labels in (("class", split.labels), ("fine class", split.fine)):
                alone = 0 if labels is None else measure.left_out(labels)
                if alone and split.visual is None:
                    lines.append(
                        f"{alone} of {len(split)} {name} items are the only ones of their "
                        f"{kind} and no queries: nothing else could be found for them"
                    )
        return lines

    def validation(self, families: Set[Family] = ALL) -> dict[str, float]:
        """Return the measures of these families on the validation split, by metric key.

        Raises:
            NotFiniteError: float32 cannot hold the model's embeddings or their lengths.
        """
        return self._measure(self._validation, self._gallery, families).values

    def test(self) -> Measured:
        """Return all measures on the test split, with its embeddings.

        Raises:
            NotFiniteError: as `validation`.
        """
        measured = self._measure(self._data.test, self._data.train, ALL)
        if self._data.test.rows is not None:
            chosen_points, _ = self._validation_points()
            measured.values.update(
                tuple_verification(
                    measured.embeddings[0], self._data.test, chosen_points, self._validation
                )
            )
            return measured
        points, labels = _join(measured.embeddings, self._data.test.labels)
        values = measured.values
        if has_both_kinds(labels):
            values |= measure.verification(points, labels)
            chosen_on = self._validation_points()
            if has_both_kinds(chosen_on[1]):
                threshold = measure.best_threshold(measure.count_pairs(*chosen_on))
                values |= measure.at_threshold(points, labels, threshold)
        return measured

    def smaller(self, measured: Measured) -> dict[str, float]:
        """Return how retrieval on the test split fares with smaller embeddings.

        Args:
            measured: the test split, with the model as it is.
        """
        points, labels = _join(measured.embeddings, self._data.test.labels)
        fitted_on, _ = self._validation_points()
        if self._data.test.rows is not None:
            items, labels = tuple_subset(self._data.test)
            points = points[items]
            if not has_both_kinds(labels):
                return {}
        return measure.smaller_embeddings(points, labels, fitted_on, normalize=self._normalize)

    def _validation_points(self) -> tuple[Tensor, Tensor]:
        assert self._model is not None, "of which model?"
        return _join(embed(self._model, self._validation), self._validation.labels)

    def _measure(self, held_out: Split, gallery: Split, families: Set[Family]) -> Measured:
        assert self._model is not None, "of which model?"
        embeddings = embed(self._model, held_out)
        lengths = Lengths(normalize=self._normalize)
        lengths.see(embeddings)
        if problem := lengths.problem():
            raise NotFiniteError(problem)
        if held_out.rows is not None:
            return Measured(tuple_values(embeddings[0], held_out, families), embeddings)
        points, labels = _join(embeddings, held_out.labels)
        values: dict[str, float] = {}
        if "geometry" in families:
            values |= measure.geometry(points, labels, all_pairs="all_pairs" in families)
        if "retrieval" in families:
            values |= measure.retrieval(points, labels)
        if "clustering" in families:
            values |= measure.clustering(points, labels)
        if "classification" in families:
            values |= self._classify(points, labels, gallery)
        if "detail" in families and has_fine_pairs(held_out):
            assert held_out.fine is not None
            values |= measure.detail(embeddings[0], held_out.fine)
        if len(embeddings) > 1:
            values |= _of_modalities(embeddings, held_out.labels, families)
        return Measured(values, embeddings)

    def _classify(self, points: Tensor, labels: Tensor, gallery: Split) -> dict[str, float]:
        if self._data.class_disjoint:
            return measure.knn_leave_one_out(points, labels)
        assert self._model is not None
        known = _join(embed(self._model, gallery), gallery.labels)
        return measure.classification(*known, points, labels)


def has_both_kinds(labels: Tensor) -> bool:
    """Return whether items [N] have a pair of one class and one of two."""
    sizes = labels.unique(return_counts=True)[1]
    return len(sizes) > 1 and int(sizes.max()) > 1


def has_fine_pairs(split: Split) -> bool:
    """Return whether two items of a split have the same fine label."""
    return split.fine is not None and measure.left_out(split.fine) < len(split.fine)


def _of_modalities(
    embeddings: Sequence[Tensor], labels: Tensor, families: Set[Family]
) -> dict[str, float]:
    """Measure what only paired data have: retrieval between modalities, and each one's geometry."""
    audio, visual = embeddings
    values: dict[str, float] = {}
    if "cross_modal" in families:
        values |= measure.cross_modal(audio, labels, visual, labels)
    if "geometry" in families:
        for name, points in (("audio", audio), ("visual", visual)):
            geometry = measure.geometry(points, labels, all_pairs="all_pairs" in families)
            values |= {f"{name}.{key}": value for key, value in geometry.items()}
    return values


def embedding_batch_size(numbers: int, device: torch.device) -> int:
    """Return how many items of `numbers` numbers each are embedded at a time."""
    return max(1, min(EMBED_BATCH[device.type], MAX_BATCH_NUMBERS // numbers))


@torch.no_grad()
def embed(model: Model, split: Split) -> tuple[Tensor, ...]:
    """Return embeddings [N, D] of each modality, computed in evaluation mode, batch by batch."""
    was_training = model.training
    if was_training:
        model.eval()
    places = torch.arange(len(split), device=split.labels.device)
    size = embedding_batch_size(split.items[0].numel(), places.device)
    parts = []
    for batch in torch.split(places, size):
        parts.append(model(split.take(batch)))
        signs_of_life.sign()
    if was_training:
        model.train()
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
    if split.rows is not None:
        return at_most_items(count, split, seed)
    if len(split) <= count:
        return split
    order = torch.randperm(len(split), generator=stream_generator(seed, "subsets"))
    return split.take(order[:count].sort().values)


class BestEpoch:
    """The weights of the epoch with the highest value of a metric on the validation split: the
    earliest of equal ones, and never epoch 0."""

    def __init__(self, objective: str = OBJECTIVE) -> None:
        self._objective = objective
        self.step = 0
        """Optimiser steps done at the end of that epoch."""
        self._score = float("-inf")
        self._weights: dict[str, Tensor] = {}

    @property
    def score(self) -> float:
        """The objective at that epoch."""
        return self._score

    def offer(self, values: Mapping[str, float], step: int, model: nn.Module) -> None:
        """Keep the model's weights if its validation values are better than all before."""
        score = values.get(self._objective, float("-inf"))
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
