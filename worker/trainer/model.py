"""What is trained: one encoder, or two that map two modalities into one space.

The optimisers that a spec can name.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from contract.comparison.spec import ComparisonSpec
from contract.comparison.training import (
    AdamOptimizer,
    AdamWOptimizer,
    Optimizer,
    Precision,
    SgdOptimizer,
)
from worker import encoders
from worker.data import Dataset, Split
from worker.losses import Loss, LossOutput, two_ways
from worker.reporting.progress import Progress
from worker.settings import datasets_folder


class Model(nn.Module):
    """The encoder of each modality."""

    def __init__(self, encoders: Sequence[nn.Module], precision: Precision = "float32") -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)
        self._autocast = precision == "bfloat16"

    def forward(self, batch: Split) -> tuple[Tensor, ...]:
        """Embeddings [B, D] float32 of each modality of a batch."""
        items = (batch.items,) if batch.visual is None else (batch.items, batch.visual)
        device = batch.items.device.type
        with torch.autocast(device, torch.bfloat16, enabled=self._autocast):
            embeddings = [encoder(own) for encoder, own in zip(self.encoders, items, strict=True)]
        return tuple(own.to(torch.float32) for own in embeddings)


def model_of(spec: ComparisonSpec, data: Dataset, progress: Progress) -> Model:
    """The untrained model of a spec for these data; weights it names may be fetched."""
    folder = datasets_folder()
    built = [encoders.build(spec.encoder, data.item_shape, folder=folder, progress=progress)]
    if spec.visual_encoder is not None and data.visual_shape is not None:
        built.append(
            encoders.build(spec.visual_encoder, data.visual_shape, folder=folder, progress=progress)
        )
    return Model(built, spec.training.precision)


def loss_of(
    loss: Loss,
    embeddings: Sequence[Tensor],
    labels: Tensor,
    generator: torch.Generator,
) -> LossOutput:
    """The loss of a model's embeddings: within one modality, or across two in both directions.

    Their values are not checked, for which a GPU would be waited for: what is not finite shows in
    the loss.
    """
    if len(embeddings) == 1:
        return loss(embeddings[0], labels, generator=generator, check_values=False)  # type: ignore[no-any-return]
    audio, visual = embeddings
    return two_ways(loss, audio, visual, labels, generator=generator, check_values=False)


Parameters = Iterable[nn.Parameter]


def _adam(spec: Optimizer, parameters: Parameters) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=spec.lr, weight_decay=spec.weight_decay)


def _adamw(spec: Optimizer, parameters: Parameters) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=spec.lr, weight_decay=spec.weight_decay)


def _sgd(spec: Optimizer, parameters: Parameters) -> torch.optim.Optimizer:
    assert isinstance(spec, SgdOptimizer)
    return torch.optim.SGD(
        parameters, lr=spec.lr, weight_decay=spec.weight_decay, momentum=spec.momentum
    )


OPTIMIZERS: Final[
    dict[type[Optimizer], Callable[[Optimizer, Parameters], torch.optim.Optimizer]]
] = {AdamOptimizer: _adam, AdamWOptimizer: _adamw, SgdOptimizer: _sgd}
"""Every spec of an optimiser and what builds it."""


def build(spec: Optimizer, parameters: Parameters) -> torch.optim.Optimizer:
    """The optimiser of a spec over these parameters."""
    return OPTIMIZERS[type(spec)](spec, parameters)
