"""Steps of all seeds of an arm at once: each seed's batch, loss, gradient, update and dynamics."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from contract.comparison.loss import ContrastiveLoss, Loss, TripletLoss
from contract.comparison.training import Optimizer
from worker.batched.label_relations import Kin
from worker.batched.stacked_networks import Stack
from worker.batched.tuple_losses import KINDS, squared_distances
from worker.errors import InputError
from worker.trainer import dynamics, model


def covers(loss: Loss) -> bool:
    """Whether seeds can be trained together with this loss."""
    if not isinstance(loss, ContrastiveLoss | TripletLoss):
        return False
    return loss.distance == "euclidean" and loss.selection == "all"


class Together:
    """K seeds of one arm. Each learns what it would alone, but for rounding: nothing passes from
    one to another, so that one that diverges leaves the others as they are."""

    def __init__(
        self,
        networks: Sequence[nn.Module],
        loss: Loss,
        optimizer: Optimizer,
        items: Tensor,
        labels: Tensor,
    ) -> None:
        """Start from networks' weights.

        Args:
            networks: one a seed, with its initial weights, on the items' device.
            loss: of the arm.
            optimizer: of the arm; all of them work by element, so that one does for all seeds.
            items: [N, F] float32, the training split's features.
            labels: [N] integers.

        Raises:
            InputError: `covers` is False, or the networks are no stack of linear layers.
        """
        if not isinstance(loss, ContrastiveLoss | TripletLoss) or not covers(loss):
            raise InputError(f"loss: seeds are not trained together with {loss}")
        self.step = 0
        """Steps done, of each seed."""
        self._stack = Stack(networks)
        self._optimizer = model.build(optimizer, [self._stack.weights])
        self._loss, self._found = loss, KINDS[loss.kind]
        self._items, self._labels = items, labels
        self._names: dict[int, list[str]] = {}
        self._unread: list[Tensor] = []
        self._index, self._kin, self._next = torch.empty(0), Kin.of(labels[None, None, :1]), 0

    def begin(self, batches: Tensor) -> None:
        """Take the batches of the next steps, e.g. of an epoch.

        Args:
            batches: [S, K, B] indices into the items, on their device.
        """
        self._index, self._next = batches, 0
        self._kin = Kin.of(self._labels[batches])

    @torch.no_grad()
    def take_step(self, *, update_norm: bool = False) -> None:
        """One step of every seed, on the next of its batches. Waits for no GPU."""
        index, kin = self._index[self._next], self._kin.at(self._next)
        self._next += 1
        self.step += 1
        items = self._items.index_select(0, index.flatten()).view(*index.shape, -1)
        points = self._stack.forward(items)
        # The gradient knows differences only, and an offset would cancel badly.
        centred = points - points.mean(dim=1, keepdim=True)
        found = self._found(squared_distances(centred), kin, self._loss.margin)
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
        """The dynamics of the steps since the last time, in one transfer: for each step those of
        each seed, by metric key, as `worker.trainer.dynamics.read_numbers` gives them for one."""
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
                    dynamics.values_of(dict(zip(names, seen, strict=True)))
                    for seen in zip(*own, strict=True)
                ]
            )
        return steps

    def copy_to(self, networks: Sequence[nn.Module]) -> None:
        """Give networks, one a seed, the weights."""
        self._stack.copy_to(networks)

    def _divisor(self, active: Tensor, valid: Tensor) -> Tensor:
        """[K] by the reduction, at least 1."""
        counts = active if self._loss.reduction == "mean_active" else valid
        divisor = counts.clamp(min=1).to(torch.float32)
        return torch.ones_like(divisor) if self._loss.reduction == "sum" else divisor
