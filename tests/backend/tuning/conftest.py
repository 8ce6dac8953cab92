"""What several tests of searches share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.db.database import Database


@pytest.fixture
def quick_database(tmp_path: Path, migrated_file: Path) -> Iterator[Database]:
    """A database in a file alone, for what does not depend on its kind."""
    made = Database(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'quick.sqlite')}")
    yield made
    made.close()
