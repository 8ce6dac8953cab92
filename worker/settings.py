"""Settings of a worker slot and its trainers, read from the environment once per process."""

import math
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    TypeAdapter,
    ValidationError,
)
from pydantic.dataclasses import dataclass

from contract import logs
from contract.names import DEVICES
from contract.settings import (
    DATA_ROOTS,
    MODEL_ROOTS,
    DataRoots,
    Folders,
    problem,
    problem_lines,
    unknown_names,
    variable,
)
from worker.errors import SettingsError


def _seconds(hint: str) -> BeforeValidator:
    """Parse the text of a variable as a finite number from 0 up."""

    def parse(value: object) -> object:
        if not isinstance(value, str):
            return value
        number = _number(value)
        if number is None:
            raise problem(f"is {value!r}; needs a number of seconds{hint}")
        return number

    return BeforeValidator(parse)


def _threads(value: object) -> object:
    if isinstance(value, str) and not (value.isdecimal() and int(value) >= 1):
        raise problem(f"is {value!r}; needs a number from 1 up")
    return value


def _among(names: tuple[str, ...]) -> BeforeValidator:
    """Refuse what is none of these names."""

    def check(value: object) -> object:
        if value not in names:
            raise problem(f"is {value!r}; known are {', '.join(names)}")
        return value

    return BeforeValidator(check)


PML: Final = "pml"
"""The losses of pytorch-metric-learning."""
ENTRY_POINTS: Final = "entry_points"
"""Losses of installed packages."""


def _losses(value: object) -> object:
    """Parse a list, by commas, of sources of losses."""
    if not isinstance(value, str):
        return value
    names = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    for name in names:
        if name not in {PML, ENTRY_POINTS} and not Path(name).is_absolute():
            raise problem(
                f"names {name!r}; needs {PML}, {ENTRY_POINTS} or absolute paths of folders"
            )
    return names


@dataclass(frozen=True, config=ConfigDict(validate_by_name=True, validate_by_alias=True))
class Settings:
    """Settings of one slot and its trainers; tests may make them without an environment."""

    broker_url: Annotated[str, variable("REDIS_URL")]
    """The broker, which wakes the slot and carries the events."""
    api_url: Annotated[
        str, variable("LOSSBOARD_API_URL"), AfterValidator(lambda url: url.rstrip("/"))
    ]
    """Where the slot claims runs, without the API's prefix."""
    token: Annotated[str, variable("LOSSBOARD_WORKER_TOKEN")]
    """The secret shared with the API."""
    name: Annotated[str, variable("LOSSBOARD_WORKER_NAME")]
    """Unique among all slots; the host's name unless given."""
    device: Annotated[str, variable("LOSSBOARD_DEVICE"), _among(DEVICES)] = "cpu"
    """cpu or cuda."""
    torch_threads: Annotated[
        int, variable("LOSSBOARD_TORCH_THREADS"), BeforeValidator(_threads)
    ] = 1
    """CPU threads of one trainer."""
    checkpoint_s: Annotated[
        float, variable("LOSSBOARD_CHECKPOINT_S"), _seconds(", or 0 for no checkpoints")
    ] = 30.0
    """Seconds between a run's checkpoints; 0 for none."""
    log_format: Annotated[str, variable(logs.FORMAT_VARIABLE), _among(logs.FORMATS)] = logs.FORMATS[
        0
    ]
    """text or json."""
    drain_s: Annotated[float, variable("LOSSBOARD_DRAIN_S"), _seconds("")] = 0.0
    """Seconds that a run may take to finish when its slot is asked to stop; after that it is
    returned to the queue with a checkpoint."""

    hang_s: Annotated[float, variable("LOSSBOARD_HANG_S"), _seconds(", or 0 for no limit")] = 600.0
    """Longest time in seconds without a sign of life from a trainer, after which its attempt is
    lost; shorter where its own pace shows that it hangs. 0 for no limit."""

    data_roots: Annotated[DataRoots, variable(DATA_ROOTS)] = ()
    """Folders in which files and folders of specs must lie; none: anywhere."""

    model_roots: Annotated[Folders, variable(MODEL_ROOTS)] = ()
    """Folders that models for texts lie in, which specs name; none: only the bundled one."""
    losses: Annotated[tuple[str, ...], variable("LOSSBOARD_LOSSES"), BeforeValidator(_losses)] = ()
    """Where losses from outside come from: pml, entry_points, and folders by their paths."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the settings; a variable that is empty counts as not set.

        Raises:
            SettingsError: a variable is missing, has no usable value or is no setting; its text
                has a line for each.
        """
        given = {name: value for name, value in environ.items() if value}
        problems = unknown_names(given)
        values = {"LOSSBOARD_WORKER_NAME": socket.gethostname()} | given
        try:
            cache_bytes(given)
        except SettingsError as error:
            problems.append(str(error))
        try:
            settings = TypeAdapter(cls).validate_python(values, by_alias=True, by_name=False)
        except ValidationError as error:
            problems += problem_lines(error, _MISSING)
        if problems:
            raise SettingsError("\n".join(problems))
        return settings


_MISSING: Final = {
    "REDIS_URL": "the broker, e.g. redis://127.0.0.1:6379/0",
    "LOSSBOARD_API_URL": "the API, e.g. http://127.0.0.1:8500",
    "LOSSBOARD_WORKER_TOKEN": "the secret shared with the API",
}
"""What the variables without a default are for."""


def data_roots(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Return LOSSBOARD_DATA_ROOTS, the folders in which files and folders of specs must lie.

    None means that a spec may name any path. They are separated by commas or by the separator of
    PATH.

    Raises:
        SettingsError: one of them is no absolute path.
    """
    try:
        return TypeAdapter(DataRoots).validate_python(environ.get(DATA_ROOTS, ""))
    except ValidationError as error:
        raise SettingsError(f"{DATA_ROOTS} {error.errors()[0]['msg']}") from None


def model_roots(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Return LOSSBOARD_MODEL_ROOTS, the folders that models of one's own lie in.

    A spec names a model by its folder below one of them. None means that there are no such models.

    Raises:
        SettingsError: one of them is no absolute path.
    """
    try:
        return TypeAdapter(Folders).validate_python(environ.get(MODEL_ROOTS, ""))
    except ValidationError as error:
        raise SettingsError(f"{MODEL_ROOTS} {error.errors()[0]['msg']}") from None


def datasets_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return LOSSBOARD_DATASETS_DIR, the folder of all downloaded data sets."""
    return Path(environ.get("LOSSBOARD_DATASETS_DIR") or "data/datasets").absolute()


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return LOSSBOARD_CACHE_DIR, the folder of results that can be computed again.

    By default it lies next to the folder of the data sets.
    """
    named = environ.get("LOSSBOARD_CACHE_DIR")
    return Path(named).absolute() if named else datasets_folder(environ).parent / "cache"


def cache_bytes(environ: Mapping[str, str] = os.environ) -> int:
    """Return LOSSBOARD_CACHE_GB in bytes: the limit on all kept features, 20 GB by default.

    Raises:
        SettingsError: it is not a number from 0 up.
    """
    given = environ.get("LOSSBOARD_CACHE_GB") or "20"
    size = _number(given)
    if size is None:
        raise SettingsError(f"LOSSBOARD_CACHE_GB is {given!r}; needs a number from 0 up")
    return int(size * 1e9)


def _number(given: str) -> float | None:
    """Return a finite number from 0 up, or None."""
    try:
        number = float(given)
    except ValueError:
        return None
    return number if 0 <= number < math.inf else None


if __name__ == "__main__":  # the launcher asks, before it starts anything
    try:
        Settings.from_environment()
    except SettingsError as error:
        sys.exit(str(error))
