"""Small stacks of members, and the same members trained alone with autograd."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import TypeAdapter
from torch import Tensor

from contract.comparison.encoder import MlpEncoder, Resnet18Encoder
from contract.comparison.loss import Loss
from contract.comparison.training import AdamOptimizer, Optimizer
from worker import encoders, losses
from worker.together import Numbers, Stack, StackMember
from worker.torch_utils import build_optimizer, stream_generator, stream_seed
from worker.trainer import dynamics

ITEMS, FEATURES, CLASSES, BATCH = 120, 12, 5, 24
HIDDEN = MlpEncoder(embedding_dim=6, hidden=10, layers=1)
LINEAR = Resnet18Encoder(embedding_dim=6)
RAW = Resnet18Encoder(embedding_dim=6, normalize=False)
ADAM: Optimizer = AdamOptimizer(lr=3e-3)


@dataclass(frozen=True)
class Setting:
    """What one member trains with."""

    loss: dict[str, Any]
    seed: int = 0
    encoder: Any = HIDDEN
    optimizer: Optimizer = ADAM
    features: int = FEATURES
    batch: int = BATCH

    @property
    def spec(self) -> Loss:
        """The loss, checked."""
        found: Loss = TypeAdapter(Loss).validate_python(self.loss)
        return found

    def member(self) -> StackMember:
        """Build the untrained member."""
        torch.manual_seed(stream_seed(self.seed, "encoder"))
        network = encoders.build(self.encoder, (self.features,))
        torch.manual_seed(stream_seed(self.seed, "loss"))
        dim = self.encoder.embedding_dim
        criterion = losses.build(self.spec, classes=CLASSES, dim=dim)
        generator = stream_generator(self.seed, "tuples")
        return StackMember(network, criterion, self.spec, self.optimizer, generator)

    def batches(self, steps: int) -> Tensor:
        """Return batches [S, B], which depend on the seed alone."""
        rng = torch.Generator().manual_seed(self.seed)
        order = [torch.randperm(ITEMS, generator=rng)[: self.batch] for _ in range(steps)]
        return torch.stack(order)


def data(features: int = FEATURES) -> tuple[Tensor, Tensor]:
    """Return features and labels of overlapping classes."""
    rng = torch.Generator().manual_seed(1)
    labels = torch.arange(ITEMS) % CLASSES
    centres = torch.randn(CLASSES, features, generator=rng)
    return centres[labels] + torch.randn(ITEMS, features, generator=rng), labels


def stack_of(settings: Sequence[Setting], steps: int) -> Stack:
    """Return a stack that has begun its batches."""
    items, labels = data(settings[0].features)
    stack = Stack([setting.member() for setting in settings], items, labels)
    stack.begin(torch.stack([setting.batches(steps) for setting in settings], dim=1))
    return stack


def take(stack: Stack, steps: int) -> list[list[Numbers]]:
    """Take steps; return the numbers of each member, step by step."""
    for step in range(1, steps + 1):
        stack.take_step(update_norm=step % 10 == 0)
    read = stack.read()
    assert len(read) == steps
    return [[of_step[member] for of_step in read] for member in range(stack.size)]


def train_alone(setting: Setting, steps: int) -> list[dict[str, float]]:
    """Train one member with autograd; return its dynamics by step."""
    items, labels = data(setting.features)
    member = setting.member()
    weights = list(member.network.parameters())
    optimizer = build_optimizer(setting.optimizer, weights, member.criterion.parameters())
    series = []
    for step, index in enumerate(setting.batches(steps), 1):
        optimizer.zero_grad()
        embeddings: Tensor = member.network(items[index])
        embeddings.retain_grad()
        output = member.criterion(
            embeddings, labels[index], generator=member.generator, check_values=False
        )
        output.value.backward()
        numbers = dynamics.optimizer_step(
            *(optimizer, dynamics.step_numbers(output, [embeddings], weights), weights),
            with_update_norm=step % 10 == 0,
        )
        series += dynamics.read_values([numbers])
    return series
