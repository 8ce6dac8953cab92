"""Snapshots: an arm's embeddings of the same held-out samples, epoch by epoch, kept as blobs."""

from worker.snapshots.keeper import Checkpoint, Keeper, NoKeeper, SnapshotKeeper
from worker.snapshots.samples import SampleSet, draw_samples

__all__ = [
    "Checkpoint",
    "Keeper",
    "NoKeeper",
    "SampleSet",
    "SnapshotKeeper",
    "draw_samples",
]
