"""Snapshots as the API shows them."""

from typing import Literal

from pydantic import BaseModel

from contract.snapshots import ClassFacts, Histogram

Method = Literal["pca", "tsne", "pacmap"]


class SamplesOut(BaseModel):
    """The held-out samples, which all arms and epochs of a seed share."""

    n: int
    """Points."""
    total: int
    """Points of the whole split."""
    split: str
    classes: list[str]
    labels: list[int]
    fine: list[int] | None
    """Fine labels within the classes; -1 for a point without one."""
    modalities: list[str] | None
    modality: list[int] | None
    ids: list[int]
    """Index in the data set of each point's item."""
    media: Literal["image", "spectrogram", "none"]
    tile: int | None
    """Side of a sprite's tile in pixels."""
    columns: int | None
    """Tiles in a row of the sprite."""
    sprite: str | None
    """Path of the PNG."""
    sounds: str | None
    """Path of a wav file with the recordings of the first points, one after another."""
    sound_ends: list[float] | None
    """Where each recording ends, in seconds."""
    texts: list[str] | None
    """Beginnings of the points' texts, where they are texts."""
    fine_names: list[str] | None
    """Names of the fine labels, where they have names."""


class RunEpochs(BaseModel):
    """A run and the epochs of its snapshots."""

    arm: str
    seed: int
    run: str
    epochs: list[int]


class Space(BaseModel):
    """The samples, seeds and epochs of a comparison that have snapshots."""

    samples: SamplesOut | None
    """None before the first snapshot."""
    shared: bool
    """Whether all seeds show these samples; not so if each seed has a split of its own."""
    seeds: list[int]
    """The seeds with a snapshot."""
    runs: list[RunEpochs]


class ArmFacts(BaseModel):
    """How one arm places the samples; each list has one value per sample."""

    arm: str
    run: str
    correct: list[int | None]
    centroid_distance: list[float]
    average_precision: list[float | None]
    classes: list[ClassFacts]
    histogram: Histogram


class SpaceFacts(BaseModel):
    """The arms that have a snapshot of one epoch."""

    seed: int
    epoch: int
    arms: list[ArmFacts]


class Neighbour(BaseModel):
    """A sample near another."""

    sample: int
    distance: float
    """Euclidean."""
    hit: bool
    """Whether both have the same class."""


class ArmNeighbours(BaseModel):
    """One arm's neighbours of a sample, nearest first."""

    arm: str
    neighbours: list[Neighbour]


class SpaceNeighbours(BaseModel):
    """The neighbours of one sample in each arm."""

    seed: int
    epoch: int
    sample: int
    arms: list[ArmNeighbours]


class ArmDistances(BaseModel):
    """Distances of pairs over the epochs of one arm."""

    arm: str
    epochs: list[int]
    histograms: list[Histogram]
    """One for each epoch."""


class SpaceDistances(BaseModel):
    """Distances of pairs in every arm of a seed."""

    seed: int
    arms: list[ArmDistances]


class HardTupleOut(BaseModel):
    """A triplet (anchor, positive, negative) or a pair of samples."""

    samples: list[int]
    value: float
    """Of a triplet its violation d(a, p) - d(a, n), of a pair its distance; over the arm's mean
    distance of two samples."""


class ArmTuples(BaseModel):
    """The hardest tuples of one arm, the hardest first; no sample is in two of a kind."""

    arm: str
    mean_distance: float
    """Of two samples; 0 if all embeddings are one point, which then have no tuples."""
    triplets: list[HardTupleOut]
    """Those that are violated."""
    positives: list[HardTupleOut]
    """Pairs of one class, the farthest first."""
    negatives: list[HardTupleOut]
    """Pairs of two classes, the nearest first."""


class SuspectOut(BaseModel):
    """A sample that all arms place among another class: its label may be wrong."""

    sample: int
    label: int
    suggested: int
    """Label of that class, which the majority of its neighbours have in each arm."""
    share: float
    """Of its neighbours that have it, mean over the arms."""


class SpaceHardest(BaseModel):
    """The hardest tuples of the arms that have a snapshot of one epoch."""

    seed: int
    epoch: int
    among: int
    """Samples whose tuples were looked at."""
    arms: list[ArmTuples]
    k: int
    """Neighbours by which labels are suspected."""
    suspects: list[SuspectOut]
    """Those with the largest majority first."""
    suspected: int
    """How many there are; so many more than are listed."""


class ClassMoved(BaseModel):
    """One class of the samples in two arms."""

    label: int
    n: int
    kept: float
    """Share of its samples' nearest neighbours that are the same in both arms."""


class SpaceMoved(BaseModel):
    """How much two arms agree on the same samples at one epoch."""

    seed: int
    epoch: int
    a: str
    b: str
    k: int
    """Neighbours of each sample that are compared."""
    kept: float
    """The share of all samples."""
    chance: float
    """The share that two random spaces would keep."""
    classes: list[ClassMoved]
    """The class that moved most first."""
    cka: float | None
    """Linear CKA, debiased; None where it is not defined."""
    cka_biased: float | None
    """The same as Kornblith et al. 2019 define it."""
    among: int
    """Samples that CKA compares."""


class Earlier(BaseModel):
    """A ready answer to the same question of earlier snapshots."""

    id: str
    n: int
    epochs: list[int]
    arms: list[str]
    coordinates: str


class ProjectionOut(BaseModel):
    """Coordinates of snapshots, or the progress of their computation."""

    id: str
    state: Literal["queued", "running", "ready", "failed", "cancelled"]
    progress: float
    place: int | None
    """In line, counted from 1, while it is queued; those that are computed count too."""
    eta_s: float | None
    """Seconds until it is ready; None if it is not on its way."""
    error: str | None
    method: Method
    dims: Literal[2, 3]
    seed: int
    n: int
    epochs: list[int]
    """The epochs that all arms have."""
    arms: list[str]
    coordinates: str | None
    """Path of float32 numbers, little-endian, [arm, epoch, sample, axis]; None until ready."""
    earlier: Earlier | None
    """An older answer to show until this one is ready; it was made from other snapshots."""


class Size(BaseModel):
    """What deleting a comparison frees."""

    bytes: int
    """Size of the blobs that no other comparison needs."""
    points: int
    """Points of its series."""
    runs: int
