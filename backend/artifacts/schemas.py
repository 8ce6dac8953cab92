"""The trained models of a comparison, as the API shows them."""

from typing import Any, Literal

from pydantic import BaseModel

from backend.runs.schemas import State
from contract.artifacts import ArtifactKind


class KeptPart(BaseModel):
    """A part of a run's model: its weights, the embeddings of the test split, or the confusion."""

    kind: ArtifactKind
    kept: bool
    size: int
    """Bytes of its blob."""
    problem: str
    """Why it is not kept; empty if it is."""


class KeptModel(BaseModel):
    """What one run keeps of its model."""

    run: str
    arm: str
    seed: int
    state: State
    parts: list[KeptPart]
    """Empty before the run succeeds, and for runs of older versions."""
    score: float | None
    """The objective on the validation split, of the weights that are kept."""
    parameters: int | None
    """Numbers that trained."""


class Suggestion(BaseModel):
    """The model to take unless one has reasons for another."""

    arm: str
    seed: int
    run: str
    why_arm: str
    why_seed: str
    level: list[str]
    """Arms that these runs do not tell from it in retrieval, itself included; empty if it is ahead
    of all others, or if some arms differ clearly in one metric and not in another."""


class Models(BaseModel):
    """The trained models of a comparison."""

    suggested: Suggestion | None
    """Null while no run has succeeded."""
    runs: list[KeptModel]
    """Its final runs in their order."""


class ModelFile(BaseModel):
    """A file of a model's download."""

    name: str
    size: int
    what: str


class Model(BaseModel):
    """A trained model to take along."""

    run: str
    arm: str
    seed: int
    files: list[ModelFile]
    needs: list[str]
    """Packages that the script imports."""
    script: str
    """Python that loads the weights in plain torch and embeds new items."""
    card: str
    """The model card, Markdown."""
    description: dict[str, Any]
    """How the network is built, and what was measured of it."""


class ConfusedPair(BaseModel):
    """How often items of one class have their nearest neighbour in another."""

    actual: int
    """Place of the class in `classes`."""
    nearest: int
    """Place of the class of the nearest neighbour."""
    items: float
    """Items of the class, mean over the seeds."""
    low: float
    """The fewest of any seed."""
    high: float


class ArmConfusion(BaseModel):
    """The confusion of one arm."""

    arm: str
    seeds: list[int]
    """Whose mean it is."""
    right: list[float]
    """Items of each class whose nearest neighbour has the same class, mean over the seeds."""
    pairs: list[ConfusedPair]
    """Pairs of two classes, the most frequent first."""
    others: float
    """Items of pairs that are not listed."""


class ConfusionOut(BaseModel):
    """Which classes are confused, of every arm on the same test items."""

    split: Literal["test"] = "test"
    shared: bool
    """Whether all seeds have one split; else it is of one seed."""
    seeds: list[int]
    """Seeds that have a confusion."""
    classes: list[str]
    items: list[int]
    """Items of each class."""
    arms: list[ArmConfusion]
    """In the spec's order; without those that have kept none."""
    lacking: list[str]
    """Arms whose runs have succeeded and kept none: runs of older versions."""
