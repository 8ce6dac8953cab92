"""URLs of SQLite files in folders with any name."""

import logging
from pathlib import Path

import pytest
from sqlalchemy import make_url

from backend.db import migrations
from backend.db.database import Database
from backend.db.sqlite_file import misread_file, sqlite_url, warn_of_misread_file

ODD = "a%20b?c#d e\u00e9&'%"


@pytest.mark.parametrize("name", ["plain", "a b", "a%20b", "a?b=c", "a#b", ODD])
def test_the_url_opens_the_file_itself(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    file = folder / "lossboard.sqlite"
    assert make_url(sqlite_url(file)).database == str(file)
    database = Database(sqlite_url(file))
    migrations.upgrade(database)
    database.close()
    assert file.is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("name", "read_as"), [("a%20b", "a b"), ("a%3Fb", "a?b")])
def test_a_database_that_the_old_version_opened_instead_is_named(
    tmp_path: Path, name: str, read_as: str, caplog: pytest.LogCaptureFixture
) -> None:
    file, other = (tmp_path / folder / "lossboard.sqlite" for folder in (name, read_as))
    assert misread_file(file) is None, "there is none"
    other.parent.mkdir()
    other.touch()
    assert misread_file(file) == other
    with caplog.at_level(logging.WARNING):
        warn_of_misread_file(file)
    assert str(file) in caplog.text
    assert str(other) in caplog.text
    file.parent.mkdir()
    file.touch()
    assert misread_file(file) is None, "the folder has a database of its own"


def test_a_path_that_was_always_read_right_has_no_other_file(tmp_path: Path) -> None:
    assert misread_file(tmp_path / "lossboard.sqlite") is None
