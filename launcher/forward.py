"""Commands that are passed on to the client's or the backend's own command line."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

from launcher.plan import ROOT

COMMANDS: Final = {
    **dict.fromkeys(("submit", "watch", "list", "export", "report"), "frontend.cli"),
    **dict.fromkeys(("migrate", "copy", "backup", "restore"), "backend.admin"),
    "token": "backend.auth",
}
"""Command -> the module that is run for it."""


def command(arguments: Sequence[str]) -> list[str]:
    """What to run for what was typed."""
    return [sys.executable, "-m", COMMANDS[arguments[0]], *arguments]


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment, in which our folders are found from wherever the command was typed."""
    path = os.pathsep.join(filter(None, (str(ROOT), environ.get("PYTHONPATH"))))
    return {**environ, "PYTHONPATH": path}


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Become that process: its signals and its exit status are its own."""
    os.execve(sys.executable, command(arguments), environment(environ))
