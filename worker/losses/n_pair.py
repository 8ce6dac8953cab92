"""N-pair loss: one positive against one item of every other class.

Sohn 2016, Improved Deep Metric Learning with Multi-class N-pair Loss Objective, for the anchor z_i
and the positive z_i+ of class i:
log(1 + sum over j != i of exp(s (z_i . z_j+ - z_i . z_i+))), on dot products of embeddings as they
are; s is a scale, 1 in the paper.

On unit vectors the mean over C classes is never below log(1 + (C - 1) exp(-s C / (C - 1))): the
loss is convex in its exponents, so at least its value at their mean; and this mean is least,
-s C / (C - 1), where each pair coincides and the classes form a regular simplex around the origin.
"""

import torch
from torch import Tensor
from torch.nn import functional

from contract.comparison.loss import NPairLoss
from worker.losses.base import Loss, Tuples
from worker.losses.batch import Batch
from worker.losses.softmax import softmax_tuples


class NPair(Loss):
    """N-pair loss, with one part, `softmax`.

    Its N tuples are one positive pair of each of the N classes that have one. With fewer than two
    such classes there is no tuple, because a pair has nothing to compete with.

    Args:
        spec: scale and reduction.
    """

    def __init__(self, spec: NPairLoss) -> None:
        super().__init__(spec.reduction, spec)
        self.scale = spec.scale

    def tuples(self, batch: Batch, generator: torch.Generator | None) -> Tuples:
        """Return one tuple for each class; its anchor and its positive are drawn at random."""
        anchors, positives = draw_pairs(batch, generator)
        products = self.scale * (batch.anchors[anchors] @ batch.others[positives].T)
        own = torch.arange(len(anchors), device=products.device)
        valid = torch.full_like(own, len(own) > 1, dtype=torch.bool)
        if not len(own):  # the mean of no rows has no gradient; their sum has one, which is 0
            return softmax_tuples(batch.anchors[anchors].sum(dim=1), valid, 1)
        losses = functional.cross_entropy(products, own, reduction="none")
        return softmax_tuples(losses, valid, len(own))


def draw_pairs(batch: Batch, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Draw an anchor and a positive of every class that has both; indices [N] each, by class."""
    order, classes, sizes = _shuffled_by_class(batch.labels, generator)
    first = sizes.cumsum(0) - sizes
    if batch.against_itself:
        paired = first[sizes > 1]
        return order[paired], order[paired + 1]
    others, other_classes, other_sizes = _shuffled_by_class(batch.other_labels, generator)
    other_first = other_sizes.cumsum(0) - other_sizes
    return (
        order[first[torch.isin(classes, other_classes)]],
        others[other_first[torch.isin(other_classes, classes)]],
    )


def _shuffled_by_class(
    labels: Tensor, generator: torch.Generator | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return item indices [B] class by class, in random order within each, and the classes and
    their sizes [C]."""
    # Drawn on the CPU, so that a generator in one state draws the same on every device.
    shuffled = torch.randperm(len(labels), generator=generator).to(labels.device)
    classes, sizes = labels.unique(return_counts=True)
    return shuffled[labels[shuffled].argsort(stable=True)], classes, sizes
