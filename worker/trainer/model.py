"""What is trained: one encoder, or two that map two modalities into one space."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from worker.data import Split
from worker.losses import Loss, LossOutput, two_ways


class Model(nn.Module):
    """The encoder of each modality."""

    def __init__(self, encoders: Sequence[nn.Module]) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)

    def forward(self, batch: Split) -> tuple[Tensor, ...]:
        """Embeddings [B, D] of each modality of a batch."""
        items = (batch.items,) if batch.visual is None else (batch.items, batch.visual)
        return tuple(encoder(own) for encoder, own in zip(self.encoders, items, strict=True))


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
