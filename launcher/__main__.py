"""Entry of `python -m launcher`."""

import os
import sys
from collections.abc import Callable

from launcher import check, forward, up
from launcher.errors import LauncherError
from launcher.options import parse


def guarded(command: Callable[[], int | None]) -> int:
    """Run a command; what is in its way becomes one line on stderr and exit status 1."""
    try:
        return command() or 0
    except LauncherError as error:
        print(f"launcher: {error}", file=sys.stderr)
        return 1


def main() -> int:
    """Run the command that was typed."""
    if sys.argv[1:2] and sys.argv[1] in forward.COMMANDS:
        forward.run(sys.argv[1:], os.environ)
    name, options = parse(sys.argv[1:], os.environ)
    if name == "up":
        return up.run(options)
    lines, fine = check.report(options)
    print("\n".join(lines))
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(guarded(main))
