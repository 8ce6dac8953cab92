"""When the held-out items are measured: embed them, then every measure on the embeddings."""

from typing import Final

import torch
from torch import Tensor, nn

from contract.metrics import TEST_PREFIX
from worker import measure
from worker.data import Dataset, Split
from worker.errors import NotFiniteError
from worker.trainer.seeds import generator

VALIDATION_ITEMS: Final = 5_000
GALLERY_ITEMS: Final = 10_000
EMBED_BATCH: Final = 1024


class Evaluation:
    """Measures of one encoder on one data set.

    During training the validation split, at most 5,000 items, with at most 10,000 training items
    as the kNN gallery; the whole test split once, with the whole training split. Which items are
    left out follows the data's seed, so it is the same for every arm and seed.
    """

    def __init__(self, data: Dataset, encoder: nn.Module, *, data_seed: int) -> None:
        self._data = data
        self._encoder = encoder
        self._validation = _at_most(VALIDATION_ITEMS, data.validation, data_seed)
        self._gallery = _at_most(GALLERY_ITEMS, data.train, data_seed)

    @property
    def caveats(self) -> list[str]:
        """Lines that say what is left out of the measures."""
        lines = [
            f"during training {len(kept.labels)} of {len(whole.labels)} {name} are used"
            for name, kept, whole in (
                ("validation items", self._validation, self._data.validation),
                ("training items, as the kNN gallery,", self._gallery, self._data.train),
            )
            if len(kept.labels) < len(whole.labels)
        ]
        for name, split in (("validation", self._validation), ("test", self._data.test)):
            for kind, labels in (("class", split.labels), ("fine class", split.fine)):
                alone = 0 if labels is None else measure.left_out(labels)
                if alone:
                    lines.append(
                        f"{alone} of {len(split.labels)} {name} items are the only ones of their "
                        f"{kind} and no queries: nothing else could be found for them"
                    )
        return lines

    def validation(self) -> dict[str, float]:
        """Every measure on the validation split, by metric key.

        Raises:
            NotFiniteError: the encoder's weights are broken.
        """
        return self._measure(self._validation, self._gallery)

    def test(self) -> dict[str, float]:
        """Every measure on the test split, by metric key with its prefix."""
        values = self._measure(self._data.test, self._data.train)
        return {f"{TEST_PREFIX}{key}": value for key, value in values.items()}

    def _measure(self, held_out: Split, gallery: Split) -> dict[str, float]:
        embeddings = embed(self._encoder, held_out.items)
        if not embeddings.isfinite().all():
            raise NotFiniteError("the embeddings are no finite numbers any more")
        values = {
            **measure.geometry(embeddings, held_out.labels),
            **measure.retrieval(embeddings, held_out.labels),
            **measure.classification(
                embed(self._encoder, gallery.items), gallery.labels, embeddings, held_out.labels
            ),
            **measure.clustering(embeddings, held_out.labels),
        }
        if held_out.fine is not None and measure.left_out(held_out.fine) < len(held_out.fine):
            values |= measure.detail(embeddings, held_out.fine)
        return values


@torch.no_grad()
def embed(encoder: nn.Module, items: Tensor) -> Tensor:
    """Embeddings [N, D] of items [N, ...], in evaluation mode, batch by batch."""
    was_training = encoder.training
    encoder.eval()
    embeddings = torch.cat([encoder(batch) for batch in torch.split(items, EMBED_BATCH)])
    encoder.train(was_training)
    return embeddings


def _at_most(count: int, split: Split, seed: int) -> Split:
    if len(split.labels) <= count:
        return split
    order = torch.randperm(len(split.labels), generator=generator(seed, "subsets"))
    kept = order[:count].sort().values.to(split.labels.device)
    fine = None if split.fine is None else split.fine[kept]
    return Split(split.items[kept], split.labels[kept], fine)
