"""A Progress that records its reports, and cancels the work if asked to."""

from worker.errors import CancelledError


class RecordedProgress:
    """Keeps the reports as (what, done, total, unit)."""

    def __init__(self, cancel: str | None = None) -> None:
        """Cancel the work whose name begins with `cancel`, once some of it is done; at its first
        report if its total is not known."""
        self.calls: list[tuple[str, float, float | None, str]] = []
        self._cancel = cancel

    def __call__(self, what: str, done: float, total: float | None, unit: str = "items") -> None:
        """Record a report."""
        self.calls.append((what, done, total, unit))
        if self._cancel and what.startswith(self._cancel) and (done or total is None):
            raise CancelledError("cancelled")

    def of(self, what: str) -> list[tuple[float, float | None, str]]:
        """Return the reports of one work."""
        return [call[1:] for call in self.calls if call[0] == what]
