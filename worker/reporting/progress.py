"""How code that takes a while says how far it is, without knowing who listens."""

from typing import Final, Protocol


class Progress(Protocol):
    """Told how far something is; as often as one likes, for whoever listens throttles it."""

    def __call__(self, what: str, done: float, total: float | None, unit: str = "items") -> None:
        """Say how far it is.

        Args:
            what: the work, as "downloading cifar-10-python.tar.gz".
            done: how much of it is done.
            total: how much there is in all; None where nobody knows.
            unit: of both, "items", "images" or "bytes".

        Raises:
            CancelledError: the run was cancelled. Let it pass, and leave nothing half done.
        """


class _Silent:
    def __call__(self, what: str, done: float, total: float | None, unit: str = "items") -> None:
        pass


SILENT: Final[Progress] = _Silent()
"""Tells nobody."""
