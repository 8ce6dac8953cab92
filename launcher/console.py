"""What can keep the launcher from starting.

LauncherError
├── OptionsError   the command line contradicts itself or the rules
├── PortError      an address is in use or may not be bound
├── FolderError    another launcher runs on the data folder, or it cannot be written
├── BrokerError    no broker is bundled for this platform and REDIS_URL is not set
└── StartError     a process ended, or did not answer, before it was ready

What can keep the launcher from starting.

LauncherError
├── OptionsError   the command line contradicts itself or the rules
├── PortError      an address is in use or may not be bound
├── FolderError    another launcher runs on the data folder, or it cannot be written
├── BrokerError    no broker is bundled for this platform and REDIS_URL is not set
└── StartError     a process ended, or did not answer, before it was ready

How the launcher prints its own lines and its processes': for people, or as JSON for machines.
"""

import datetime
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Final


class LauncherError(Exception):
    """One clear line for the person who typed the command."""


class OptionsError(LauncherError):
    """The command line contradicts itself or the rules."""


class PortError(LauncherError):
    """An address is in use or may not be bound."""


class FolderError(LauncherError):
    """Another launcher runs on the data folder, or it cannot be written."""


class BrokerError(LauncherError):
    """No broker is bundled for this platform and REDIS_URL is not set."""


class StartError(LauncherError):
    """A process ended, or did not answer, before it was ready."""


Say = Callable[[str], None]
"""Prints one line; a process's begins with its name in brackets."""
FORMATS: Final = ("text", "json")
_OF_A_PROCESS: Final = re.compile(r"\[([\w-]+)\] (.*)", re.DOTALL)


def chosen(environ: Mapping[str, str]) -> Say:
    """What LOSSBOARD_LOG_FORMAT asks for.

    Raises:
        OptionsError: there is no such format.
    """
    name = environ.get("LOSSBOARD_LOG_FORMAT") or FORMATS[0]
    if name not in FORMATS:
        raise OptionsError(f"LOSSBOARD_LOG_FORMAT is {name!r}; known are {', '.join(FORMATS)}")
    return say if name == "text" else say_json


def say(line: str) -> None:
    """Print one line at once; a closed terminal must not bring the processes down."""
    try:
        print(line, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def say_json(line: str) -> None:
    """Print it as an object: a process's own keeps its fields and gets the process's name; what is
    no object, as the broker's lines, becomes the message of one."""
    found = _OF_A_PROCESS.fullmatch(line)
    process, text = found.groups() if found else ("launcher", line)
    own = _object(text) or {
        "time": datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="milliseconds"),
        "level": "INFO",
        "logger": process,
        "message": text,
    }
    say(json.dumps({**own, "process": process}, ensure_ascii=False))


def _object(text: str) -> dict[str, object] | None:
    try:
        read = json.loads(text)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None
