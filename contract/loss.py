"""The losses that can be compared and their settings: one class per loss kind."""

from typing import Annotated, Literal

from pydantic import Field

from contract.base import Section

Reduction = Literal["mean", "sum", "mean_active"]
"""mean: over all valid tuples; sum: no division; mean_active: over tuples with loss > 0."""

_MARGIN = Field(
    1.0,
    ge=0,
    le=1000,
    title="Margin",
    description="How far apart different classes are asked to be.",
)
_SELECTION = Field("all", title="Tuples", description="Which tuples of the batch are used.")
_REDUCTION = Field(
    "mean", title="Reduction", description="What the sum of the tuples is divided by."
)


class ContrastiveLoss(Section):
    """Pulls every positive pair together, pushes every negative pair out to the margin."""

    kind: Literal["contrastive"] = "contrastive"
    margin: float = _MARGIN
    distance: Literal["euclidean"] = Field("euclidean", title="Distance")
    selection: Literal["all"] = _SELECTION
    reduction: Reduction = _REDUCTION


class TripletLoss(Section):
    """Asks each negative to be farther from the anchor than each positive, by the margin."""

    kind: Literal["triplet"] = "triplet"
    margin: float = _MARGIN
    distance: Literal["euclidean"] = Field("euclidean", title="Distance")
    selection: Literal["all"] = _SELECTION
    reduction: Reduction = _REDUCTION


Loss = Annotated[ContrastiveLoss | TripletLoss, Field(discriminator="kind")]
