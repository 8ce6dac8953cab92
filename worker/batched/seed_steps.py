"""Training steps of all seeds of an arm at once: batches, losses, gradients, updates, dynamics."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from contract.comparison.loss import ContrastiveLoss, Loss, TripletLoss
from contract.comparison.training import Optimizer
from worker.batched.stacked_networks import StackedNetworks
from worker.batched.tuple_losses import LOSS_FUNCTIONS, LabelRelations, squared_distances
from worker.errors import InputError
from worker.torch_utils import build_optimizer
from worker.trainer import dynamics


def can_batch(loss: Loss) -> bool:
    """Return whether the seeds of an arm with this loss can be trained in one computation: the
    triplet and the contrastive loss over all tuples, the latter in its plain form."""
    if not isinstance(loss, ContrastiveLoss | TripletLoss):
        return False
    if isinstance(loss, ContrastiveLoss) and (
        loss.reduction == "balanced" or loss.positive_margin or loss.hinge != "squared"
    ):
        return False
    return loss.distance == "euclidean" and loss.selection == "all"


class BatchedSeeds:
    """K seeds of one arm, trained in one computation.

    Each seed learns what it would learn alone, except for rounding. Nothing passes from one seed to
    another, so a seed that diverges does not change the others.
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        loss: Loss,
        optimizer: Optimizer,
        items: Tensor,
        labels: Tensor,
    ) -> None:
        """Start from the weights of networks.

        Args:
            networks: one for each seed, with its initial weights, on the device of the items.
            loss: the loss of the arm.
            optimizer: the optimiser of the arm. All of them work element by element, so a single
                one serves all seeds.
            items: [N, F] float32, the features of the training split.
            labels: [N] integers.

        Raises:
            InputError: `can_batch` is False, or a network is no stack of linear layers.
        """
        if not isinstance(loss, ContrastiveLoss | TripletLoss) or not can_batch(loss):
            raise InputError(f"loss: seeds are not trained together with {loss}")
        self.step = 0
        """Number of steps done; the same for each seed."""
        self._stack = StackedNetworks(networks)
        self._optimizer = build_optimizer(optimizer, [self._stack.weights])
        self._loss, self._found = loss, LOSS_FUNCTIONS[loss.kind]
        self._items, self._labels = items, labels
        self._names: dict[int, list[str]] = {}
        self._unread: list[Tensor] = []
        self._index, self._relations, self._next = (
            torch.empty(0),
            LabelRelations.from_labels(labels[None, None, :1]),
            0,
        )

    def begin(self, batches: Tensor) -> None:
        """Set the batches of the next S steps, for example of an epoch.

        Args:
            batches: [S, K, B] indices into the items, on their device.
        """
        self._index, self._next = batches, 0
        self._relations = LabelRelations.from_labels(self._labels[batches])

    @torch.no_grad()
    def take_step(self, *, update_norm: bool = False) -> None:
        """Do one step of every seed on the next of its batches, without waiting for a GPU."""
        index, relations = self._index[self._next], self._relations.at(self._next)
        self._next += 1
        self.step += 1
        items = self._items.index_select(0, index.flatten()).view(*index.shape, -1)
        points = self._stack.forward(items)
        # The gradient depends on differences only, and an offset would cancel badly.
        centred = points - points.mean(dim=1, keepdim=True)
        found = self._found(squared_distances(centred), relations, self._loss.margin)
        totals, active, valid = (sum(of) for of in zip(*found.parts.values(), strict=True))
        divisor = self._divisor(active, valid)
        pulls = torch.baddbmm(
            found.slopes.sum(dim=2, keepdim=True) * centred, found.slopes, centred, alpha=-1
        ).mul_((2 / divisor)[:, None, None])
        self._stack.backward(pulls)
        numbers = {
            "divisor": divisor,
            "value": totals / divisor,
            "anchors": found.active_anchors,
            "pushing anchors": found.pushing_anchors,
            "trivial": found.trivial,
            "norm": self._stack.gradient_norms(),
            "norm at embeddings": torch.linalg.vector_norm(pulls.flatten(1), dim=1),
        }
        for name, part in found.parts.items():
            fields = zip(("total", "active", "valid"), part, strict=True)
            numbers |= {f"{field} {name}": number for field, number in fields}
        before = self._stack.weights.detach().clone() if update_norm else None
        self._optimizer.step()
        if before is not None:
            numbers["update norm"] = self._stack.update_norms(before)
        self._names[len(numbers)] = list(numbers)
        self._unread.append(torch.stack(list(numbers.values())))

    def read(self) -> list[list[dict[str, float]]]:
        """Read the dynamics of all steps since the last call, in one transfer from the device.

        Returns:
            For each step and each seed its values by metric key, as
            `worker.trainer.dynamics.read_values` gives them for a single seed.
        """
        if not self._unread:
            return []
        sizes = [len(numbers) for numbers in self._unread]
        rows = torch.cat(self._unread).tolist()
        self._unread = []
        steps = []
        for size in sizes:
            own, rows = rows[:size], rows[size:]
            names = self._names[size]
            steps.append(
                [
                    dynamics.step_values(dict(zip(names, seen, strict=True)))
                    for seen in zip(*own, strict=True)
                ]
            )
        return steps

    def copy_to(self, networks: Sequence[nn.Module]) -> None:
        """Copy the weights into networks, one for each seed."""
        self._stack.copy_to(networks)

    def _divisor(self, active: Tensor, valid: Tensor) -> Tensor:
        """Return the divisor of each seed's total by the reduction, [K], at least 1."""
        counts = active if self._loss.reduction == "mean_active" else valid
        divisor = counts.clamp(min=1).to(torch.float32)
        return torch.ones_like(divisor) if self._loss.reduction == "sum" else divisor
