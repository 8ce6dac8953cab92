"""A backbone with a head, and which of the two trains."""

from torch import Tensor, nn

from worker.encoders.backbone import Backbone


class Tuned(nn.Module):
    """Images to embeddings. The backbone always stays in evaluation mode: with batch statistics an
    image's embedding would depend on which others are in its batch."""

    def __init__(self, backbone: Backbone, head: nn.Module, *, whole: bool) -> None:
        super().__init__()
        self.backbone = backbone.requires_grad_(whole)
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, D]."""
        embeddings: Tensor = self.head(self.backbone(images))
        return embeddings

    def train(self, mode: bool = True) -> "Tuned":
        """Set the head's mode."""
        super().train(mode)
        self.backbone.eval()
        return self
