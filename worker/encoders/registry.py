"""Which function builds which kind of encoder."""

from typing import Any, Final

from torch import Tensor, nn
from torch.nn import functional

from contract.encoder import ConvnetEncoder, MlpEncoder
from worker.encoders import convnet, mlp

ENCODERS: Final[dict[str, Any]] = {
    "mlp": mlp.build,
    "convnet": convnet.build,
}


class UnitSphere(nn.Module):
    """L2-normalises each embedding."""

    def forward(self, embeddings: Tensor) -> Tensor:
        """[B, D] -> [B, D] of norm 1."""
        return functional.normalize(embeddings, dim=1)


def build(spec: MlpEncoder | ConvnetEncoder, item_shape: tuple[int, ...]) -> nn.Module:
    """The network of a spec, [B, *item_shape] -> [B, embedding_dim].

    Its initial weights come from torch's global generator: seed that first.
    """
    network: nn.Sequential = ENCODERS[spec.kind](spec, item_shape)
    return network.append(UnitSphere()) if spec.normalize else network
