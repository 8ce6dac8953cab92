"""The base class of losses on tuples that the data give."""

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from contract.comparison.data import TupleShape
from worker.losses.base import LossOutput, Reduced, Tuples, as_points, without_autocast
from worker.losses.given.batch import TupleBatch
from worker.torch_utils import as_labels, as_tensor


class TupleLoss(Reduced):
    """Base class of the losses on given tuples; a subclass implements `tuples`."""

    def forward(
        self,
        embeddings: Tensor | ArrayLike,
        groups: Tensor | ArrayLike,
        places: Tensor | ArrayLike,
        *,
        shape: TupleShape,
        same: Tensor | ArrayLike | None = None,
        scores: Tensor | ArrayLike | None = None,
        check_values: bool = True,
    ) -> LossOutput:
        """Compute the loss of a batch of tuples, in float32 or float64 as `worker.losses.Loss`.

        Args:
            embeddings: [N, D] floats of the items of the batch.
            groups: [N] integers; items of one group belong together and are never negatives of
                each other.
            places: [R, 2] or, of triplets, [R, 3] places of the items of each tuple.
            shape: of the tuples.
            same: [R] bool, whether a labelled pair belongs together.
            scores: [R] scores of scored pairs.
            check_values: whether to refuse embeddings that are not finite and places out of range.

        Returns:
            The value to backpropagate and the counts of valid and active tuples.

        Raises:
            InputError: an argument has a wrong shape, type or value; the message names it.
        """
        batch = TupleBatch(
            shape,
            as_points(embeddings, "embeddings"),
            as_labels(groups, "groups"),
            as_labels(places, "places"),
            None if same is None else as_tensor(same, "same").to(torch.bool),
            None if scores is None else as_tensor(scores, "scores"),
        )
        batch.check(values=check_values)
        with without_autocast(batch.points.device.type):
            return self.reduced(self.tuples(batch))

    def tuples(self, batch: TupleBatch) -> Tuples:
        """Return the loss of a checked batch before the reduction; subclasses implement this."""
        raise NotImplementedError
