"""Entry of `python -m launcher`.

Commands that are passed on to the client's or the backend's own command line.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn

from launcher import check, up
from launcher.console import LauncherError
from launcher.options import parse
from launcher.processes.plan import ROOT

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


def guarded(command: Callable[[], int | None]) -> int:
    """Run a command; what is in its way becomes one line on stderr and exit status 1."""
    try:
        return command() or 0
    except LauncherError as error:
        print(f"launcher: {error}", file=sys.stderr)
        return 1


def main() -> int:
    """Run the command that was typed."""
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        run(sys.argv[1:], os.environ)
    name, options = parse(sys.argv[1:], os.environ)
    if name == "up":
        return up.run(options)
    lines, fine = check.report(options)
    print("\n".join(lines))
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(guarded(main))
