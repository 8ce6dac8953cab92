"""Entry of `python -m launcher token NAME ROLE`: make a token and the entry that admits it."""

import argparse
import sys
from collections.abc import Sequence

from backend.auth.permissions import ROLES
from backend.auth.tokens import create_token
from backend.errors import SettingsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the token to stdout only, and its entry, which is no secret, to stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m launcher",
        description="Make a token for a person or a program. It is shown once and kept nowhere.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("token", help="a new random token, and its hashed entry")
    verb.add_argument("name", metavar="NAME", help="who it is for; what they submit goes by it")
    verb.add_argument("role", metavar="ROLE", choices=ROLES, help=", ".join(ROLES))
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    try:
        token, entry = create_token(options.name, options.role)
    except SettingsError as error:
        sys.stderr.write(f"lossboard: {error}\n")
        return 1
    sys.stderr.write(f"Add this to LOSSBOARD_TOKENS of the API, and start it again:\n{entry}\n")
    sys.stderr.write(f"Give this to {options.name.strip()}; it is shown only now:\n")
    sys.stderr.flush()
    sys.stdout.write(f"{token}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
