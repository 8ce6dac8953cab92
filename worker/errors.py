"""What can go wrong in the worker: one small tree."""


class WorkerError(Exception):
    """Every error of the worker."""


class SettingsError(WorkerError):
    """The environment does not say what the worker needs to know."""


class DataError(WorkerError):
    """A data set is not there, cannot be had or is damaged; names the files and what to do."""


class MemoryEstimateError(WorkerError):
    """A run needs more memory than there is; says how much of what."""


class CancelledError(WorkerError):
    """The run was cancelled while it prepared."""


class LeftError(WorkerError):
    """The training stopped at a checkpoint, for its worker leaves; it goes on elsewhere."""


class ApiUnavailableError(WorkerError):
    """The API gave no good answer; asking again may help."""


class BlobRefusedError(WorkerError):
    """The API does not take a blob: it is too large, or there is no room."""


class CheckpointError(WorkerError):
    """A checkpoint is gone, damaged or of another training; says which."""


class BlobLostError(WorkerError):
    """A blob is no longer on the API's disk, or not as it was put there."""


class ReporterError(WorkerError):
    """Events cannot be reported any more."""


class DivergedError(WorkerError):
    """The loss is no finite number any more."""

    def __init__(self, message: str, *, cause: str, step: int) -> None:
        super().__init__(message)
        self.cause = cause
        self.step = step


class InputError(WorkerError, ValueError):
    """What a loss or a measure was given has the wrong shape, type or values; names the argument
    and what was seen."""


class NotFiniteError(WorkerError):
    """Embeddings hold NaN or infinity."""
