"""The errors of the worker: one class for each thing that can go wrong, all below `WorkerError`."""


class WorkerError(Exception):
    """Any error of the worker."""


class SettingsError(WorkerError):
    """The environment lacks a setting, or one has no usable value; names all of them."""


class DataError(WorkerError):
    """A data set or weights are missing, damaged or cannot be downloaded; names the files and says
    what to do."""


class MemoryEstimateError(WorkerError):
    """A run needs more memory than is available; says how much for what."""


class CancelledError(WorkerError):
    """The run was cancelled before its first step, or while a blob was sent."""


class GivenBackError(WorkerError):
    """The training stopped at a checkpoint because its worker is stopping; another attempt goes on
    from there."""


class ApiUnavailableError(WorkerError):
    """The API gave no usable answer; trying again may help."""


class BlobRefusedError(WorkerError):
    """The API refuses a blob: it is too large, or the disk is full."""


class CheckpointError(WorkerError):
    """A checkpoint is damaged or belongs to another training; says which."""


class BlobLostError(WorkerError):
    """A blob is not in the API's store any more, or its content has changed."""


class ReporterError(WorkerError):
    """Events cannot be reported any more."""


class DivergedError(WorkerError):
    """The loss is not finite any more, or the embeddings are beyond what float32 can hold.

    Attributes:
        cause: the likely cause and what to change, for people.
        step: at which it happened.
    """

    def __init__(self, message: str, *, cause: str, step: int) -> None:
        super().__init__(message)
        self.cause = cause
        self.step = step


class InputError(WorkerError, ValueError):
    """An argument of a loss or a measure has the wrong shape, type or values; names the argument
    and what was found."""


class NotFiniteError(WorkerError):
    """Embeddings hold NaN or infinity, or have lengths that float32 cannot hold."""
