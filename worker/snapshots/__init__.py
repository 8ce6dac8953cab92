"""Snapshots: what an arm makes of the same held-out samples, epoch by epoch, kept as blobs."""

from worker.snapshots.keeper import Keeper, NoKeeper, Saved, SnapshotKeeper
from worker.snapshots.samples import Material, gather

__all__ = ["Keeper", "Material", "NoKeeper", "Saved", "SnapshotKeeper", "gather"]
