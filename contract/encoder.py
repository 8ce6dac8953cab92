"""The network that maps an item to its embedding: one class per encoder kind."""

from typing import Annotated, Literal

from pydantic import Field

from contract.base import Section


class _Encoder(Section):
    embedding_dim: int = Field(64, ge=2, le=4096, title="Embedding size")
    normalize: bool = Field(
        True, title="L2-normalise", description="Put every embedding on the unit sphere."
    )


class MlpEncoder(_Encoder):
    """A multi-layer perceptron on the flattened item."""

    kind: Literal["mlp"] = "mlp"
    hidden: int = Field(256, ge=2, le=8192, title="Hidden units")
    layers: int = Field(2, ge=1, le=10, title="Hidden layers")


class ConvnetEncoder(_Encoder):
    """A small convolutional network for small images."""

    kind: Literal["convnet"] = "convnet"
    channels: int = Field(32, ge=4, le=512, title="Channels", description="Of the first layer.")


Encoder = Annotated[MlpEncoder | ConvnetEncoder, Field(discriminator="kind")]
