"""The losses that can be compared and their settings: one class per loss kind."""

from typing import Annotated, Literal

from pydantic import Field

from contract.base import Section

Reduction = Literal["mean", "sum", "mean_active"]
"""mean: over all valid tuples; sum: no division; mean_active: over tuples with loss > 0."""


class _PairLoss(Section):
    """Settings of every loss that compares members of a batch with one another."""

    margin: float = Field(
        1.0,
        ge=0,
        le=1000,
        title="Margin",
        description="How far apart different classes are asked to be.",
    )
    distance: Literal["euclidean"] = Field(
        "euclidean", title="Distance", description="Squared where the formula squares it."
    )
    selection: Literal["all"] = Field(
        "all", title="Tuples", description="Which tuples of the batch are used."
    )
    reduction: Reduction = Field(
        "mean", title="Reduction", description="What the sum over the tuples is divided by."
    )


class ContrastiveLoss(_PairLoss):
    """Pulls every positive pair together, pushes every negative pair out to the margin."""

    kind: Literal["contrastive"] = "contrastive"


class TripletLoss(_PairLoss):
    """Asks each negative to be farther from the anchor than each positive, by the margin."""

    kind: Literal["triplet"] = "triplet"


Loss = Annotated[ContrastiveLoss | TripletLoss, Field(discriminator="kind")]
