"""docs/BACKUP.md types only what the command lines take, and names what a backup holds."""

import re
import shlex
from pathlib import Path
from typing import Final

from backend.admin import __main__ as admin
from backend.admin import token_command
from backend.admin.archive import FORMAT
from launcher import __main__, options

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = (ROOT / "docs" / "BACKUP.md").read_text()


def typed() -> list[list[str]]:
    """The words behind `python -m launcher` and `python -m backend.admin`, wherever they stand."""
    found = re.findall(r"python -m (?:launcher|backend\.admin) ([a-z][^\n`]*)", PAGE)
    return [shlex.split(line) for line in found]


def test_every_command_is_one_that_the_parsers_take() -> None:
    taken = set()
    for words in typed():
        if words[0] in __main__.MODULE_COMMANDS:
            assert __main__.MODULE_COMMANDS[words[0]] == "backend.admin"
            if words[0] == "token":
                token_command.parser().parse_args(words[1:])
            else:
                admin.parser().parse_args(words)
        else:
            options.parser().parse_args(words)
        taken.add(words[0])
    assert taken == {"backup", "restore", "migrate", "copy", "token", "up"}


def test_every_option_is_explained() -> None:
    shown = admin.parser().format_help()
    for verb in ("backup", "restore"):
        assert verb in shown
    for option in ("--force", "--data-dir", "--with-tokens"):
        assert f"`{option}" in PAGE
    assert FORMAT == 1
