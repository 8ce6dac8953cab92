"""Snapshots: an arm's embeddings of the same held-out samples, epoch by epoch, kept as blobs."""

from worker.snapshots.keeper import Checkpoint, Keeper, NewArtifact, NoKeeper, SnapshotKeeper
from worker.snapshots.samples import SampleSet, draw_samples

__all__ = [
    "Checkpoint",
    "Keeper",
    "NewArtifact",
    "NoKeeper",
    "SampleSet",
    "SnapshotKeeper",
    "draw_samples",
]
