"""A restore keeps the target's tokens, or takes the backup's if it is told to; never opens."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.admin.__main__ import parser
from backend.admin.locations import Locations
from backend.admin.restore import restore
from backend.auth.access import AccessTokens
from backend.db.database import Database
from tests.backend.backup_folders import open_folder
from tests.backend.stored_tokens import revoke_token, store_token
from tests.support.postgres import Postgres

Backup = Callable[..., tuple[Path, dict[str, str]]]


def tokens_of(database: Database) -> AccessTokens:
    tokens = AccessTokens()
    tokens.load(database)
    return tokens


@pytest.fixture
def backup(tmp_path: Path) -> Backup:
    def save(*names: str) -> tuple[Path, dict[str, str]]:
        """A backup with the tokens of these people, and their secrets."""
        file = tmp_path / "b.tar"
        with open_folder(tmp_path / "old") as folder:
            folder.running()
            secrets = {name: store_token(folder.database, name) for name in names}
            folder.save(file)
        shutil.rmtree(tmp_path / "old")
        return file, secrets

    return save


def accepted(locations: Locations, secrets: dict[str, str]) -> list[str]:
    """Return the people who may sign in."""
    with locations.database() as database:
        tokens = tokens_of(database)
        assert tokens, "it is closed"
    return [name for name, secret in secrets.items() if tokens.owner(secret)]


def test_the_targets_tokens_stay_also_revoked_ones(tmp_path: Path, backup: Backup) -> None:
    file, theirs = backup("Ada", "Eve")
    with open_folder(tmp_path / "data") as folder:
        ours = {name: store_token(folder.database, name) for name in ("Ada", "Bo")}
        revoke_token(folder.database, "Bo")
        locations = folder.locations
    done = restore(locations, file, force=True)
    assert "the tokens that were here stay" in done.about
    assert accepted(locations, ours) == ["Ada"]
    assert accepted(locations, theirs) == []
    done = restore(locations, file, force=True, with_tokens=True)
    assert "tokens are restored with it" in done.about
    assert accepted(locations, ours) == []
    assert accepted(locations, theirs) == ["Ada", "Eve"]
    with locations.database() as database:  # numbers go on where they were
        store_token(database, "Cy")
        assert [row.id for row in tokens_of(database).stored()][-1] == 3


def test_a_backup_of_a_closed_board_does_not_open_in_a_fresh_folder(
    tmp_path: Path, backup: Backup
) -> None:
    file, theirs = backup("Ada")
    locations = Locations(tmp_path / "new", f"sqlite:///{tmp_path / 'new' / 'lossboard.sqlite'}")
    done = restore(locations, file)
    assert "token add NAME admin" in done.about
    assert "\n" not in done.about
    assert accepted(locations, theirs) == []
    with locations.database() as database:
        ours = {"Ada": store_token(database, "Ada")}
    assert accepted(locations, ours) == ["Ada"]


def test_a_backup_without_tokens_takes_none_away(tmp_path: Path, backup: Backup) -> None:
    file, _ = backup()
    with open_folder(tmp_path / "data") as folder:
        ours = {"Ada": store_token(folder.database, "Ada")}
        locations = folder.locations
    done = restore(locations, file, force=True, with_tokens=True)
    assert "it has no tokens, so the tokens that were here stay" in done.about
    assert accepted(locations, ours) == ["Ada"]
    fresh = Locations(tmp_path / "new", f"sqlite:///{tmp_path / 'new' / 'lossboard.sqlite'}")
    assert "token" not in restore(fresh, file).about
    with fresh.database() as database:
        assert not tokens_of(database), "it is open, as it was"


def test_a_server_keeps_its_tokens_too(tmp_path: Path, backup: Backup, postgres: Postgres) -> None:
    file, theirs = backup("Ada", "Eve")
    with postgres.fresh() as url:
        with open_folder(tmp_path / "data", url) as folder:
            ours = {"Bo": store_token(folder.database, "Bo")}
            locations = folder.locations
        restore(locations, file)
        assert accepted(locations, ours) == ["Bo"]
        assert accepted(locations, theirs) == []
        with locations.database() as database:
            store_token(database, "Cy")
    with postgres.fresh() as url:
        locations = Locations(tmp_path / "other", url)
        restore(locations, file, with_tokens=True)
        assert accepted(locations, theirs) == ["Ada", "Eve"]
        with locations.database() as database:
            store_token(database, "Cy")


def test_the_command_has_the_option() -> None:
    assert parser().parse_args(["restore", "f", "--with-tokens"]).with_tokens
    assert not parser().parse_args(["restore", "f"]).with_tokens
