"""The API's answers about snapshots as types; docs/API.md says what each field means."""

from typing import Literal, TypedDict

ProjectionState = Literal["queued", "running", "ready", "failed"]


class Samples(TypedDict):
    """The held-out samples that all arms, seeds and epochs share; paths are the API's."""

    n: int
    total: int
    split: str
    classes: list[str]
    labels: list[int]
    fine: list[int] | None
    modalities: list[str] | None
    modality: list[int] | None
    ids: list[int]
    media: Literal["image", "spectrogram", "none"]
    tile: int | None
    columns: int | None
    sprite: str | None
    sounds: str | None
    sound_ends: list[float] | None


class RunEpochs(TypedDict):
    """A run and the epochs of its snapshots."""

    arm: str
    seed: int
    run: str
    epochs: list[int]


class Space(TypedDict):
    """What there is to look at; samples are None before the first snapshot."""

    samples: Samples | None
    seeds: list[int]
    runs: list[RunEpochs]


class Histogram(TypedDict):
    """Distances of pairs; one edge more than there are counts."""

    edges: list[float]
    positive: list[int]
    negative: list[int]


class ClassFacts(TypedDict):
    """One class of the samples in one arm."""

    label: int
    n: int
    variance: float
    accuracy: float | None


class ArmFacts(TypedDict):
    """What one arm makes of the samples; a list has a value for each of them."""

    arm: str
    run: str
    correct: list[int | None]
    centroid_distance: list[float]
    average_precision: list[float | None]
    classes: list[ClassFacts]
    histogram: Histogram


class SpaceFacts(TypedDict):
    """The arms that have a snapshot of an epoch."""

    seed: int
    epoch: int
    arms: list[ArmFacts]


class Neighbour(TypedDict):
    """A sample near another; a hit has its class."""

    sample: int
    distance: float
    hit: bool


class ArmNeighbours(TypedDict):
    """One arm's neighbours of a sample, nearest first."""

    arm: str
    neighbours: list[Neighbour]


class SpaceNeighbours(TypedDict):
    """The neighbours of one sample in each arm."""

    seed: int
    epoch: int
    sample: int
    arms: list[ArmNeighbours]


class ArmDistances(TypedDict):
    """One arm's distances of pairs, a histogram an epoch."""

    arm: str
    epochs: list[int]
    histograms: list[Histogram]


class SpaceDistances(TypedDict):
    """Distances of pairs in every arm of a seed."""

    seed: int
    arms: list[ArmDistances]


class Earlier(TypedDict):
    """Coordinates of earlier snapshots, to show until the new ones are ready."""

    id: str
    n: int
    epochs: list[int]
    arms: list[str]
    coordinates: str


class Projection(TypedDict):
    """Coordinates of snapshots, or how far they are; progress is 0 ... 1."""

    id: str
    state: ProjectionState
    progress: float
    eta_s: float | None
    error: str | None
    method: Literal["pca", "tsne", "pacmap"]
    dims: Literal[2, 3]
    seed: int
    n: int
    epochs: list[int]
    arms: list[str]
    coordinates: str | None
    earlier: Earlier | None


class Size(TypedDict):
    """What deleting a comparison frees."""

    bytes: int
    points: int
    runs: int
