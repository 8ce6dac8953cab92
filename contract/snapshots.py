"""The JSON blobs of a snapshot of held-out samples: the samples, and facts about one arm.

The worker writes them; the backend and the browser read them.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Blob(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Samples(_Blob):
    """The held-out samples of a snapshot: the same for every arm, seed and epoch.

    Of paired data every item is two points, one a modality: first all audio, then all visual ones.
    """

    split: Literal["validation"] = "validation"
    total: int
    """Points that the whole split has."""
    classes: list[str]
    """Names of the labels 0, 1, 2, ..."""
    labels: list[int]
    """A point's class; as many as there are points."""
    fine: list[int] | None = None
    """Labels within the classes, which no loss sees; -1 for a point that has none."""
    modalities: list[str] | None = None
    """Names of the modalities of paired data."""
    modality: list[int] | None = None
    """A point's place in `modalities`."""
    ids: list[int]
    """Places of the points' items in the data set as it was read."""
    media: Literal["image", "spectrogram", "none"] = "none"
    """What the tiles of the sprite show."""
    tile: int | None = None
    """Side of a tile in pixels."""
    columns: int | None = None
    """Tiles in a row of the sprite."""
    sound_ends: list[float] | None = None
    """Where the recordings of the first points end in the file of sounds, in seconds; rising."""
    texts: list[str] | None = None
    """Beginnings of the points' texts, where they are texts."""
    fine_names: list[str] | None = None
    """Names of the fine labels 0, 1, 2, ..., where they have names."""

    def content(self) -> bytes:
        """Return the blob: as earlier versions wrote it where the later fields say nothing, so that
        the same samples have the same digest."""
        later = {name for name in ("texts", "fine_names") if getattr(self, name) is None}
        return self.model_dump_json(exclude=later).encode()


class Histogram(_Blob):
    """Distances of pairs of samples."""

    edges: list[float]
    """One more than there are bins."""
    positive: list[int]
    """Pairs of one class by bin."""
    negative: list[int]
    """Pairs of two classes by bin."""


class ClassFacts(_Blob):
    """One class of the samples."""

    label: int
    n: int
    variance: float
    """Mean squared distance to the class's centroid, of the embeddings as they are."""
    accuracy: float | None
    """Share of its samples whose nearest neighbour has their class; None with one sample."""


class Facts(_Blob):
    """What one arm makes of the samples; each list has a value for each of them."""

    correct: list[int | None]
    """Whether the nearest other sample has the same class; None for the only one of a class."""
    centroid_distance: list[float]
    """Euclidean distance to the own class's centroid."""
    average_precision: list[float | None]
    """AP at R: precision at each hit among the R nearest others, over R, where R others have the
    sample's class (Musgrave et al. 2020, MAP@R of one query); None where R is 0."""
    neighbours: list[list[int]]
    """The nearest others, nearest first."""
    distances: list[list[float]]
    """Their Euclidean distances."""
    classes: list[ClassFacts]
    histogram: Histogram
