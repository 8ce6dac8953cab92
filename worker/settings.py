"""Settings of a worker slot and its trainers, read from the environment once per process."""

import math
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from contract import logs
from contract.names import DEVICES
from worker.errors import SettingsError


@dataclass(frozen=True)
class Settings:
    """What one slot and its trainers need to know."""

    broker_url: str
    """REDIS_URL: wakes the slot and carries the events."""
    api_url: str
    """LOSSBOARD_API_URL: where the slot claims runs, without the API's prefix."""
    token: str
    """LOSSBOARD_WORKER_TOKEN: the secret shared with the API."""
    name: str
    """LOSSBOARD_WORKER_NAME: unique among all slots; the host's name unless given."""
    device: str = "cpu"
    """LOSSBOARD_DEVICE: cpu or cuda."""
    torch_threads: int = 1
    """LOSSBOARD_TORCH_THREADS: CPU threads of one trainer."""
    checkpoint_s: float = 30.0
    """LOSSBOARD_CHECKPOINT_S: seconds between a run's checkpoints; 0 for none."""
    log_format: str = "text"
    """LOSSBOARD_LOG_FORMAT: text or json."""
    drain_s: float = 0.0
    """LOSSBOARD_DRAIN_S: seconds that a run may take to end when its slot is asked to stop; then it
    is given back at a checkpoint."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the environment.

        Raises:
            SettingsError: a variable is missing or has no usable value; names all of them.
        """
        problems = [
            f"{name} is not set ({why})"
            for name, why in (
                ("REDIS_URL", "the broker, e.g. redis://127.0.0.1:6379/0"),
                ("LOSSBOARD_API_URL", "the API, e.g. http://127.0.0.1:8500"),
                ("LOSSBOARD_WORKER_TOKEN", "the secret shared with the API"),
            )
            if not environ.get(name)
        ]
        device = environ.get("LOSSBOARD_DEVICE", "cpu")
        if device not in DEVICES:
            problems.append(f"LOSSBOARD_DEVICE is {device!r}; known are {', '.join(DEVICES)}")
        threads = environ.get("LOSSBOARD_TORCH_THREADS", "1")
        if not threads.isdecimal() or int(threads) < 1:
            problems.append(f"LOSSBOARD_TORCH_THREADS is {threads!r}; needs a number from 1 up")
        checkpoint_s = _number(environ.get("LOSSBOARD_CHECKPOINT_S") or "30")
        if checkpoint_s is None:
            problems.append(
                f"LOSSBOARD_CHECKPOINT_S is {environ['LOSSBOARD_CHECKPOINT_S']!r}; "
                "needs a number of seconds, or 0 for no checkpoints"
            )
        drain_s = _number(environ.get("LOSSBOARD_DRAIN_S") or "0")
        if drain_s is None:
            problems.append(
                f"LOSSBOARD_DRAIN_S is {environ['LOSSBOARD_DRAIN_S']!r}; needs a number of seconds"
            )
        log_format = "text"
        try:
            log_format = logs.chosen(environ)
        except ValueError as error:
            problems.append(str(error))
        if problems or checkpoint_s is None or drain_s is None:
            raise SettingsError("; ".join(problems))
        return cls(
            broker_url=environ["REDIS_URL"],
            api_url=environ["LOSSBOARD_API_URL"].rstrip("/"),
            token=environ["LOSSBOARD_WORKER_TOKEN"],
            name=environ.get("LOSSBOARD_WORKER_NAME") or socket.gethostname(),
            device=device,
            torch_threads=int(threads),
            checkpoint_s=checkpoint_s,
            log_format=log_format,
            drain_s=drain_s,
        )


def datasets_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """LOSSBOARD_DATASETS_DIR: where downloaded data sets lie, all of them below one folder."""
    return Path(environ.get("LOSSBOARD_DATASETS_DIR") or "data/datasets").absolute()


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """LOSSBOARD_CACHE_DIR: where what can be computed again is kept; by default beside the data
    sets."""
    named = environ.get("LOSSBOARD_CACHE_DIR")
    return Path(named).absolute() if named else datasets_folder(environ).parent / "cache"


def cache_bytes(environ: Mapping[str, str] = os.environ) -> int:
    """LOSSBOARD_CACHE_GB: what the kept features may take together, in bytes; 20 GB by default.

    Raises:
        SettingsError: it is no number from 0 up.
    """
    given = environ.get("LOSSBOARD_CACHE_GB") or "20"
    size = _number(given)
    if size is None:
        raise SettingsError(f"LOSSBOARD_CACHE_GB is {given!r}; needs a number from 0 up")
    return int(size * 1e9)


def _number(given: str) -> float | None:
    """A finite number from 0 up, or None."""
    try:
        number = float(given)
    except ValueError:
        return None
    return number if 0 <= number < math.inf else None
