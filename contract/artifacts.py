"""What a run keeps of its trained model: weights, embeddings of the test split, and confusion.

The worker makes the blobs, the backend stores and reads them. The claim of a run says what it
keeps; that of a backend that knows no artifacts says nothing, and then nothing is kept.
"""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

ArtifactKind = Literal["weights", "embeddings", "confusion"]
KeepWeights = Literal["all", "best", "none"]
KEEP_WEIGHTS: Final[tuple[KeepWeights, ...]] = ("all", "best", "none")

DESCRIPTION: Final = "lossboard"
"""Key in the metadata of the weights' safetensors file: how to build the network, as JSON."""
FACTS: Final = "facts"
"""Member of the file of embeddings that holds `EmbeddingFacts`, as UTF-8 JSON in uint8."""
MAX_CONFUSIONS: Final = 20_000
"""Pairs of classes that a confusion names; of more the most frequent ones."""


class Keep(BaseModel):
    """What a run is to keep."""

    model_config = ConfigDict(frozen=True)

    weights: KeepWeights
    """all; best: as all, but of arms that train a whole backbone only those of the best seed; or
    none."""
    limit_bytes: int = Field(ge=0)
    """Of each blob; what is larger is not kept."""


class WeightsFacts(BaseModel):
    """What the backend must know of weights without reading them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    encoder: str
    """Kind of the (first) encoder."""
    whole_backbone: bool = False
    """Whether a whole pretrained network is among them."""
    keep: KeepWeights = "best"
    """What the run was told to keep."""
    parameters: int = Field(ge=0)
    """Numbers that the training changed."""
    step: int = Field(ge=0)
    """Optimiser steps after which they were taken."""
    score: float | None = None
    """The objective on the validation split at that step; None where it was not measured."""


class EmbeddingFacts(BaseModel):
    """What the rows of stored embeddings are."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    split: Literal["test"] = "test"
    classes: list[str]
    """Names of the labels 0, 1, 2, ..."""
    modalities: list[str] | None = None
    """Of paired data, whose rows are all points of the first modality, then all of the second."""
    files: list[str] | None = None
    """Of image files: class folder and name of each item's file."""
    texts: list[str] | None = None
    """Of texts: the beginning of each item's."""
    fine: list[str] | None = None
    """Names of the fine labels 0, 1, 2, ..., where they have names."""


class Confusion(BaseModel):
    """Which class the nearest neighbour of a test item has.

    An item is left out if its class has no other: nothing right could be found for it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    classes: list[str]
    """Names of the classes that have items, in the order of their labels."""
    items: list[int]
    """Items of each class that were asked."""
    right: list[int]
    """Those of them whose nearest neighbour has the same class."""
    pairs: list[tuple[int, int, int]]
    """(class, class of the nearest neighbour, items), the most frequent first; places in
    `classes`."""
    others: int = 0
    """Items of pairs that are not named because there are too many."""
