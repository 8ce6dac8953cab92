"""The losses that can be compared and their settings: one class per loss kind."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from contract.comparison.problems import Section

Reduction = Literal["mean", "sum", "mean_active"]
"""mean: over all valid tuples; sum: no division; mean_active: over tuples with loss > 0."""

PairReduction = Literal["mean", "sum", "mean_active", "balanced"]
"""As `Reduction`; balanced: the mean over positive pairs and the mean over negative pairs, weighted
by `pull_weight`, whatever their numbers."""

Hinge = Literal["squared", "linear"]

Selection = Literal["all", "sampled", "semi_hard", "batch_hard", "distance_weighted"]
"""Which of a batch's valid tuples are trained on; worker.losses.selection defines each."""

Distance = Literal["euclidean", "cosine"]

ACTIVE_EPS: Final = 1e-3
"""The loss of a softmax is never exactly 0: its tuples count as active above this value."""


KINDS_WITH_PARAMETERS: Final = ("arcface", "center_contrastive")
"""Kinds with parameters of their own: a trainable vector for each class."""

_Reduction = Annotated[
    Reduction,
    Field(title="Reduction", description="What the sum over the tuples is divided by."),
]


SHOWN_WHERE: Final = "x-shown-where"
"""Key in a setting's JSON schema: the settings of its section, with the values under which it has
an effect; forms and lists leave it out under others."""
ALIKE_ACROSS_LOSSES: Final = "x-alike-across-losses"
"""Key in a setting's JSON schema: values that mean the same in arms of two different losses."""


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


class ContrastiveLoss(_TupleLoss):
    """Pulls every positive pair together, pushes every negative pair out to the margin."""

    kind: Literal["contrastive"] = "contrastive"
    reduction: PairReduction = Field(
        "mean",
        title="Reduction",
        description="What the sum over the pairs is divided by. Mean, sum and mean active count "
        "all pairs alike, so that the pull has the share of the positive pairs: a tenth with all "
        "pairs of ten classes, a hundredth with those of a hundred. Balanced: the mean over "
        "positive and the mean over negative pairs, weighted by the pull weight.",
        # A mean over each kind of tuples: of a loss that has one kind, that is its mean.
        json_schema_extra={ALIKE_ACROSS_LOSSES: ["balanced", "mean"]},
    )
    pull_weight: float = Field(
        0.5,
        ge=0,
        le=1,
        title="Pull weight",
        description="Weight of the mean over positive pairs under the reduction balanced; the mean "
        "over negative pairs has the rest.",
        json_schema_extra={SHOWN_WHERE: {"reduction": "balanced"}},
    )
    positive_margin: float = Field(
        0.0,
        ge=0,
        le=1000,
        title="Positive margin",
        description="Positive pairs are pulled until they are this near; 0 pulls them to one "
        "point. Below the margin.",
    )
    hinge: Hinge = Field(
        "squared",
        title="Hinge",
        description="Loss of a negative pair: the square of what is left to the margin, or linear: "
        "what is left itself, whose gradient does not fade as the margin comes near.",
    )

    @field_validator("positive_margin")
    @classmethod
    def _check_below_margin(cls, value: float, info: ValidationInfo) -> float:
        margin = info.data.get("margin")
        if value and margin is not None and value >= margin:
            raise PydanticCustomError(
                "positive_margin",
                "must be below the margin {margin}, or items of one class may lie as far apart as "
                "items of two",
                {"margin": f"{margin:g}"},
            )
        return value


class TripletLoss(_TupleLoss):
    """Asks each negative to be farther from the anchor than each positive, by the margin."""

    kind: Literal["triplet"] = "triplet"
    reduction: _Reduction = "mean"


class NPairLoss(Section):
    """Asks one positive to be more similar to the anchor than one item of every other class."""

    kind: Literal["n_pair"] = "n_pair"
    scale: float = Field(
        1.0,
        gt=0,
        le=1000,
        title="Scale of the dot products",
        description="Multiplies the dot products; 1 is the paper's form. L2-normalised embeddings "
        "leave the loss a floor of log(1 + (C - 1) exp(-scale C / (C - 1))) with C classes in a "
        "batch: 1.377 for 10 classes at scale 1, 0.0001 at scale 10.",
    )
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


class CosentLoss(Section):
    """Asks the cosines of pairs to have the order of their scores (CoSENT)."""

    kind: Literal["cosent"] = "cosent"
    scale: float = Field(
        20.0,
        gt=0,
        le=1000,
        title="Scale",
        description="Multiplies the cosines; large ones look at the comparisons that are most "
        "wrong.",
    )


PLUGIN: Final = "plugin"
"""Kind of the losses that workers bring."""
MAX_PLUGIN_NAME: Final = 100
MAX_PARAMETERS: Final = 50
"""Parameters of a plug-in, of a miner or of a distance."""
MAX_PARAMETER_TEXT: Final = 200
"""Characters of a parameter that is a text."""


def _check_parameter(raw: object) -> object:
    if isinstance(raw, str) and len(raw) > MAX_PARAMETER_TEXT:
        raise PydanticCustomError(
            "parameter",
            "has {length} characters, more than {most}",
            {"length": len(raw), "most": MAX_PARAMETER_TEXT},
        )
    if raw is not None and not isinstance(raw, bool | int | float | str):
        raise PydanticCustomError("parameter", "must be a number, a text, true, false or null")
    return raw


ParameterValue = Annotated[bool | int | float | str | None, BeforeValidator(_check_parameter)]
Parameters = Annotated[dict[str, ParameterValue], Field(max_length=MAX_PARAMETERS)]
PluginName = Annotated[str, Field(min_length=1, max_length=MAX_PLUGIN_NAME)]


class NamedPart(Section):
    """A miner or a distance of a plug-in, by name."""

    name: PluginName
    params: Parameters = Field(default_factory=dict)


class PluginLoss(Section):
    """A loss that workers bring. Which ones there are, and with which parameters, only they know:
    `contract.comparison.plugins` checks it with what they have reported."""

    kind: Literal["plugin"] = "plugin"
    name: PluginName
    params: Parameters = Field(default_factory=dict)
    miner: NamedPart | None = None
    """What picks the tuples that are trained on; None for all that the loss takes by itself."""
    distance: NamedPart | None = None
    """None for the loss's own."""


def loss_name(loss: "Loss") -> str:
    """Return what a loss is called in lists: the plug-in's name, or its kind."""
    return loss.name if isinstance(loss, PluginLoss) else loss.kind


def stored_loss_name(loss: Mapping[str, Any]) -> str:
    """Return the same of a loss section as it is stored."""
    return str(loss["name"] if loss["kind"] == PLUGIN else loss["kind"])


Loss = Annotated[
    ContrastiveLoss
    | TripletLoss
    | NPairLoss
    | InfoNceLoss
    | ArcFaceLoss
    | SupConLoss
    | CenterContrastiveLoss
    | CosentLoss
    | PluginLoss,
    Field(discriminator="kind"),
]
