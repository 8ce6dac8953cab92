"""Data sets: a `Pool` as a loader returns it, and a `Dataset` as tensors in three splits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import torch
from torch import Tensor

from contract.comparison.data.kinds import Background
from worker.data.splits import Indices
from worker.data.tuples import TupleRows, TupleTable


@dataclass(frozen=True)
class ImageFiles:
    """Images in files, one for each item, that are decoded once their size is known."""

    paths: tuple[Path, ...]
    background: Background = "none"
    """What transparent parts are laid on; with `none` transparency is dropped."""

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, index: "np.ndarray | Sequence[int]") -> "ImageFiles":
        """Return the files at these indices."""
        return replace(self, paths=tuple(self.paths[i] for i in index))


SPLITS: Final = ("train", "validation", "test")
SHOWN_CHARACTERS: Final = 240
"""Characters of a text that are kept with snapshots and embeddings."""


@dataclass(frozen=True)
class Texts:
    """Texts, one for each item, which an encoder's tokenizer reads."""

    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, index: "np.ndarray | Sequence[int]") -> "Texts":
        """Return the texts at these indices."""
        return Texts(tuple(self.texts[i] for i in index))

    @property
    def beginnings(self) -> tuple[str, ...]:
        """What pages and tables show of texts, which may be long."""
        return tuple(
            text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
            for text in self.texts
        )


Images: TypeAlias = Tensor | ImageFiles
Items: TypeAlias = Images | Texts
"""Images [N, C, H, W] uint8, which encoders scale to 0 to 1; other items [N, ...] float32; image
files, which are decoded at the size that an encoder needs; or texts."""


@dataclass(frozen=True)
class Split:
    """Items of one split."""

    items: Tensor
    """[N, ...] uint8 images, tokens of texts as int32 or other items as float32; of paired data the
    audio modality."""
    labels: Tensor
    """[N] int64, 0 to classes - 1."""
    fine: Tensor | None = None
    """[N] int64 labels that divide the classes further and that no loss sees; None where there are
    none. Of paired data they belong to the audio items."""
    visual: Tensor | None = None
    """[N, ...] the second modality of paired data; row i belongs to row i of the items."""
    rows: TupleRows | None = None
    """The tuples of items, where data come as tuples; the labels are then groups."""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: Tensor) -> "Split":
        """Return the items at these indices, on the same device; without tuples."""
        index = index.to(self.labels.device)
        return self._each(lambda tensor: tensor[index])

    @property
    def examples(self) -> int:
        """What batches are drawn from: the number of tuples, or else of items."""
        return len(self) if self.rows is None else len(self.rows)

    @property
    def drawn_by(self) -> Tensor:
        """[examples] the label by which a sampler draws: of an item its class, of a tuple the group
        of its anchor."""
        return self.labels if self.rows is None else self.labels[self.rows.places[:, 0]]

    def batch(self, index: Tensor) -> "Split":
        """Return a batch: the items at these indices, or the tuples at them with their items."""
        if self.rows is None:
            return self.take(index)
        items, rows = self.rows.take(index).compact()
        return replace(self.take(items), rows=rows)

    def to(self, device: torch.device) -> "Split":
        """Return the same items on a device."""
        moved = self._each(lambda tensor: tensor.to(device))
        return moved if self.rows is None else replace(moved, rows=self.rows.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Split":
        return Split(
            change(self.items),
            change(self.labels),
            None if self.fine is None else change(self.fine),
            None if self.visual is None else change(self.visual),
        )


@dataclass(frozen=True)
class Dataset:
    """Three splits that share no item: train to learn, validation to pick the best epoch, test to
    be read at the end, when all is chosen."""

    train: Split
    validation: Split
    test: Split
    classes: int
    """Number of classes: one more than the largest label."""
    class_disjoint: bool = False
    """Whether no class of the test split is in train."""

    @property
    def sizes(self) -> dict[str, int]:
        """Items of each split, or tuples of data that come as tuples."""
        return {
            "train": self.train.examples,
            "validation": self.validation.examples,
            "test": self.test.examples,
        }

    @property
    def item_shape(self) -> tuple[int, ...]:
        """Shape of one item."""
        return tuple(self.train.items.shape[1:])

    @property
    def visual_shape(self) -> tuple[int, ...] | None:
        """Shape of one visual item of paired data."""
        return None if self.train.visual is None else tuple(self.train.visual.shape[1:])

    def to(self, device: torch.device) -> "Dataset":
        """Return the same splits on a device."""
        return replace(
            self,
            train=self.train.to(device),
            validation=self.validation.to(device),
            test=self.test.to(device),
        )


@dataclass(frozen=True)
class Scale:
    """How items were standardised: (item - mean) / deviation."""

    mean: Tensor
    """Float64 [F], or [] where all numbers of an item have one mean."""
    deviation: Tensor
    """The same shape, above 0."""


@dataclass(frozen=True)
class Pool:
    """All items of a data set, and which of them are in which split."""

    items: Items
    labels: Tensor
    """[N] int64, 0 to classes - 1."""
    indices: Indices
    fine: Tensor | None = None
    """[N] int64 labels that divide the classes further; None where there are none."""
    visual: Items | None = None
    """The second modality of paired data; item i belongs to item i of the first."""
    class_disjoint: bool = False
    """Whether no class of the test split is in train."""
    class_names: tuple[str, ...] | None = None
    """Names of the labels 0, 1, 2, ...; None where only the labels are known."""
    fine_names: tuple[str, ...] | None = None
    """The same of the fine labels."""
    recordings: tuple[Path, ...] | None = None
    """Wav files of the items, to be played on the pages."""
    scales: tuple[Scale | None, ...] = ()
    """How the items of each modality were standardised; None, or nothing at all, if they were not.
    """
    tuples: TupleTable | None = None
    """The tuples of data that come as tuples; their labels are groups, the items that positive
    pairs link."""

    def dataset(self, items: Tensor | None = None, visual: Tensor | None = None) -> Dataset:
        """Return the three splits as tensors.

        Args:
            items: [N, ...] tensors that replace the items, decoded images, tokens or features of
                them; by default the items themselves.
            visual: [N, ...], the same for the second modality.

        Raises:
            TypeError: the items are files or texts and nothing replaces them.
        """
        first = self.items if items is None else items
        second = self.visual if visual is None else visual
        if isinstance(first, ImageFiles | Texts) or isinstance(second, ImageFiles | Texts):
            raise TypeError("files have to be decoded first, and texts to be read by a tokenizer")
        whole = Split(first, self.labels, self.fine, second)
        train, validation, test = (
            self._split(whole, name, getattr(self.indices, name)) for name in SPLITS
        )
        return Dataset(train, validation, test, int(self.labels.max()) + 1, self.class_disjoint)

    def _split(self, whole: Split, name: str, index: np.ndarray) -> Split:
        own = whole.take(torch.from_numpy(np.ascontiguousarray(index)))
        if self.tuples is None:
            return own
        rows = self.tuples.part(name)
        places = np.searchsorted(index, rows.places.numpy())
        return replace(own, rows=replace(rows, places=torch.from_numpy(places)))

    def with_parts(self, parts: np.ndarray) -> "Pool":
        """Return the same tuples in other splits, each with the items of its tuples.

        Args:
            parts: [R] `train`, `validation` or `test` of each tuple; any other word for none.
        """
        assert self.tuples is not None, "of data that come as tuples"
        table = replace(self.tuples, parts=parts)
        indices = Indices(*(table.part(name).compact()[0].numpy() for name in SPLITS))
        return replace(self, tuples=table, indices=indices)
