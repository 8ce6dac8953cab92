"""The sections of a spec that say how arms are trained and when they are measured."""

from typing import Annotated, Final, Literal

from pydantic import Field

from contract.comparison.loss import KINDS_WITH_PARAMETERS
from contract.comparison.problems import Section


class ShuffleSampler(Section):
    """A new random order of all training items each epoch."""

    kind: Literal["shuffle"] = "shuffle"


class MPerClassSampler(Section):
    """Batches of batch_size / m classes with m items each."""

    kind: Literal["m_per_class"] = "m_per_class"
    m: int = Field(4, ge=2, le=1024, title="Items a class (m)")


Sampler = Annotated[ShuffleSampler | MPerClassSampler, Field(discriminator="kind")]


SHOWN_WITH_LOSSES: Final = "x-shown-with-losses"
"""Key in a setting's JSON schema: the kinds of loss for which it has an effect; the form leaves it
out where no arm has one of them."""


class _Optimizer(Section):
    lr: float = Field(1e-3, gt=0, le=100, title="Learning rate")
    weight_decay: float = Field(0.0, ge=0, le=100, title="Weight decay")
    loss_lr: float | None = Field(
        None,
        gt=0,
        le=100,
        title="Learning rate of the loss",
        description="Of losses with parameters of their own: the class weights of ArcFace, the "
        "centres of centre contrastive. Empty: the learning rate of the encoder.",
        json_schema_extra={SHOWN_WITH_LOSSES: list(KINDS_WITH_PARAMETERS)},
    )


class AdamOptimizer(_Optimizer):
    """Adam (Kingma & Ba 2015)."""

    kind: Literal["adam"] = "adam"


class AdamWOptimizer(_Optimizer):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""

    kind: Literal["adamw"] = "adamw"


class SgdOptimizer(_Optimizer):
    """Stochastic gradient descent with momentum."""

    kind: Literal["sgd"] = "sgd"
    momentum: float = Field(0.9, ge=0, lt=1, title="Momentum")


Optimizer = Annotated[AdamOptimizer | AdamWOptimizer | SgdOptimizer, Field(discriminator="kind")]


Augmentation = Literal["none", "flip", "flip_shift"]
Precision = Literal["float32", "bfloat16"]

ANY_DEVICE: Final = "auto"
"""The device setting of a comparison whose runs any slot may take."""


class Training(Section):
    """The settings that every arm of a comparison shares unless it overrides them."""

    epochs: int = Field(20, ge=1, le=10_000, title="Epochs")
    batch_size: int = Field(64, ge=2, le=8192, title="Batch size")
    sampler: Sampler = Field(default_factory=ShuffleSampler, title="Sampler")
    optimizer: Optimizer = Field(default_factory=AdamOptimizer, title="Optimiser")
    augmentation: Augmentation = Field(
        "none",
        title="Augmentation",
        description="Of training images, the same for every arm of a seed. Flip: half of them are "
        "mirrored. Flip and shift: also moved by up to an eighth of their side.",
    )
    precision: Precision = Field(
        "float32",
        title="Precision",
        description="Of the encoders' matrix products. bfloat16 is faster on a GPU with large "
        "encoders and keeps three digits; losses, weights and measures stay in float32.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        ANY_DEVICE,
        title="Device",
        description="Which worker slots may take its runs; auto: any. Where CPU and GPU slots "
        "stand side by side, name one, so that no arm runs elsewhere than its rival.",
    )


class TrainingOverrides(Section):
    """Training settings of one arm that differ from the comparison's; None keeps the shared one."""

    epochs: int | None = Field(None, ge=1, le=10_000, title="Epochs")
    batch_size: int | None = Field(None, ge=2, le=8192, title="Batch size")
    sampler: Sampler | None = Field(None, title="Sampler")
    optimizer: Optimizer | None = Field(None, title="Optimiser")

    def over(self, shared: Training) -> Training:
        """Return the shared settings, replaced by those that this arm overrides."""
        own = {name: getattr(self, name) for name in type(self).model_fields}
        return shared.model_copy(update={k: v for k, v in own.items() if v is not None})


class Measure(Section):
    """When the held-out split is measured."""

    evaluate_every: int = Field(
        1,
        ge=1,
        le=10_000,
        title="Evaluate every",
        description="In epochs; epoch 0 and the last always.",
    )
    snapshot_every: int = Field(
        5,
        ge=1,
        le=10_000,
        title="Snapshot every",
        description="In epochs; kept for embedding views.",
    )
    snapshot_size: int = Field(
        1000, ge=10, le=100_000, title="Snapshot size", description="Held-out items in a snapshot."
    )
