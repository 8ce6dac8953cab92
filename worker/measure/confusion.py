"""Which classes are confused: the class of each item's nearest other item."""

from typing import NamedTuple

import torch
from torch import Tensor

from worker.measure.inputs import check_embeddings
from worker.measure.neighbours import nearest_neighbours
from worker.measure.retrieval import relevant_items
from worker.torch_utils import as_labels


class Confusions(NamedTuple):
    """How often items of one class have their nearest neighbour in another.

    An item is left out if no other has its class, as in retrieval; so the hits over all items are
    `retrieval.recall_at_1`.
    """

    labels: Tensor
    """[C] labels that occur, rising."""
    items: Tensor
    """[C] items of each class that were asked; 0 for a class of one item."""
    pairs: Tensor
    """[P, 3] class, class of the nearest neighbour, items; places in `labels`. Every pair that
    occurs, also of a class with itself, in no order that means anything."""


@torch.no_grad()
def nearest_others(embeddings: Tensor) -> Tensor:
    """Return the index [N] of each item's nearest other item, by Euclidean distance.

    Of items at the same distance the one that comes first counts, as in all retrieval.

    Args:
        embeddings: [N, D] float32 or float64, finite, N at least 2.
    """
    parts = nearest_neighbours(embeddings, embeddings, 1, leave_self_out=True)
    return torch.cat([part[:, 0] for _, part in parts])


def confusions(labels: Tensor, nearest: Tensor) -> Confusions:
    """Count the classes of nearest neighbours.

    Args:
        labels: [N] integers.
        nearest: [N] as `nearest_others` returns it.
    """
    labels = as_labels(labels, "labels")
    known, places = labels.unique(return_inverse=True)
    asked = relevant_items(labels, labels) > 1
    own, other = places[asked], places[nearest][asked]
    items = torch.bincount(own, minlength=len(known))
    codes, counts = (own * len(known) + other).unique(return_counts=True)
    pairs = torch.stack([codes // len(known), codes % len(known), counts], dim=1)
    return Confusions(known, items, pairs)


def confusion_of(embeddings: Tensor, labels: Tensor) -> Confusions:
    """Count the classes of the nearest neighbours of embeddings.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
    """
    embeddings, labels = check_embeddings(embeddings, labels)
    return confusions(labels, nearest_others(embeddings))
