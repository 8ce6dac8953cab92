"""Entry point of `python -m launcher`.

The launcher itself runs `up` and `check`. All other commands are passed on to the command line of
the client (`frontend.cli`) or of the backend.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn

from launcher import check, up
from launcher.console import LauncherError
from launcher.options import parse
from launcher.processes.plan import ROOT

MODULE_COMMANDS: Final = {
    **dict.fromkeys(("submit", "watch", "list", "export", "report"), "frontend.cli"),
    **dict.fromkeys(("verdict", "leaderboard"), "frontend.cli"),
    **dict.fromkeys(("migrate", "copy", "backup", "restore", "token"), "backend.admin"),
}
"""Command -> the module that runs it."""


def module_command(arguments: Sequence[str]) -> list[str]:
    """Return the command line that runs the module for these arguments."""
    return [sys.executable, "-m", MODULE_COMMANDS[arguments[0]], *arguments]


def module_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the repository on PYTHONPATH.

    The module is then found from every working directory.
    """
    path = os.pathsep.join(filter(None, (str(ROOT), environ.get("PYTHONPATH"))))
    return {**environ, "PYTHONPATH": path}


def replace_with_module(arguments: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by the module's: that one gets the signals and sets the exit status."""
    os.execve(sys.executable, module_command(arguments), module_environment(environ))


def run_reporting_errors(command: Callable[[], int | None]) -> int:
    """Run a command and return its exit status.

    A LauncherError becomes one line on stderr and exit status 1.
    """
    try:
        return command() or 0
    except LauncherError as error:
        print(f"launcher: {error}", file=sys.stderr)
        return 1


def main() -> int:
    """Run the command of the command line and return its exit status."""
    if sys.argv[1:2] and sys.argv[1] in MODULE_COMMANDS:
        replace_with_module(sys.argv[1:], os.environ)
    name, options = parse(sys.argv[1:], os.environ)
    if name == "up":
        return up.run(options)
    lines, fine = check.report(options)
    print("\n".join(lines))
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(run_reporting_errors(main))
