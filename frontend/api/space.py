"""The API's calls for the space of a comparison: samples, facts, neighbours, projections."""

from frontend.api.transport import Transport, part
from frontend.api.types import (
    Projection,
    Size,
    Space,
    SpaceDistances,
    SpaceFacts,
    SpaceNeighbours,
)


class SpaceCalls(Transport):
    """What snapshots say, and what they take up."""

    def space(self, comparison: str) -> Space:
        """The held-out samples, and which runs have snapshots of which epochs."""
        return self._call(Space, "GET", f"/comparisons/{part(comparison)}/space")

    def space_facts(self, comparison: str, *, seed: int, epoch: int) -> SpaceFacts:
        """What every arm makes of each sample at an epoch."""
        path = f"/comparisons/{part(comparison)}/space/facts"
        return self._call(SpaceFacts, "GET", path, params={"seed": seed, "epoch": epoch})

    def neighbours(
        self, comparison: str, *, seed: int, epoch: int, sample: int, k: int = 10
    ) -> SpaceNeighbours:
        """The nearest other samples of one sample in every arm, at most k."""
        params = {"seed": seed, "epoch": epoch, "sample": sample, "k": k}
        path = f"/comparisons/{part(comparison)}/space/neighbours"
        return self._call(SpaceNeighbours, "GET", path, params=params)

    def distances(self, comparison: str, *, seed: int) -> SpaceDistances:
        """Histograms of the distances of pairs, for every arm and epoch."""
        path = f"/comparisons/{part(comparison)}/space/distances"
        return self._call(SpaceDistances, "GET", path, params={"seed": seed})

    def projection(
        self, comparison: str, *, seed: int, method: str = "pca", dims: int = 2
    ) -> Projection:
        """The coordinates' path, or how far they are; the first to ask has them made.

        Args:
            comparison: its id.
            seed: whose snapshots are projected.
            method: pca, tsne or pacmap.
            dims: 2 or 3.
        """
        params = {"seed": seed, "method": method, "dims": dims}
        path = f"/comparisons/{part(comparison)}/projection"
        return self._call(Projection, "GET", path, params=params)

    def size(self, comparison: str) -> Size:
        """What deleting a comparison frees."""
        return self._call(Size, "GET", f"/comparisons/{part(comparison)}/size")
