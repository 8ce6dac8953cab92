"""The losses that can be compared and their settings: one class per loss kind."""

from typing import Annotated, Final, Literal

from pydantic import Field

from contract.comparison.problems import Section

Reduction = Literal["mean", "sum", "mean_active"]
"""mean: over all valid tuples; sum: no division; mean_active: over tuples with loss > 0."""

Selection = Literal["all", "sampled", "semi_hard", "batch_hard", "distance_weighted"]
"""Which of a batch's valid tuples are trained on; worker.losses.selection defines each."""

Distance = Literal["euclidean", "cosine"]

ACTIVE_EPS: Final = 1e-3
"""The loss of a softmax is never exactly 0: its tuples count as active above this value."""


_Reduction = Annotated[
    Reduction,
    Field(title="Reduction", description="What the sum over the tuples is divided by."),
]


class _TupleLoss(Section):
    """Settings of losses that compare distances within a batch."""

    margin: float = Field(
        1.0,
        ge=0,
        le=1000,
        title="Margin",
        description="How far apart different classes are asked to be.",
    )
    distance: Distance = Field(
        "euclidean",
        title="Distance",
        description="Euclidean, squared where the formula squares it; or 1 - cosine similarity.",
    )
    selection: Selection = Field(
        "all", title="Tuples", description="Which tuples of the batch are trained on."
    )
    reduction: _Reduction = "mean"


class ContrastiveLoss(_TupleLoss):
    """Pulls every positive pair together, pushes every negative pair out to the margin."""

    kind: Literal["contrastive"] = "contrastive"


class TripletLoss(_TupleLoss):
    """Asks each negative to be farther from the anchor than each positive, by the margin."""

    kind: Literal["triplet"] = "triplet"


class NPairLoss(Section):
    """Asks one positive to be more similar to the anchor than one item of every other class."""

    kind: Literal["n_pair"] = "n_pair"
    reduction: _Reduction = "mean"


class _TemperedLoss(Section):
    temperature: float = Field(
        0.1,
        ge=0.001,
        le=100,
        title="Temperature",
        description="Divides the cosine similarities; small ones look at the hardest negatives.",
    )
    reduction: _Reduction = "mean"


class InfoNceLoss(_TemperedLoss):
    """Asks each positive to win a softmax against all negatives of the anchor (NT-Xent)."""

    kind: Literal["info_nce"] = "info_nce"


class SupConLoss(_TemperedLoss):
    """Averages over the anchor's positives within one softmax over the whole batch."""

    kind: Literal["sup_con"] = "sup_con"


class ArcFaceLoss(Section):
    """Classifies by angles to trainable class weights, with a margin on the own class's angle."""

    kind: Literal["arcface"] = "arcface"
    margin: float = Field(
        0.5, ge=0, le=1.5, title="Angular margin", description="In radians; 0.5 is 28.6 degrees."
    )
    scale: float = Field(
        64.0, gt=0, le=1000, title="Scale", description="Multiplies the cosines; 1 / temperature."
    )
    reduction: _Reduction = "mean"


class CenterContrastiveLoss(_TemperedLoss):
    """Compares each item with a bank of trainable class centres, and pulls it to its own."""

    kind: Literal["center_contrastive"] = "center_contrastive"


Loss = Annotated[
    ContrastiveLoss
    | TripletLoss
    | NPairLoss
    | InfoNceLoss
    | ArcFaceLoss
    | SupConLoss
    | CenterContrastiveLoss,
    Field(discriminator="kind"),
]
