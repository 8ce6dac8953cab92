"""What a team that shares a board calls: the queue, more seeds, what a deletion frees."""

from collections.abc import Sequence

from frontend.api.transport import Transport, part
from frontend.api.types import ComparisonDetail, Queue, Run, Size


class TeamCalls(Transport):
    """Calls of the queue, and of comparisons as what a team shares."""

    def queue(self, *, page: int = 1, page_size: int = 200) -> Queue:
        """The worker slots with their runs, and one page of what waits, the next run first."""
        return self._call(Queue, "GET", "/queue", params={"page": page, "page_size": page_size})

    def move_to_front(self, comparison: str) -> ComparisonDetail:
        """Let its runs that wait go before all others, in their own order."""
        return self._call(ComparisonDetail, "POST", f"/comparisons/{part(comparison)}/front")

    def move_run_to_front(self, run: str) -> Run:
        """Let a run that waits go before all others."""
        return self._call(Run, "POST", f"/runs/{part(run)}/front")

    def add_seeds(self, comparison: str, seeds: Sequence[int]) -> ComparisonDetail:
        """Run every arm with more seeds too; a problem with one is in the error."""
        path = f"/comparisons/{part(comparison)}/seeds"
        return self._call(ComparisonDetail, "POST", path, body={"seeds": list(seeds)})

    def size(self, comparison: str) -> Size:
        """What a comparison takes, and its deletion frees."""
        return self._call(Size, "GET", f"/comparisons/{part(comparison)}/size")
