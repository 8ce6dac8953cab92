"""A progress that remembers, and that cancels when it is asked to."""

from worker.errors import CancelledError


class Told:
    """What was told, as (what, done, total, unit)."""

    def __init__(self, cancel: str | None = None) -> None:
        self.calls: list[tuple[str, float, float | None, str]] = []
        self._cancel = cancel
        """Work that begins with this is cancelled, once some of it is done if it is told."""

    def __call__(self, what: str, done: float, total: float | None, unit: str = "items") -> None:
        self.calls.append((what, done, total, unit))
        if self._cancel and what.startswith(self._cancel) and (done or total is None):
            raise CancelledError("cancelled")

    def of(self, what: str) -> list[tuple[float, float | None, str]]:
        """What was told of one work."""
        return [call[1:] for call in self.calls if call[0] == what]
