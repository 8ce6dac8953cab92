"""The encoder section of a spec: one class for each kind of network from items to embeddings."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from contract.comparison.data import Items
from contract.comparison.problems import Section

Tuning = Literal["frozen", "head", "full"]
TextTuning = Literal["frozen", "full"]
Weights = Literal["imagenet", "random", "file"]


class _Encoder(Section):
    embedding_dim: int = Field(64, ge=2, le=4096, title="Embedding size")
    normalize: bool = Field(
        True, title="L2-normalise", description="Put every embedding on the unit sphere."
    )


class MlpEncoder(_Encoder):
    """A multi-layer perceptron on the flattened item."""

    kind: Literal["mlp"] = "mlp"
    hidden: int = Field(256, ge=2, le=8192, title="Hidden units")
    layers: int = Field(2, ge=0, le=10, title="Hidden layers", description="0 for a linear map.")


class ConvnetEncoder(_Encoder):
    """A small convolutional network for small images."""

    kind: Literal["convnet"] = "convnet"
    channels: int = Field(32, ge=4, le=512, title="Channels", description="Of the first layer.")


class AudioConvnetEncoder(_Encoder):
    """A small convolutional network for log-mel spectrograms."""

    kind: Literal["audio_convnet"] = "audio_convnet"
    channels: int = Field(32, ge=4, le=512, title="Channels", description="Of the first layer.")


class BackboneEncoder(_Encoder):
    """A known network without its classifier, and a head that maps its features to embeddings."""

    kind: str
    tuning: Tuning = Field(
        "frozen",
        title="Training",
        description="Frozen: the backbone's features are computed once and kept, a head trains on "
        "them. Head: the backbone runs at every step, so that augmentation has an effect, and only "
        "the head trains. Full: all of it trains.",
    )
    weights: Weights = Field(
        "imagenet", title="Weights", description="Of the backbone at the start."
    )
    weights_file: str = Field(
        "",
        max_length=4096,
        title="Weights file",
        description="With weights from a file: a state dict (.pt, .pth, .safetensors), as an "
        "absolute path on the workers' machine.",
    )
    hidden: int = Field(
        0, ge=0, le=8192, title="Hidden units", description="Of the head; 0 for a linear one."
    )


class Resnet18Encoder(BackboneEncoder):
    """ResNet-18 (He et al. 2016): 512 features of 224 x 224 pixels."""

    kind: Literal["resnet18"] = "resnet18"


class Resnet50Encoder(BackboneEncoder):
    """ResNet-50 (He et al. 2016): 2,048 features of 224 x 224 pixels."""

    kind: Literal["resnet50"] = "resnet50"


class VitB32Encoder(BackboneEncoder):
    """ViT-B/32 (Dosovitskiy et al. 2021): 768 features of 224 x 224 pixels."""

    kind: Literal["vit_b_32"] = "vit_b_32"


class EfficientnetLite0Encoder(BackboneEncoder):
    """EfficientNet-Lite0 (Tan & Le 2019): 1,280 features of 224 x 224 pixels."""

    kind: Literal["efficientnet_lite0"] = "efficientnet_lite0"


ModelName = Annotated[
    str,
    StringConstraints(max_length=200, pattern=r"^([A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*){0,3})?$"),
]
"""Name of a model's folder below one of the folders of LOSSBOARD_MODEL_ROOTS, never a path that
leaves them; empty for none."""


class TextEncoder(_Encoder):
    """A model that turns a text into features, and a head that maps these to embeddings."""

    kind: str
    model: ModelName = Field(
        "",
        title="Model",
        description="Name of its folder, below one of the folders that the operator allows "
        "(LOSSBOARD_MODEL_ROOTS on the workers).",
    )
    tuning: TextTuning = Field(
        "frozen",
        title="Training",
        description="Frozen: the model's features are computed once and kept, a head trains on "
        "them. Full: all of it trains; for small models.",
    )
    max_tokens: int = Field(
        256,
        ge=4,
        le=8192,
        title="Tokens",
        description="Of a text that are read; what follows is left out.",
    )
    hidden: int = Field(
        0, ge=0, le=8192, title="Hidden units", description="Of the head; 0 for a linear one."
    )


class StaticTextEncoder(TextEncoder):
    """A vector for each token, whatever stands around it, and the mean over a text's tokens."""

    kind: Literal["static_text"] = "static_text"
    model: ModelName = Field(
        "",
        title="Model",
        description="Empty for the bundled one; or the name of the folder of a static model of "
        "one's own (model2vec's format), below one of the folders that the operator allows "
        "(LOSSBOARD_MODEL_ROOTS on the workers).",
    )


class TransformerTextEncoder(TextEncoder):
    """A transformer over the tokens of a text, and the pooling that its folder names."""

    kind: Literal["transformer_text"] = "transformer_text"


Pretrained = BackboneEncoder | TextEncoder
"""Encoders that begin as a known network, whose features can be computed once and kept."""


def is_frozen(encoder: Section) -> bool:
    """Return whether only a head trains, on features that are computed once."""
    return isinstance(encoder, Pretrained) and encoder.tuning == "frozen"


Encoder = Annotated[
    MlpEncoder
    | ConvnetEncoder
    | AudioConvnetEncoder
    | Resnet18Encoder
    | Resnet50Encoder
    | VitB32Encoder
    | EfficientnetLite0Encoder
    | StaticTextEncoder
    | TransformerTextEncoder,
    Field(discriminator="kind"),
]

TAKES: Final[dict[str, tuple[Items, ...]]] = {
    "mlp": ("vectors", "images", "spectrograms"),
    "convnet": ("images", "spectrograms"),
    "audio_convnet": ("spectrograms",),
    "resnet18": ("images",),
    "resnet50": ("images",),
    "vit_b_32": ("images",),
    "efficientnet_lite0": ("images",),
    "static_text": ("texts",),
    "transformer_text": ("texts",),
}
"""Kind of encoder -> the kinds of items that it can embed."""
