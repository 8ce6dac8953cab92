"""When the held-out items are measured: embed them, then every measure on the embeddings."""

from collections.abc import Iterable, Sequence
from typing import Final

import torch
from torch import Tensor

from contract.metrics import TEST_PREFIX
from worker import measure
from worker.data import Dataset, Split
from worker.errors import NotFiniteError
from worker.torch_utils.random_streams import generator
from worker.trainer.model import Model

VALIDATION_ITEMS: Final = 5_000
GALLERY_ITEMS: Final = 10_000
EMBED_BATCH: Final = {"cpu": 256, "cuda": 1024}
"""Items that are embedded at a time, by device: a CPU's caches hold less."""
EMBED_NUMBERS: Final = 16_000_000
"""Of the items of a batch, at most: large images go in smaller batches."""


class Evaluation:
    """Measures of one model on one data set.

    During training the validation split, at most 5,000 items, with at most 10,000 training items
    as the kNN gallery; the whole test split once, with the whole training split. Which items are
    left out follows the data's seed, so it is the same for every arm and seed.
    """

    def __init__(self, data: Dataset, model: Model, *, data_seed: int) -> None:
        self._data = data
        self._model = model
        self._validation = _at_most(VALIDATION_ITEMS, data.validation, data_seed)
        self._gallery = _at_most(GALLERY_ITEMS, data.train, data_seed)

    @property
    def caveats(self) -> list[str]:
        """Lines that say what is left out of the measures."""
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
        """Every measure on the validation split, by metric key.

        Raises:
            NotFiniteError: the model's weights are broken.
        """
        return self._measure(self._validation, self._gallery)

    def test(self) -> dict[str, float]:
        """Every measure on the test split, by metric key with its prefix."""
        values = self._measure(self._data.test, self._data.train)
        return {f"{TEST_PREFIX}{key}": value for key, value in values.items()}

    def _measure(self, held_out: Split, gallery: Split) -> dict[str, float]:
        embeddings = embed(self._model, held_out)
        if not all(own.isfinite().all() for own in embeddings):
            raise NotFiniteError("the embeddings are no finite numbers any more")
        together, labels = _together(embeddings, held_out.labels)
        values = {
            **measure.geometry(together, labels),
            **measure.retrieval(together, labels),
            **measure.clustering(together, labels),
        }
        if self._data.class_disjoint:
            values |= measure.knn_leave_one_out(together, labels)
        else:
            known = _together(embed(self._model, gallery), gallery.labels)
            values |= measure.classification(*known, together, labels)
        if held_out.fine is not None and measure.left_out(held_out.fine) < len(held_out.fine):
            values |= measure.detail(embeddings[0], held_out.fine)
        if len(embeddings) > 1:
            values |= _across(embeddings, held_out.labels)
        return values


def _across(embeddings: Sequence[Tensor], labels: Tensor) -> dict[str, float]:
    """What only two modalities have: retrieval from one to the other, the geometry of each."""
    audio, visual = embeddings
    values = measure.cross_modal(audio, labels, visual, labels)
    for name, own in (("audio", audio), ("visual", visual)):
        geometry = measure.geometry(own, labels)
        values |= {f"{name}.{key}": value for key, value in geometry.items()}
    return values


def embedded_at_once(numbers: int, device: torch.device) -> int:
    """How many items of so many numbers each are embedded at a time."""
    return max(1, min(EMBED_BATCH[device.type], EMBED_NUMBERS // numbers))


@torch.no_grad()
def embed(model: Model, split: Split) -> tuple[Tensor, ...]:
    """Embeddings [N, D] of each modality, in evaluation mode, batch by batch."""
    was_training = model.training
    model.eval()
    places = torch.arange(len(split), device=split.labels.device)
    size = embedded_at_once(split.items[0].numel(), places.device)
    parts = [model(split.take(batch)) for batch in torch.split(places, size)]
    model.train(was_training)
    return tuple(torch.cat(own) for own in zip(*parts, strict=True))


def points_of(model: Model, split: Split) -> Tensor:
    """The items of all modalities as points [N, D] of their one space, a modality after the
    other."""
    return torch.cat(embed(model, split))


def _together(embeddings: Iterable[Tensor], labels: Tensor) -> tuple[Tensor, Tensor]:
    """All modalities' embeddings as points of their one space, with their labels."""
    own = tuple(embeddings)
    return torch.cat(own), labels.repeat(len(own))


def _at_most(count: int, split: Split, seed: int) -> Split:
    if len(split) <= count:
        return split
    order = torch.randperm(len(split), generator=generator(seed, "subsets"))
    return split.take(order[:count].sort().values)
