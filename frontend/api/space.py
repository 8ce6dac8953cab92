"""The part of the client that asks about the embeddings kept in snapshots."""

from frontend.api.transport import Transport, comparison_path
from frontend.api.types import (
    Projection,
    Space,
    SpaceDistances,
    SpaceFacts,
    SpaceHardest,
    SpaceMoved,
    SpaceNeighbours,
)


class SpaceCalls(Transport):
    """Calls about the held-out samples whose embeddings are kept."""

    def space(self, comparison: str, *, seed: int | None = None) -> Space:
        """Return the held-out samples, of one seed or the first, and which runs have snapshots of
        which epochs."""
        params = {} if seed is None else {"seed": seed}
        return self._call(Space, "GET", comparison_path(comparison, "space"), params=params)

    def space_facts(self, comparison: str, *, seed: int, epoch: int) -> SpaceFacts:
        """Return each sample's correctness, distance to centroid and average precision, by arm."""
        path = comparison_path(comparison, "space/facts")
        return self._call(SpaceFacts, "GET", path, params={"seed": seed, "epoch": epoch})

    def neighbours(
        self, comparison: str, *, seed: int, epoch: int, sample: int, k: int = 10
    ) -> SpaceNeighbours:
        """Return the k nearest other samples of one sample in every arm."""
        params = {"seed": seed, "epoch": epoch, "sample": sample, "k": k}
        path = comparison_path(comparison, "space/neighbours")
        return self._call(SpaceNeighbours, "GET", path, params=params)

    def distances(self, comparison: str, *, seed: int) -> SpaceDistances:
        """Return histograms of the distances of pairs, for every arm and epoch."""
        path = comparison_path(comparison, "space/distances")
        return self._call(SpaceDistances, "GET", path, params={"seed": seed})

    def hardest(self, comparison: str, *, seed: int, epoch: int) -> SpaceHardest:
        """Return every arm's hardest triplets and pairs, and samples whose label is suspect."""
        path = comparison_path(comparison, "space/hardest")
        return self._call(SpaceHardest, "GET", path, params={"seed": seed, "epoch": epoch})

    def moved(
        self, comparison: str, *, seed: int, epoch: int, a: str | None = None, b: str | None = None
    ) -> SpaceMoved:
        """Return how much two arms agree, the first two unless they are named: neighbours kept by
        class, and linear CKA."""
        named = {key: arm for key, arm in (("a", a), ("b", b)) if arm is not None}
        params = {"seed": seed, "epoch": epoch, **named}
        return self._call(
            SpaceMoved, "GET", comparison_path(comparison, "space/moved"), params=params
        )

    def projection(
        self, comparison: str, *, seed: int, method: str = "pca", dims: int = 2
    ) -> Projection:
        """Return the path of the coordinates, or their progress; the first call starts the work.

        Args:
            comparison: its id.
            seed: whose snapshots are projected.
            method: pca, tsne or pacmap.
            dims: 2 or 3.
        """
        return self._projection("GET", comparison, seed=seed, method=method, dims=dims)

    def restart_projection(
        self, comparison: str, *, seed: int, method: str = "pca", dims: int = 2
    ) -> Projection:
        """Start a projection that was cancelled or has failed, behind all that wait."""
        return self._projection("POST", comparison, seed=seed, method=method, dims=dims)

    def cancel_projection(
        self, comparison: str, *, seed: int, method: str = "pca", dims: int = 2
    ) -> Projection:
        """Cancel a projection for all who wait for it; a result that is ready stays."""
        return self._projection("DELETE", comparison, seed=seed, method=method, dims=dims)

    def _projection(self, call: str, comparison: str, **asked: str | int) -> Projection:
        return self._call(Projection, call, comparison_path(comparison, "projection"), params=asked)
