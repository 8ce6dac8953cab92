"""Training steps of K runs at once: batches, losses, gradients, updates, and what is measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from contract.comparison.loss import CosentLoss, Loss, PluginLoss
from contract.comparison.training import Optimizer
from worker.reporting import signs_of_life
from worker.together.center_losses import StackedArcFace, StackedCenterContrastive
from worker.together.labels import LabelRelations
from worker.together.networks import StackedNetworks, StackedWeights, linear_layers
from worker.together.optimizers import StackedOptimizer
from worker.together.pair_losses import StackedContrastive, StackedTriplet
from worker.together.softmax_losses import StackedInfoNce, StackedNPair, StackedSupCon
from worker.together.terms import LossInputs, LossTerms, StackedLoss
from worker.torch_utils import build_optimizer

LOSSES: Final[dict[str, type[StackedLoss[Any]]]] = {
    "contrastive": StackedContrastive,
    "triplet": StackedTriplet,
    "info_nce": StackedInfoNce,
    "sup_con": StackedSupCon,
    "n_pair": StackedNPair,
    "arcface": StackedArcFace,
    "center_contrastive": StackedCenterContrastive,
}
"""Kind of a loss -> the class that computes it for K members."""
RELATION_STEPS: Final = 32
"""Steps whose label relations are found at once, at most."""
RELATION_PAIRS: Final = 2**22
"""Pairs of items in these steps, at most: the relations take some 12 bytes for each, if all are of
one class."""
Numbers = dict[str, float]
"""The numbers of one step of one member, named as `worker.trainer.dynamics` names them, and with
the smallest and the largest squared length of its embeddings, `low` and `high`."""


@dataclass(frozen=True)
class StackMember:
    """What one member brings into the stack, on the device of the items."""

    network: nn.Module
    """Linear layers; goes on to share its weights with the stack."""
    criterion: nn.Module
    """The loss; the same holds for its parameters, if it has some."""
    loss: Loss
    optimizer: Optimizer
    generator: torch.Generator
    """For losses that draw tuples."""


class Stack:
    """K runs that differ in their seeds and in numbers of loss and optimiser, in one computation.

    Nothing passes from one member to another, and no operation rounds by the number of members: a
    member's numbers are the same to the last bit whoever is in the stack with it.
    """

    def __init__(self, members: Sequence[StackMember], items: Tensor, labels: Tensor) -> None:
        """Start from the weights of the members.

        Args:
            members: their kinds of loss and optimiser are the same.
            items: [N, ...] of the training split.
            labels: [N] int64.

        Raises:
            InputError: a network is no stack of linear layers.
        """
        self._members = list(members)
        self._items, self._labels = items, labels
        layers = [linear_layers(member.network) for member in members]
        parameters: list[list[nn.Parameter]] = [
            [
                *(parameter for layer in own for parameter in layer.parameters()),
                *member.criterion.parameters(),
            ]
            for member, own in zip(members, layers, strict=True)
        ]
        self._depth = 2 * len(layers[0])
        self._stacked = StackedWeights(parameters)
        self._own_begin = self._stacked.begins[self._depth]
        self._gradients = torch.zeros_like(self._stacked.values)
        self._bind()
        self._optimizer = StackedOptimizer(
            [member.optimizer for member in members],
            *(self._stacked.values, self._gradients, self._own_begin),
        )
        self._batches = torch.empty(0, len(members), 0, dtype=torch.int64)
        self._relations: LabelRelations | None = None
        self._first = self._next = 0
        """The first step of the relations, and the next one to be taken."""
        self._unread: list[tuple[list[str], Tensor]] = []

    @property
    def size(self) -> int:
        """Number of members K."""
        return len(self._members)

    def begin(self, batches: Tensor) -> None:
        """Set the batches of the next S steps, for example of an epoch.

        Args:
            batches: [S, K, B] indices into the items, on their device.
        """
        self._batches, self._next = batches, 0
        self._relations = None

    @torch.no_grad()
    def take_step(self, *, update_norm: bool = False) -> None:
        """Do one step of every member on the next of its batches, without waiting for a GPU.

        Args:
            update_norm: whether to measure the norm of the update, which copies all weights.
        """
        points, terms = self._forward([member.generator for member in self._members])
        divisor = self._divisor(terms)
        slopes = terms.slopes if divisor is None else terms.slopes / divisor[:, None, None]
        self._networks.backward(slopes)
        if terms.own_slopes is not None:
            assert divisor is not None, "only pairs are balanced"
            torch.div(terms.own_slopes, divisor[:, None, None], out=self._own_gradient)
        squares = points.square().sum(dim=2)
        numbers = {
            # A point that is not finite makes the value NaN, also where it is in no tuple.
            "value": (terms.totals if divisor is None else terms.totals / divisor)
            + points.sum(dim=2).sum(dim=1).mul_(0),
            "anchors": terms.active_anchors,
            "pushing anchors": terms.pushing_anchors,
            "norm": self._norms(self._gradients),
            "norm at embeddings": torch.linalg.vector_norm(
                torch.linalg.vector_norm(slopes, dim=2), dim=1
            ),
            "low": squares.amin(dim=1),
            "high": squares.amax(dim=1),
        }
        optional = {
            "divisor": divisor,
            "trivial": terms.trivial,
            "pull weight": terms.pull_weight,
        }
        numbers |= {name: maybe for name, maybe in optional.items() if maybe is not None}
        for name, part in terms.parts.items():
            fields = zip(("total", "active", "valid"), part, strict=True)
            numbers |= {f"{field} {name}": number for field, number in fields}
        before = self._stacked.values.clone() if update_norm else None
        self._optimizer.step()
        if before is not None:
            size = self._norms(before)
            numbers["update norm"] = self._norms(before.neg_().add_(self._stacked.values)) / size
        self._unread.append((list(numbers), torch.stack(list(numbers.values()))))

    def read(self) -> list[list[Numbers]]:
        """Read the numbers of all steps since the last call, in one transfer from the device; for
        each step those of each member."""
        if not self._unread:
            return []
        rows = torch.cat([numbers.to(torch.float64) for _, numbers in self._unread]).tolist()
        steps: list[list[Numbers]] = []
        for names, _ in self._unread:
            own, rows = rows[: len(names)], rows[len(names) :]
            steps.append([dict(zip(names, seen, strict=True)) for seen in zip(*own, strict=True)])
        self._unread = []
        return steps

    @torch.no_grad()
    def losses(self, generators: Sequence[torch.Generator]) -> list[tuple[float, float, float]]:
        """Compute the losses of all batches that were begun, without a step.

        Args:
            generators: of each member, for losses that draw tuples.

        Returns:
            Of each member the sum over all valid tuples, and how many are active and valid.
        """
        seen = torch.zeros(3, self.size, dtype=torch.float64, device=self._labels.device)
        for _ in range(len(self._batches)):
            signs_of_life.sign()
            _, terms = self._forward(generators)
            for at, fields in enumerate(zip(*terms.parts.values(), strict=True)):
                for field in fields:
                    seen[at] += field
        return [(total, active, valid) for total, active, valid in seen.T.tolist()]

    def keep(self, members: Sequence[int]) -> None:
        """Keep only the members at these places, in this order; all numbers must have been read.
        The others' networks keep their weights."""
        chosen = list(members)
        self._members = [self._members[member] for member in chosen]
        self._stacked.keep(chosen)
        self._gradients = self._gradients[chosen]
        self._optimizer.keep(chosen, self._stacked.values, self._gradients)
        self._batches = self._batches[:, chosen]
        self._relations = None
        self._bind()

    def optimizer_state(self, member: int) -> dict[str, Any]:
        """Return the state of a member's optimiser as torch's own has it."""
        optimizer = self._single_optimizer(member)
        if self._optimizer.steps[member]:
            for at, parameter in enumerate(self._parameters(member)):
                state = self._optimizer.state(member, at, self._stacked)
                optimizer.state[parameter] = state
        return optimizer.state_dict()

    def load_optimizer_state(self, member: int, state: dict[str, Any]) -> None:
        """Go on from a state of torch's own optimiser."""
        optimizer = self._single_optimizer(member)
        optimizer.load_state_dict(state)
        for at, parameter in enumerate(self._parameters(member)):
            self._optimizer.load(member, at, self._stacked, optimizer.state[parameter])

    def _forward(self, generators: Sequence[torch.Generator]) -> tuple[Tensor, LossTerms]:
        """Compute the embeddings of the next batches, and their losses."""
        step = self._next
        self._next += 1
        index = self._batches[step]
        if self._relations is None or step - self._first == len(self._relations.labels):
            pairs = index.numel() * index.shape[1]
            coming = max(1, min(RELATION_STEPS, RELATION_PAIRS // pairs))
            labels = self._labels[self._batches[step : step + coming]]
            self._first, self._relations = step, LabelRelations.from_labels(labels)
        items = self._items.index_select(0, index.flatten()).view(
            *index.shape, *self._items.shape[1:]
        )
        points = self._networks.forward(items)
        relations = self._relations.at(step - self._first)
        own = self._own if self._own_begin < self._stacked.begins[-1] else None
        return points, self._loss.terms(LossInputs(points, relations, own, generators))

    def _bind(self) -> None:
        """Make the views of the present weights and gradients."""
        weights = self._stacked.blocks(self._stacked.values)
        gradients = self._stacked.blocks(self._gradients)
        self._networks = StackedNetworks(
            self._members[0].network, weights[: self._depth], gradients[: self._depth]
        )
        if len(weights) > self._depth:
            self._own, self._own_gradient = weights[self._depth], gradients[self._depth]
        specs = [member.loss for member in self._members]
        self._loss = LOSSES[specs[0].kind](specs, self._labels.device)

    def _divisor(self, terms: LossTerms) -> Tensor | None:
        """Return the divisor of each member's total by the reduction, [K], at least 1; None where
        the total is the value."""
        loss = self._members[0].loss
        assert not isinstance(loss, CosentLoss | PluginLoss), "these are trained alone"
        reduction = loss.reduction
        if reduction == "balanced":
            return None
        column = 1 if reduction == "mean_active" else 2
        counts = torch.stack([part[column] for part in terms.parts.values()]).sum(dim=0)
        divisor = counts.to(torch.float32).clamp_(min=1)
        return torch.ones_like(divisor) if reduction == "sum" else divisor

    def _norms(self, matrix: Tensor) -> Tensor:
        """Return the L2 norm [K] of what belongs to the networks in a matrix [K, P]."""
        norms: Tensor = torch.linalg.vector_norm(matrix[:, : self._own_begin], dim=1)
        return norms

    def _single_optimizer(self, member: int) -> torch.optim.Optimizer:
        own = self._members[member]
        return build_optimizer(own.optimizer, own.network.parameters(), own.criterion.parameters())

    def _parameters(self, member: int) -> list[nn.Parameter]:
        own = self._members[member]
        return [*own.network.parameters(), *own.criterion.parameters()]
