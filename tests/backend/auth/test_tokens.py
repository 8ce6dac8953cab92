"""Tokens and their entries: parsed, refused, created, compared, never shown."""

import subprocess
import sys
from pathlib import Path

import pytest

from backend.auth.permissions import Person
from backend.auth.tokens import Tokens, create_token, hash_token
from backend.errors import SettingsError
from backend.settings import Settings

LONG = "a-token-of-some-length"
OTHER = "another-token-of-length"
BASE = {"LOSSBOARD_WORKER_TOKEN": "secret"}


def test_plain_and_hashed_entries_commas_lines_and_comments_are_parsed() -> None:
    text = f"""
    # the team
    Ada Löwe:admin:{LONG}, bot:viewer:sha256={hash_token(OTHER).hex()}

    """
    tokens = Tokens.parse(text)
    assert tokens.owner(LONG) == Person("Ada Löwe", "admin", authenticated=True)
    assert tokens.owner(OTHER) == Person("bot", "viewer", authenticated=True)
    assert tokens.owner(f"sha256={hash_token(OTHER).hex()}") is None, (
        "the hash itself is not a token"
    )
    assert tokens.owner("") is None
    assert tokens.owner("\ud800") is None


def test_only_hashes_are_stored_and_even_those_are_not_shown() -> None:
    tokens = Tokens.parse(f"a:admin:{LONG}")
    shown = repr(Settings(Path(), "sqlite://", "redis://", "worker-secret", tokens=tokens))
    assert LONG not in shown
    assert hash_token(LONG).hex() not in shown
    assert repr(hash_token(LONG)) not in shown
    assert "worker-secret" not in shown


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("Ada", "not name:role:token"),
        (f"Ada:{LONG}", "not name:role:token"),
        (f"Ada:owner:{LONG}", "role is none of viewer, editor, admin"),
        (f":admin:{LONG}", "name is empty"),
        (f"{'a' * 81}:admin:{LONG}", "81 characters"),
        (f"a\tb:admin:{LONG}", "U\\+0009"),
        (f"Ada:admin:{LONG[:19]}", "has 19 characters, at least 20"),
        (f"Ada:admin:{LONG}:x", "other characters"),
        ("Ada:admin:sha256=abc", "64 hex digits"),
        (f"Eve:admin:{OTHER},Eve:viewer:{LONG}", "entry 2 .* has an entry already"),
        (f"Eve:admin:{LONG},Bo:viewer:{LONG}", "entry 2 .* same token"),
    ],
)
def test_a_bad_entry_is_refused_at_start_without_naming_its_token(entry: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as caught:
        Settings.from_environ({**BASE, "LOSSBOARD_TOKENS": entry})
    assert LONG[:19] not in str(caught.value)


def test_a_file_of_entries_joins_the_variable(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# by role\nBo:viewer:{OTHER}\n")
    environ = {**BASE, "LOSSBOARD_TOKENS": f"Ada:admin:{LONG}", "LOSSBOARD_TOKENS_FILE": str(file)}
    tokens = Settings.from_environ(environ).tokens
    assert [entry.person.name for entry in tokens.entries] == ["Ada", "Bo"]


@pytest.mark.parametrize("entries", [",", "# none yet", "\n,"])
def test_a_variable_without_an_entry_does_not_open_the_api(entries: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no entry"):
        Settings.from_environ({**BASE, "LOSSBOARD_TOKENS": entries})
    file = tmp_path / "tokens"
    file.write_text(entries)
    with pytest.raises(SettingsError, match="no entry"):
        Settings.from_environ({**BASE, "LOSSBOARD_TOKENS_FILE": str(file)})


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match="/nowhere/tokens cannot be read"):
        Settings.from_environ({**BASE, "LOSSBOARD_TOKENS_FILE": "/nowhere/tokens"})


def test_the_api_is_open_when_nothing_is_set() -> None:
    assert not Settings.from_environ(BASE).tokens
    assert not Settings.from_environ({**BASE, "LOSSBOARD_TOKENS": " "}).tokens


def test_a_created_token_is_accepted() -> None:
    token, entry = create_token("Ada", "editor")
    assert token not in entry
    assert Tokens.parse(entry).owner(token) == Person("Ada", "editor", authenticated=True)
    assert create_token("Ada", "editor")[0] != token
    with pytest.raises(SettingsError, match="no comma"):
        create_token("a,b", "editor")


def test_the_command_prints_the_token_and_its_entry_separately() -> None:
    command = [sys.executable, "-m", "launcher", "token", "Ada", "viewer"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    token = done.stdout.strip()
    [entry] = [line for line in done.stderr.splitlines() if line.startswith("Ada:")]
    assert Tokens.parse(entry).owner(token) == Person("Ada", "viewer", authenticated=True)
    assert token not in done.stderr
