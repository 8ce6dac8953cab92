"""Answers about the snapshots of a comparison, which are read from their JSON blobs."""

import io
import threading
from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeVar

import numpy as np
from cachetools import LRUCache, cached
from fastapi.exceptions import RequestValidationError
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlmodel import Session

from backend.comparisons import repository as comparisons
from backend.embeddings.schemas import (
    ArmDistances,
    ArmFacts,
    ArmNeighbours,
    Neighbour,
    RunEpochs,
    SamplesOut,
    Size,
    Space,
    SpaceDistances,
    SpaceFacts,
    SpaceNeighbours,
)
from backend.embeddings.tuples import HardestTuples, hardest_tuples
from backend.errors import NotFoundError
from backend.http.dependencies import from_state
from backend.metrics import points
from backend.runs import repository as runs
from backend.runs import snapshots
from backend.runs.snapshots import SnapshotRow
from backend.storage.blobs import Blobs
from contract.names import API_PREFIX
from contract.snapshots import Facts, Histogram, Samples

CACHED_FACTS: Final = 16
"""Facts of 10,000 samples take some 10 MB."""
CACHED_SAMPLES: Final = 8
CACHED_HISTOGRAMS: Final = 4096
CACHED_TUPLES: Final = 512

Shape = TypeVar("Shape", bound=BaseModel)


class _Distances(BaseModel):
    """The small part of Facts."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    histogram: Histogram


class SnapshotReader:
    """Reads the JSON blobs of snapshots, and caches the last ones.

    Every method raises NotFoundError if the blob is missing or cannot be read.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        # A blob never changes, so what is cached never grows old.
        lock = threading.Lock()
        self._samples = cached(LRUCache(CACHED_SAMPLES), lock=lock)(self._read_samples)
        self._facts = cached(LRUCache(CACHED_FACTS), lock=lock)(self._read_facts)
        self._histograms = cached(LRUCache(CACHED_HISTOGRAMS), lock=lock)(self._read_histogram)
        self._computing = threading.Lock()
        self._hardest = cached(LRUCache(CACHED_TUPLES))(self._find_hardest)

    def samples(self, digest: str) -> Samples:
        """Return what the points of a snapshot are: ids, labels and classes."""
        return self._samples(digest)

    def facts(self, digest: str) -> Facts:
        """Return what one run measured of each sample."""
        return self._facts(digest)

    def histogram(self, digest: str) -> Histogram:
        """Return the histogram of distances in the facts with this digest; read nothing else."""
        return self._histograms(digest)

    def embeddings(self, digest: str) -> NDArray[Any]:
        """Return the embeddings [N, D] of a snapshot; not cached, for they are large."""
        content = self._blobs.read(digest)
        try:
            found: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
        except ValueError as error:
            raise NotFoundError(f"the blob {digest} has no embeddings: {error}") from error
        return found

    def hardest(self, embeddings: str, samples: str) -> HardestTuples:
        """Return the hardest tuples of the snapshot with these digests."""
        with self._computing:  # one after the other: each takes much memory, and is wanted once
            return self._hardest(embeddings, samples)

    def _find_hardest(self, embeddings: str, samples: str) -> HardestTuples:
        labels = np.array(self.samples(samples).labels)
        return hardest_tuples(self.embeddings(embeddings), labels)

    def _read_samples(self, digest: str) -> Samples:
        return self._parsed(Samples, digest)

    def _read_facts(self, digest: str) -> Facts:
        return self._parsed(Facts, digest)

    def _read_histogram(self, digest: str) -> Histogram:
        return self._parsed(_Distances, digest).histogram

    def _parsed(self, shape: type[Shape], digest: str) -> Shape:
        content = self._blobs.read(digest)
        try:
            return shape.model_validate_json(content)
        except ValidationError as error:
            raise NotFoundError(
                f"the blob {digest} cannot be read as this API reads it; a worker of another "
                f"version may have made it: {error.error_count()} problems, the first "
                f"{error.errors()[0]['msg']!r}"
            ) from error


BlobReader = Annotated[SnapshotReader, from_state("reader")]


def blob_path(comparison: str, digest: str) -> str:
    """Return the HTTP path of a blob of a comparison."""
    return f"{API_PREFIX}/comparisons/{comparison}/blobs/{digest}"


def space(
    session: Session, reader: SnapshotReader, comparison: str, seed: int | None = None
) -> Space:
    """Return the samples, and which runs have snapshots of which epochs.

    Args:
        session: to read with.
        reader: of blobs.
        comparison: id of the comparison.
        seed: whose samples; of the first seed with snapshots if it is None or has none.
    """
    comparisons.get(session, comparison)
    shown = snapshots.of_comparison(session, comparison)
    epochs: dict[str, RunEpochs] = {}
    for row in shown:
        run = RunEpochs(arm=row.arm, seed=row.seed, run=row.run, epochs=[])
        epochs.setdefault(row.run, run).epochs.append(row.epoch)
    own = [row for row in shown if row.seed == seed] or shown
    return Space(
        samples=_samples(reader, comparison, own) if own else None,
        shared=len({row.samples for row in shown}) <= 1,
        seeds=list(dict.fromkeys(row.seed for row in shown)),
        runs=list(epochs.values()),
    )


def facts(
    session: Session, reader: SnapshotReader, comparison: str, *, seed: int, epoch: int
) -> SpaceFacts:
    """Return what every arm has measured of each sample at an epoch."""
    arms = []
    for row in of_epoch(session, comparison, seed, epoch):
        read = reader.facts(row.facts)
        arms.append(
            ArmFacts(
                arm=row.arm,
                run=row.run,
                correct=read.correct,
                centroid_distance=read.centroid_distance,
                average_precision=read.average_precision,
                classes=read.classes,
                histogram=read.histogram,
            )
        )
    return SpaceFacts(seed=seed, epoch=epoch, arms=arms)


def neighbours(
    session: Session,
    reader: SnapshotReader,
    comparison: str,
    *,
    seed: int,
    epoch: int,
    sample: int,
    k: int,
) -> SpaceNeighbours:
    """Return the nearest other samples of one sample in every arm."""
    rows = of_epoch(session, comparison, seed, epoch)
    labels = reader.samples(rows[0].samples).labels
    if sample >= len(labels):
        raise RequestValidationError(
            [
                {
                    "type": "value_error",
                    "loc": ("query", "sample"),
                    "msg": f"there is no sample {sample}; name one of 0 to {len(labels) - 1}",
                    "input": sample,
                }
            ]
        )
    arms = []
    for row in rows:
        read = reader.facts(row.facts)
        near = zip(read.neighbours[sample], read.distances[sample], strict=True)
        found = [
            Neighbour(sample=other, distance=distance, hit=labels[other] == labels[sample])
            for other, distance in near
        ]
        arms.append(ArmNeighbours(arm=row.arm, neighbours=found[:k]))
    return SpaceNeighbours(seed=seed, epoch=epoch, sample=sample, arms=arms)


def distances(
    session: Session, reader: SnapshotReader, comparison: str, *, seed: int
) -> SpaceDistances:
    """Return histograms of the distances of pairs, for every arm and epoch."""
    arms: dict[str, ArmDistances] = {}
    for row in _of_seed(session, comparison, seed):
        arm = arms.setdefault(row.arm, ArmDistances(arm=row.arm, epochs=[], histograms=[]))
        arm.epochs.append(row.epoch)
        arm.histograms.append(reader.histogram(row.facts))
    return SpaceDistances(seed=seed, arms=list(arms.values()))


def size(session: Session, blobs: Blobs, comparison: str) -> Size:
    """Return what deleting a comparison frees: bytes of blobs, points and runs."""
    comparisons.get(session, comparison)
    digests = snapshots.blob_kinds(session, comparison).keys()
    return Size(
        bytes=blobs.size(digests - snapshots.used_digests(session, excluding=comparison)),
        points=points.count(session, comparison),
        runs=len(runs.of_comparison(session, comparison, "all")),
    )


def _of_seed(session: Session, comparison: str, seed: int) -> list[SnapshotRow]:
    comparisons.get(session, comparison)
    rows = snapshots.of_comparison(session, comparison, seed)
    if not rows:
        raise NotFoundError(
            f"comparison {comparison!r} has no snapshot of seed {seed} yet; "
            f"GET /comparisons/{comparison}/space says of which seeds it has"
        )
    return rows


def of_epoch(session: Session, comparison: str, seed: int, epoch: int) -> list[SnapshotRow]:
    """Return the arms' snapshots of an epoch, at least one.

    Raises:
        NotFoundError: there is none.
    """
    rows = _of_seed(session, comparison, seed)
    found = [row for row in rows if row.epoch == epoch]
    if not found:
        known = ", ".join(map(str, sorted({row.epoch for row in rows})))
        raise NotFoundError(f"seed {seed} has no snapshot of epoch {epoch}; it has {known}")
    return found


def _samples(reader: SnapshotReader, comparison: str, shown: Sequence[SnapshotRow]) -> SamplesOut:
    digest = shown[0].samples
    read = reader.samples(digest)
    same = [row for row in shown if row.samples == digest]
    sprite = next((row.sprite for row in same if row.sprite), None)
    sounds = next((row.sounds for row in same if row.sounds), None)
    return SamplesOut(
        n=len(read.labels),
        sprite=blob_path(comparison, sprite) if sprite else None,
        sounds=blob_path(comparison, sounds) if sounds else None,
        **read.model_dump(),
    )
