"""The warm spare: a trainer that has imported everything before there is anything to train."""

from collections.abc import Callable

from worker.slot.trainer_process import TrainerProcess


class Spare:
    """At most one idle trainer, so that a run starts without waiting for torch's import."""

    def __init__(self, start: Callable[[], TrainerProcess]) -> None:
        self._start = start
        self._idle: TrainerProcess | None = None

    def prepare(self) -> None:
        """Start a trainer unless one is idle; call it from the slot's main thread only."""
        if self._idle is None or self._idle.exit_code is not None:
            self.close()
            self._idle = self._start()

    def take(self) -> TrainerProcess:
        """The idle trainer, now the caller's. It may still be warming up: what it is told waits."""
        self.prepare()
        taken, self._idle = self._idle, None
        assert taken is not None, "prepare() leaves one"
        return taken

    def close(self) -> None:
        """End the idle trainer."""
        if self._idle:
            self._idle.stop()
            self._idle = None
