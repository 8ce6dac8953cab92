"""What the launcher prints: the errors that end it, and log lines as text or JSON.

LauncherError
├── OptionsError   the command line contradicts itself or the rules
├── SettingsError  environment variables are wrong, or unknown
├── PortError      an address is in use or may not be bound
├── FolderError    another launcher runs on the data folder, or it cannot be written
├── BrokerError    no broker is bundled for this platform and REDIS_URL is not set
├── StartError     a process ended, or did not answer, before it was ready
└── DemoError      the first comparison was not submitted (`launcher.up`)
"""

import datetime
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Final


class LauncherError(Exception):
    """An error that is shown to the user as one line."""


class OptionsError(LauncherError):
    """The command line contradicts itself or the rules."""


class SettingsError(LauncherError):
    """Environment variables are wrong or unknown; the text has a line for each."""


class PortError(LauncherError):
    """An address is in use or may not be bound."""


class FolderError(LauncherError):
    """Another launcher runs on the data folder, or it cannot be written."""


class BrokerError(LauncherError):
    """No broker is bundled for this platform and REDIS_URL is not set."""


class StartError(LauncherError):
    """A process ended, or did not answer, before it was ready."""


PrintLine = Callable[[str], None]
"""Prints one line; a line of a process begins with the name of the process in brackets."""
LOG_FORMATS: Final = ("text", "json")
_PROCESS_LINE: Final = re.compile(r"\[([\w-]+)\] (.*)", re.DOTALL)


def line_printer(environ: Mapping[str, str]) -> PrintLine:
    """Return the function that prints lines in the format of LOSSBOARD_LOG_FORMAT.

    Raises:
        OptionsError: the format is unknown.
    """
    name = environ.get("LOSSBOARD_LOG_FORMAT") or LOG_FORMATS[0]
    if name not in LOG_FORMATS:
        raise OptionsError(f"LOSSBOARD_LOG_FORMAT is {name!r}; known are {', '.join(LOG_FORMATS)}")
    return print_line if name == "text" else print_json_line


def print_line(line: str) -> None:
    """Print one line at once; a closed terminal must not bring the processes down."""
    try:
        print(line, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def print_json_line(line: str) -> None:
    """Print one line as a JSON object with the name of the process.

    A line that is a JSON object already keeps its fields. Any other line, such as the broker's,
    becomes the message of a new object.
    """
    match = _PROCESS_LINE.fullmatch(line)
    process, text = match.groups() if match else ("launcher", line)
    fields = _json_object(text) or {
        "time": datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="milliseconds"),
        "level": "INFO",
        "logger": process,
        "message": text,
    }
    print_line(json.dumps({**fields, "process": process}, ensure_ascii=False))


def _json_object(text: str) -> dict[str, object] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
