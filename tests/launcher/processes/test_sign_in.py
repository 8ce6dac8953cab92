"""An address that others can reach needs tokens, from the environment or the database."""

import os
from pathlib import Path

import pytest

from backend.admin import token_command
from launcher.console import OptionsError
from launcher.options import parse
from launcher.processes.sign_in import require_sign_in

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("LOSSBOARD_")}


def check(folder: Path, *flags: str, **variables: str) -> None:
    environ = {**CLEAN, **variables}
    _, options = parse(["up", "--data-dir", str(folder), *flags], environ)
    require_sign_in(options, environ)


@pytest.mark.slow
def test_an_address_that_others_reach_needs_tokens_or_insecure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lan = ("--host", "0.0.0.0")
    check(tmp_path, *lan, "--insecure")
    check(tmp_path, "--host", "localhost")
    for name in ("LOSSBOARD_TOKENS", "LOSSBOARD_TOKENS_FILE"):
        check(tmp_path, *lan, **{name: "Ada:admin:sha256=00"})
    with pytest.raises(OptionsError, match=r"no tokens and so no sign-in.*token add NAME admin"):
        check(tmp_path, *lan, LOSSBOARD_TOKENS=" ")
    own = ("--data-dir", str(tmp_path))
    assert token_command.main(["add", "Ada", "admin", *own], CLEAN) == 0
    check(tmp_path, *lan)
    assert token_command.main(["revoke", "Ada", "--last-admin", *own], CLEAN) == 0
    check(tmp_path, *lan)
    assert capsys.readouterr().out


def test_a_database_that_cannot_be_read_opens_nothing(tmp_path: Path) -> None:
    (tmp_path / "lossboard.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(OptionsError, match="cannot be found out"):
        check(tmp_path, "--host", "0.0.0.0")
